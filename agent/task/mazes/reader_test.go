package mazes

import (
	"slices"
	"testing"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/maze"
)

// TestPathReader: the agent steps on the likeliest cell beside it, the goal before all others; a maze of
// even size is shown with its wall.
func TestPathReader(t *testing.T) {
	for _, tt := range []struct {
		level      string
		crop       int
		marked     [2]int // row and column of the marked cell
		want       int
		whatBecame string
	}{
		{"#####\n#S  #\n# # #\n#  G#\n#####\n", 1, [2]int{2, 1}, maze.Down, "down to the mark"},
		{"#####\n#S  #\n# # #\n#  G#\n#####\n", 1, [2]int{1, 2}, maze.Right, "right to the mark"},
		{"#####\n#S G#\n# ###\n#   #\n#####\n", 1, [2]int{2, 1}, maze.Down, "the goal is not beside it"},
		{"######\n#SG  #\n#    #\n#    #\n#    #\n######\n", 0, [2]int{2, 1}, maze.Right, "the goal is"},
	} {
		m, err := maze.Parse(tt.level)
		if err != nil {
			t.Fatal(err)
		}
		w, err := maze.NewWorld("maze/5x5-v0", maze.WorldConfig{Maze: maze.Config{Rows: m.Rows, Cols: m.Cols}})
		if err != nil {
			t.Fatal(err)
		}
		obs := make([]byte, w.Spec().ObsLen)
		w.Seed(0)
		w.Reset(obs)
		if err := w.SetLevel(tt.level); err != nil {
			t.Fatal(err)
		}
		w.Observe(obs)
		r, err := task.NewReader(PathTask, w.Spec())
		if err != nil {
			t.Fatal(err)
		}
		tokens, rows, cols := r.Tokens(nil, obs)
		if want := (m.Rows - 2*tt.crop) * (m.Cols - 2*tt.crop); len(tokens) != want || rows*cols != want {
			t.Fatalf("%s: %d tokens of %dx%d, want %d", tt.whatBecame, len(tokens), rows, cols, want)
		}
		logits := make([]float32, len(tokens)*Vocab)
		for i := range tokens {
			logits[i*Vocab+int(maze.TokenOpen)] = 3
			if r.Cell(i) == tt.marked[0]*m.Cols+tt.marked[1] {
				logits[i*Vocab+int(maze.TokenPath)] = 6
			}
		}
		if got := r.Action(logits); got != tt.want {
			t.Errorf("%s: action %d, want %d", tt.whatBecame, got, tt.want)
		}
		var g trace.Segment
		r.Describe(&g, logits)
		on := 0
		for cell, a := range g.Answer {
			on += int(b2f(a == 1))
			if m.Wall[cell] != (a == trace.NoAnswer) {
				t.Fatalf("%s: cell %d answered %d", tt.whatBecame, cell, a)
			}
		}
		if on != 3 { // start, mark and goal
			t.Errorf("%s: %d cells marked, want 3", tt.whatBecame, on)
		}
		if best := slices.Index(g.Actions, slices.Max(g.Actions)); best != tt.want {
			t.Errorf("%s: actions %v, want %d the likeliest", tt.whatBecame, g.Actions, tt.want)
		}
	}
}
