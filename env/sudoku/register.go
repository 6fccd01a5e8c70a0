package sudoku

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ponder-agents/ponder/env"
)

func init() {
	for _, side := range []int{9, 6, 4, 16} {
		entry := env.Entry{
			ID:     fmt.Sprintf("sudoku/%dx%d-v0", side, side),
			Family: "sudoku",
			About:  "fill in a sudoku, digit by digit",
			Options: []env.Option{
				{Name: "difficulty", Default: "medium", About: "easy, medium (singles nearly always do), hard (needs guesses) or expert (minimal; 9x9: 10 guesses or more); 16x16 goes by givens alone"},
				{Name: "givens", Default: "", About: "LO:HI givens instead of the difficulty's"},
				{Name: "rating", Default: "", About: "LO:HI digits tried at guesses instead of the difficulty's; 0:0 is singles only"},
				{Name: "mistakes", Default: "keep", About: "what becomes of a wrong digit that breaks no rule: keep, refuse or end (the episode)"},
				{Name: "reward", Default: "solved", About: "solved (1 at the end) or progress (a share for every right digit)"},
				{Name: "move_cost", Default: "0", About: "taken from the reward of every step"},
				{Name: "invalid_cost", Default: "0", About: "taken from an invalid move besides"},
				{Name: "steps", Default: "0", About: "limit of an episode; 0 is three times the number of cells"},
			},
			Open:  func(id string, o *env.Options) (env.Env, error) { return open(id, side, o) },
			Paint: PaintBoard,
			Oracles: []env.OracleEntry{
				{Name: "plan", About: "the solution, in the order in which a person would find it", Open: func(e env.Env) (env.Oracle, error) {
					w, ok := e.(*World)
					if !ok {
						return nil, fmt.Errorf("sudoku: no oracle for %T", e)
					}
					return NewPlan(w), nil
				}},
			},
		}
		if side == 9 {
			entry.Aliases, entry.OpenLevel = []string{"sudoku"}, openLevel
		}
		env.Register(entry)
	}
}

// openLevel opens the puzzles of a text, which are of one size.
func openLevel(s string) (env.Env, error) {
	all, err := ParseAll(s)
	if err != nil {
		if !looks(s) {
			err = nil
		}
		return nil, err
	}
	var levels []string
	for i, cells := range all {
		if len(cells) != len(all[0]) {
			return nil, fmt.Errorf("sudoku: puzzle %d has %d cells, the first %d: want puzzles of one size", i+1, len(cells), len(all[0]))
		}
		levels = append(levels, string(AppendLine(nil, cells)))
	}
	side := sideOf(len(all[0]))
	e, err := env.Make(fmt.Sprintf("sudoku/%dx%d-v0", side, side))
	if err != nil {
		return nil, err
	}
	return env.Level(e, levels...)
}

// looks reports whether a text is to be a puzzle: most of it could be cells, and some are.
func looks(s string) bool {
	cells := 0
	for _, r := range s {
		if r >= '1' && r <= '9' || strings.ContainsRune(blanks+separators+"+=", r) || boxDrawing(r) {
			cells++
		}
	}
	return 2*cells > utf8.RuneCountInString(s) && strings.ContainsAny(s, "123456789")
}

// Difficulty is the Config of a named difficulty, 0 easy to 3 expert, for boards of 4, 6, 9 or 16 rows.
// 4x4 puzzles never need a guess: there the two hardest are minimal puzzles. At 16x16 they differ by givens alone, the
// last as few as a Generator makes.
func Difficulty(side, level int) Config {
	c := map[int][4]Config{
		4:  {{MinGivens: 8, MaxGivens: 10}, {MinGivens: 6, MaxGivens: 7}, {}, {}},
		6:  {{MinGivens: 16, MaxGivens: 20}, {MinGivens: 10, MaxGivens: 16}, {MaxGivens: 12, MinRating: 1}, {MinRating: 2}},
		9:  {{MinGivens: 40, MaxGivens: 50}, {MinGivens: 30, MaxGivens: 36}, {MinGivens: 24, MaxGivens: 30, MinRating: 1}, {MinRating: 10}},
		16: {{MinGivens: 160, MaxGivens: 180}, {MinGivens: 130, MaxGivens: 150}, {MinGivens: 105, MaxGivens: 120}, {}},
	}[side][level]
	c.Side = side
	return c
}

func open(id string, side int, o *env.Options) (env.Env, error) {
	puzzle := Difficulty(side, o.Choice("difficulty", "easy", "medium", "hard", "expert"))
	if s := o.String("givens"); s != "" {
		lo, hi, err := interval(s)
		if err != nil {
			return nil, fmt.Errorf("option givens=%s: %w", s, err)
		}
		puzzle.MinGivens, puzzle.MaxGivens, puzzle.MinRating = lo, hi, 0
	}
	if s := o.String("rating"); s != "" {
		lo, hi, err := interval(s)
		if err != nil {
			return nil, fmt.Errorf("option rating=%s: %w", s, err)
		}
		if hi == 0 {
			hi = -1
		}
		puzzle.MinRating, puzzle.MaxRating = lo, hi
	}
	cfg := WorldConfig{
		Puzzle:      puzzle,
		Mistakes:    Mistakes(o.Choice("mistakes", "keep", "refuse", "end")),
		Reward:      Reward(o.Choice("reward", "solved", "progress")),
		MoveCost:    o.Float("move_cost", 0, 1e6),
		InvalidCost: o.Float("invalid_cost", 0, 1e6),
		MaxSteps:    o.Int("steps", 0, 1<<20),
	}
	if err := o.Err(); err != nil {
		return nil, err
	}
	w, err := NewWorld(id, cfg)
	if err != nil {
		return nil, err // not a nil *World in an Env
	}
	return w, nil
}

func interval(s string) (lo, hi int, err error) {
	a, b, _ := strings.Cut(s, ":")
	lo, err1 := strconv.Atoi(a)
	hi, err2 := strconv.Atoi(b)
	if err1 != nil || err2 != nil || lo < 0 || hi < lo {
		return 0, 0, fmt.Errorf("want LO:HI with 0 <= LO <= HI")
	}
	return lo, hi, nil
}
