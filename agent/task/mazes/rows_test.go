package mazes

import (
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// TestRoute: of the same seed Path and Route have the same mazes, and who follows Route's directions passes the cells that
// Path marks; one wrong direction on the way and the answer is wrong, one off it does not matter.
func TestRoute(t *testing.T) {
	for _, size := range []int{9, 12} {
		cfg := maze.Recipe(size)
		path, err := Path(cfg, 5)
		if err != nil {
			t.Fatal(err)
		}
		route, err := Route(cfg, 5)
		if err != nil {
			t.Fatal(err)
		}
		n := path.Shape().SeqLen
		if want := map[int]int{9: 49, 12: 144}[size]; n != want || route.Shape().SeqLen != n {
			t.Fatalf("%d and %d tokens at size %d, want %d", n, route.Shape().SeqLen, size, want)
		}
		cols := map[int]int{9: 7, 12: 12}[size]
		judge, err := task.NewJudge(RouteTask, "path", cols)
		if err != nil {
			t.Fatal(err)
		}
		in, tokens, pred, marked := make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n)
		same, label := make([]int32, n), make([]int32, n)
		for range 100 {
			if _, err := path.Next(in, tokens); err != nil {
				t.Fatal(err)
			}
			if _, err := route.Next(same, label); err != nil {
				t.Fatal(err)
			}
			for i := range in {
				if in[i] != same[i] {
					t.Fatalf("cell %d is %d and %d", i, in[i], same[i])
				}
				if (label[i] == puzzle.Ignore) != (in[i] == int32(maze.TokenWall) || in[i] == int32(maze.TokenGoal)) {
					t.Fatalf("token %d at cell %d has the label %d", in[i], i, label[i])
				}
				pred[i] = 0
				for label[i] != puzzle.Ignore && label[i]>>pred[i]&1 == 0 {
					pred[i]++
				}
			}
			copy(marked, pred)
			Marked(RouteTask, in, marked, cols)
			for i := range in {
				if tokens[i] != puzzle.Ignore && marked[i] != tokens[i] {
					t.Fatalf("cell %d is turned into token %d, want %d", i, marked[i], tokens[i])
				}
			}
			for i, l := range label {
				if l == puzzle.Ignore || l == 15 {
					continue
				}
				was := pred[i]
				for l>>pred[i]&1 == 1 {
					pred[i] = (pred[i] + 1) % 4
				}
				on := marked[i] == int32(maze.TokenPath) || in[i] == int32(maze.TokenStart)
				if judge(in, label, pred) == on {
					t.Fatalf("with a wrong direction at cell %d, on the way %v, the answer is judged %v", i, on, on)
				}
				pred[i] = was
			}
		}
	}
}

// TestMarkedEnds: a route ends in a wall, at the edge, where it has been, and where there is no start.
func TestMarkedEnds(t *testing.T) {
	for _, tt := range []struct {
		maze  []string
		moves string // of the cells, up, down, left, right
		want  []string
	}{
		{[]string{"S  ", "#  ", "  G"}, "rrrrrrrrr", []string{"Soo", "#  ", "  G"}},
		{[]string{"S  ", "#  ", "  G"}, "rddrrurrr", []string{"Soo", "#oo", "  G"}},
		{[]string{"S  ", "#  ", "  G"}, "rdlrluddd", []string{"So ", "#o ", "  G"}},
		{[]string{"S  ", "#  ", "  G"}, "ddddddddd", []string{"S  ", "#  ", "  G"}},
		{[]string{"S  ", "#  ", "  G"}, "r?rrrrrrr", []string{"So ", "#  ", "  G"}}, // no direction
		{[]string{"   ", "#  ", "  G"}, "ddddddddd", []string{"   ", "#  ", "  G"}},
	} {
		in := tokensOf(tt.maze...)
		var pred []int32
		for _, c := range tt.moves {
			pred = append(pred, int32(strings.IndexRune("udlr", c)))
		}
		Marked(RouteTask, in, pred, 3)
		if want := tokensOf(tt.want...); !slices.Equal(pred, want) {
			t.Errorf("%q by %s: %v, want %v", tt.maze, tt.moves, pred, want)
		}
	}
}

// TestCheck: of the marks as labelled a way as long as the label's is found; one mark more or less is none; what stands on walls and
// beside open cells does not matter. Of directions the way that they lead is looked at.
func TestCheck(t *testing.T) {
	of, err := task.Find(PathTask)
	if err != nil {
		t.Fatal(err)
	}
	src, err := Path(maze.Recipe(11), 3)
	if err != nil {
		t.Fatal(err)
	}
	mark, other := int32(maze.TokenPath), int32(maze.TokenOpen)
	in, label, pred := make([]int32, 81), make([]int32, 81), make([]int32, 81)
	for range 30 {
		if _, err := src.Next(in, label); err != nil {
			t.Fatal(err)
		}
		moves := 1.0
		for i, l := range label {
			if pred[i] = other; l == int32(maze.TokenPath) {
				pred[i] = mark
				moves++
			} else if in[i] == int32(maze.TokenWall) {
				pred[i] = mark // not asked
			}
		}
		if worth, ok := of.Check(in, pred, 9); !ok || worth != -moves-1 {
			t.Errorf("%v, %v, want a way of %v cells", worth, ok, moves+1)
		}
		for i, x := range in {
			if x != int32(maze.TokenOpen) {
				continue
			}
			was := pred[i]
			if pred[i] = mark; was == mark {
				pred[i] = other
			}
			if worth, ok := of.Check(in, pred, 9); ok && was == mark {
				t.Errorf("without cell %d it is a way worth %v", i, worth)
			}
			pred[i] = was
		}
	}
	if of, err = task.Find(RouteTask); err != nil {
		t.Fatal(err)
	}
	grid := tokensOf("S  ", "## ", "G  ")
	for moves, want := range map[string]bool{"rrdrrdlll": true, "rrdrrlrrr": false, "drdrrdlll": false} {
		for i, c := range moves {
			pred[i] = int32(strings.IndexRune("udlr", c))
		}
		if worth, ok := of.Check(grid, pred[:9], 3); ok != want || ok && worth != -7 {
			t.Errorf("%s is a way: %v, worth %v", moves, ok, worth)
		}
	}
	if of, err := task.Find(DirectionsTask); err != nil || of.Check != nil {
		t.Errorf("directions can be checked, error %v", err)
	}
}
