package mazes

import (
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env/maze"
)

// tokensOf reads a maze of letters, as its rows hold it.
func tokensOf(lines ...string) (tokens []int32) {
	for _, c := range strings.Join(lines, "") {
		tokens = append(tokens, int32(strings.IndexRune(letters, c)+1))
	}
	return tokens
}

// marking are logits of Path by which cells are marked, the surer the larger their digit, in tenths; others are not.
func marking(digits ...string) []float32 {
	cells := strings.Join(digits, "")
	logits := make([]float32, Vocab*len(cells))
	for i, c := range cells {
		logits[Vocab*i+int(maze.TokenPath)] = -9
		if c != '.' {
			logits[Vocab*i+int(maze.TokenPath)] = float32(c-'0') / 10
		}
	}
	return logits
}

// TestRules: an answer goes from mark to mark and is right where it comes to the goal; what is sure is passed and becomes
// wall, and each way on from there is a guess.
func TestRules(t *testing.T) {
	question := tokensOf(
		"S    ",
		" ### ",
		" ### ",
		"     ",
		"#### ",
		"#G   ")
	rules, small := rules(PathTask, 5), rules(PathTask, 3)
	way := tokensOf(
		"S    ",
		"o### ",
		"o### ",
		"ooooo",
		"####o",
		"#Gooo")
	down := marking(
		"0....",
		"9....",
		"9....",
		"99999",
		"....9",
		"..999")
	answer, worth, right := rules.Read(question, question, down)
	if !slices.Equal(answer, way) || !right || worth != -13 {
		t.Errorf("answer %v worth %v, right %v", answer, worth, right)
	}
	// Down is hardly likelier than right: the one way and the other.
	fork := marking(
		"08999",
		"9...9",
		"9...9",
		"9999.",
		".....",
		".....")
	guesses := rules.Guess(question, fork)
	branches := [][]int32{
		tokensOf("#    ", "S### ", " ### ", "     ", "#### ", "#G   "),
		tokensOf("#S   ", " ### ", " ### ", "     ", "#### ", "#G   "),
	}
	for i, g := range guesses {
		if i >= 2 || !slices.Equal(g.Tokens, branches[i]) {
			t.Errorf("guess %d is %v", i, g.Tokens)
		}
	}
	if len(guesses) != 2 || guesses[0].P <= guesses[1].P || guesses[0].P+guesses[1].P != 1 {
		t.Fatalf("guesses %v", guesses)
	}
	// A branch answers the question with what it passed.
	if answer, _, right := rules.Read(question, branches[0], down); !slices.Equal(answer, way) || !right {
		t.Errorf("of a branch: %v, right %v", answer, right)
	}
	answer, worth, right = rules.Read(question, branches[1], marking("..999", "....9", "....9", "....9", "....9", "..999"))
	if want := tokensOf("Soooo", " ###o", " ###o", "    o", "####o", "#Gooo"); !slices.Equal(answer, want) || !right || worth != -13 {
		t.Errorf("the other way: %v worth %v, right %v", answer, worth, right)
	}
	// Nothing to choose: no guess. A dead end: no answer.
	if g := rules.Guess(tokensOf("#####", "S   G", "#####"), marking(".....", ".....", ".....")); g != nil {
		t.Errorf("guesses in a corridor: %v", g)
	}
	if _, _, right := small.Read(tokensOf("S #", "  #", "##G"), tokensOf("S #", "  #", "##G"), marking("...", "...", "...")); right {
		t.Error("a dead end is right")
	}
	// One that turns back beside itself is no way.
	open := tokensOf("S  ", "   ", "   ", "  G")
	if _, _, right := small.Read(open, open, marking("099", "589", "591", ".9.")); right {
		t.Error("a way that touches itself is right")
	}
}

// TestRulesOfRoutes: a route goes in the likeliest direction that is open, and where that is not sure each of the others is a guess.
func TestRulesOfRoutes(t *testing.T) {
	question := tokensOf(
		"S  ",
		" # ",
		"  G")
	logits := make([]float32, 4*len(question))
	lead := func(cell int, down, right float32) { logits[4*cell+maze.Down], logits[4*cell+maze.Right] = down, right }
	lead(0, 5, 5.1)
	for cell := 1; cell < 9; cell++ {
		lead(cell, 9, 9)
	}
	rules := rules(RouteTask, 3)
	answer, worth, right := rules.Read(question, question, logits)
	if want := tokensOf("Soo", " #o", "  G"); !slices.Equal(answer, want) || !right || worth != -5 {
		t.Errorf("answer %v worth %v, right %v", answer, worth, right)
	}
	guesses := rules.Guess(question, logits)
	if len(guesses) != 2 || !slices.Equal(guesses[0].Tokens, tokensOf("#S ", " # ", "  G")) || !slices.Equal(guesses[1].Tokens, tokensOf("#  ", "S# ", "  G")) {
		t.Errorf("guesses %v", guesses)
	}
	lead(0, 0, 9)
	if guesses := rules.Guess(question, logits); len(guesses) != 1 || guesses[0].P < 0.99 {
		t.Errorf("where it is sure: %v", guesses)
	}
}
