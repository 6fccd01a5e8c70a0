package mazes

import (
	"testing"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// TestWay: of the same seed Path and Way mark the same cells; whoever goes by Way's
// directions from any other cell comes to the marks or the goal.
func TestWay(t *testing.T) {
	for _, size := range []int{9, 12} {
		cfg := maze.Recipe(size)
		path, err := Path(cfg, 5)
		if err != nil {
			t.Fatal(err)
		}
		way, err := Way(cfg, 5)
		if err != nil {
			t.Fatal(err)
		}
		n := path.Shape().SeqLen
		if want := map[int]int{9: 49, 12: 144}[size]; n != want || way.Shape().SeqLen != n {
			t.Fatalf("%d and %d tokens at size %d, want %d", n, way.Shape().SeqLen, size, want)
		}
		cols := map[int]int{9: 7, 12: 12}[size]
		judge, err := task.NewJudge(WayTask, "marks", cols)
		if err != nil {
			t.Fatal(err)
		}
		in, tokens, pred := make([]int32, n), make([]int32, n), make([]int32, n)
		same, label := make([]int32, n), make([]int32, n)
		for range 100 {
			if _, err := path.Next(in, tokens); err != nil {
				t.Fatal(err)
			}
			if _, err := way.Next(same, label); err != nil {
				t.Fatal(err)
			}
			for i := range in {
				marked := tokens[i] == int32(maze.TokenPath) || in[i] == int32(maze.TokenStart)
				switch {
				case in[i] != same[i]:
					t.Fatalf("cell %d is %d and %d", i, in[i], same[i])
				case marked != (label[i] == 1<<WayMark):
					t.Fatalf("cell %d, marked %v, has the label %d", i, marked, label[i])
				case (label[i] == puzzle.Ignore) != (in[i] == int32(maze.TokenWall) || in[i] == int32(maze.TokenGoal)):
					t.Fatalf("token %d at cell %d has the label %d", in[i], i, label[i])
				}
				at := i
				for k := 0; label[at] != puzzle.Ignore && label[at] != 1<<WayMark; k++ {
					for dir, step := range [4]int{-cols, cols, -1, 1} {
						if label[at]>>dir&1 == 1 {
							at += step
							break
						}
					}
					if k > n || in[at] == int32(maze.TokenWall) {
						t.Fatalf("the directions from cell %d lead nowhere", i)
					}
				}
				pred[i] = 1 // some direction
				if marked {
					pred[i] = WayMark
				}
			}
			if !judge(in, label, pred) {
				t.Fatal("the right marks are judged wrong")
			}
			Marked(WayTask, in, pred)
			for i := range in {
				if tokens[i] != puzzle.Ignore && pred[i] != tokens[i] {
					t.Fatalf("cell %d is turned into token %d, want %d", i, pred[i], tokens[i])
				}
			}
			for i, l := range label {
				if l != puzzle.Ignore {
					pred[i] = WayMark
				} else {
					pred[i] = 0
				}
			}
			if judge(in, label, pred) {
				t.Fatal("all cells marked are judged right")
			}
		}
	}
}

// TestCheck: of the marks as labelled a way as long as the label's is found; one mark more or less is none; what stands on walls and
// beside open cells does not matter.
func TestCheck(t *testing.T) {
	for _, name := range []string{PathTask, WayTask} {
		of, err := task.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		src, err := Path(maze.Recipe(11), 3)
		if err != nil {
			t.Fatal(err)
		}
		mark, other := int32(maze.TokenPath), int32(maze.TokenOpen)
		if name == WayTask {
			mark, other = WayMark, 2
		}
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
				t.Errorf("%s: %v, %v, want a way of %v cells", name, worth, ok, moves+1)
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
					t.Errorf("%s: without cell %d it is a way worth %v", name, i, worth)
				}
				pred[i] = was
			}
		}
	}
	if of, err := task.Find(DirectionsTask); err != nil || of.Check != nil {
		t.Errorf("directions can be checked, error %v", err)
	}
}
