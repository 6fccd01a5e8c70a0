package exam_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/task/mazes"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/think/thinktest"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/sudoku"
	"github.com/ponder-agents/ponder/models"
)

// shipped is a shipped model on the engine that every build has.
func shipped(t *testing.T, name string) *think.Model {
	t.Helper()
	m, err := engine.Shipped(name, models.Open)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestMazes: the shipped agent walks small mazes by shortest ways, and what one asks of all mazes at
// once and what one asks of an environment agree.
func TestMazes(t *testing.T) {
	m := shipped(t, "maze")
	mazes, err := exam.DrawMazes(maze.Recipe(9), 12, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := exam.Mazes(context.Background(), m, mazes, exam.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Count != 12 || r.Success != 1 || r.Optimal < 0.9 || r.JudgedAccuracy < 0.9 || r.QHaltAccuracy < 0.9 || r.Engine != "go" || r.MeanSegments < 1 {
		t.Errorf("%+v", r)
	}
	never, err := exam.Mazes(context.Background(), m, mazes, exam.Config{}.AlwaysMax(m))
	if err != nil || never.MeanSegments != float64(r.MaxSegments) {
		t.Errorf("without halting %v segments a decision, want %d (error %v)", never.MeanSegments, r.MaxSegments, err)
	}
	a, err := exam.Agent(context.Background(), m, "maze/9x9-v0", nil, 10, 1, exam.Config{})
	if err != nil || a.SPL == nil || *a.SPL < 0.9 || a.Success < *a.SPL || a.MeanSegments < 1 {
		t.Errorf("%+v, error %v", a, err)
	}
}

// TestMazeSearch: a search finds shortest ways, counts what it thought, and is told from thinking; it is refused for what
// decides move by move.
func TestMazeSearch(t *testing.T) {
	m := shipped(t, "maze-path")
	list, err := exam.DrawMazes(maze.Recipe(15), 8, 3)
	if err != nil {
		t.Fatal(err)
	}
	r, err := exam.Mazes(context.Background(), m, list, exam.Config{Search: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.Valid != 1 || r.ExactAccuracy != 1 || r.Success != 1 || r.Optimal != 1 || r.Calls < 1 || r.Calls != r.MeanSegments || r.Branches < 1 || r.QHaltAccuracy < 0.9 {
		t.Errorf("%+v", r)
	}
	var said strings.Builder
	if err := r.Print(&said); err != nil || !strings.Contains(said.String(), "branches a maze") || strings.Contains(said.String(), "q_halt") {
		t.Errorf("%v, said %q", err, said.String())
	}
	if _, err := exam.Mazes(context.Background(), shipped(t, "maze"), list, exam.Config{Search: true}); !errors.Is(err, exam.ErrNoSearch) {
		t.Errorf("error %v", err)
	}
}

// TestSure: how sure a model is of its answers is told of mazes whose way it marks and of rows; one that decides move by move
// has no answer to be sure of, and a sudoku that it is not sure of gets none.
func TestSure(t *testing.T) {
	ctx := context.Background()
	list, err := exam.DrawMazes(maze.Recipe(9), 8, 3)
	if err != nil {
		t.Fatal(err)
	}
	r, err := exam.Mazes(ctx, shipped(t, "maze-path"), list, exam.Config{Sure: 0.9})
	if err != nil || r.Sureness == nil || r.Coverage < 0.5 || r.Risk > 0 || len(r.Bins) == 0 {
		t.Errorf("marked ways: %+v, error %v", r.Sureness, err)
	}
	if _, err := exam.Mazes(ctx, shipped(t, "maze"), list, exam.Config{Sure: 0.9}); !errors.Is(err, exam.ErrNoAnswer) {
		t.Errorf("error %v", err)
	}
	m := shipped(t, "sudoku")
	rows, err := exam.Rows(ctx, m, "sudoku:45-50", 4, exam.Config{Sure: 0.9, Seed: 3})
	if err != nil || rows.Sureness == nil || rows.Coverage != 1 || rows.Risk != 0 {
		t.Errorf("rows: %+v, error %v", rows.Sureness, err)
	}
	puzzles, err := exam.DrawSudokus(sudoku.Config{Side: 9, MinGivens: 45, MaxGivens: 50}, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	s, err := exam.SolveSudoku(ctx, m, puzzles[0], exam.Config{Sure: 0.9}, nil)
	if err != nil || s.Abstains || !s.Valid {
		t.Errorf("%+v, error %v", s, err)
	}
	s, err = exam.SolveSudoku(ctx, m, puzzles[0], exam.Config{Sure: 1}, nil)
	if err != nil || !s.Abstains || s.Valid || s.Solution != "" || !strings.Contains(s.Line(), "not sure enough") {
		t.Errorf("%+v, error %v", s, err)
	}
}

// TestDrawnRegret: where actions are drawn and every decision has one segment, each branch is the episode itself.
func TestDrawnRegret(t *testing.T) {
	m := shipped(t, "maze-reward")
	cfg := exam.Config{Config: think.Config{Sample: true, SampleSeed: 1}}
	cfg.Halting = act.Config{Rule: act.Never, MaxSegments: 1}
	options := []string{"steps=12"}
	a, err := exam.Agent(context.Background(), m, "maze/5x5-v0", options, 24, 1, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.AddRegret(context.Background(), m, options, cfg); err != nil {
		t.Fatal(err)
	}
	if r := a.Branched; r.Decisions == 0 || r.Mean != 0 || r.Right != 1 || r.Own != r.Most {
		t.Errorf("%+v", r)
	}
}

// TestSurprises: in mazes whose doors change, decisions are told apart by how long ago one did, and the shipped agent thinks
// longer when it sees that than later; in still mazes there is nothing to tell.
func TestSurprises(t *testing.T) {
	m := shipped(t, "maze-reward")
	for options, changing := range map[string]bool{"doors=30": true, "doors=0": false} {
		r, err := exam.Agent(context.Background(), m, "maze/11x11-v0", []string{options, "door_chance=0.02", "steps=100"}, 60, 1, exam.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if r.SPLError == nil || *r.SPLError <= 0 || *r.SPLError > 0.1 {
			t.Errorf("%s: standard error of SPL %v", options, r.SPLError)
		}
		if !changing {
			if r.Surprises != nil {
				t.Errorf("%s: %+v", options, r.Surprises)
			}
			continue
		}
		decisions, at := 0, map[int]float64{}
		for _, s := range r.Surprises {
			decisions += s.Decisions
			at[s.Since] = s.MeanSegments
		}
		if want := int(r.MeanLength*60+0.5) - 60; decisions != want {
			t.Errorf("%s: %d decisions, want %d, all but the first of each episode", options, decisions, want)
		}
		if at[0] <= at[2] {
			t.Errorf("%s: segments by steps since a change: %v", options, at)
		}
	}
}

// TestCircles: an agent that comes back to a cell is stopped there, since it would go on so until the limit.
func TestCircles(t *testing.T) {
	mz, err := maze.Parse("#########\n#S     G#\n# #######\n#       #\n#########\n")
	if err != nil {
		t.Fatal(err)
	}
	toy := &think.Model{Name: "toy", Precision: think.Precision{Name: "bf16"}, Core: thinktest.Toy{Vocab: mazes.Vocab, Outputs: 4}, Usage: think.Usage{
		Task: mazes.DirectionsTask, Halting: act.Config{MaxSegments: 2}, Loss: think.AnyOf, Data: []string{"mix:2*maze-directions:3|maze-directions:5-3", "maze-directions:3"},
	}}
	sol, err := exam.SolveMaze(context.Background(), toy, mz, exam.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if sol.Solved || !sol.Circles || sol.Moves > 9 || sol.Moves != len(sol.Path) || sol.Learned != 5 || sol.Precision.Name != "bf16" {
		t.Errorf("%+v", sol)
	}
}

// TestSudokus: the shipped model solves easy sudokus; votes and ratings add up.
func TestSudokus(t *testing.T) {
	m := shipped(t, "sudoku")
	list, err := exam.DrawSudokus(sudoku.Config{Side: 9, MinGivens: 40, MaxGivens: 45}, 6, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := exam.Sudokus(context.Background(), m, list, exam.Config{Votes: 2})
	if err != nil {
		t.Fatal(err)
	}
	rated := 0
	for _, g := range r.ByRating {
		rated += g.Count
	}
	if r.Count != 6 || r.ExactAccuracy != 1 || r.Votes != 2 || r.TotalSegments != 2*r.MeanSegments || rated != 6 {
		t.Errorf("%+v", r)
	}
	sol, err := exam.SolveSudoku(context.Background(), m, list[0], exam.Config{}, nil)
	if err != nil || !sol.Valid || sol.WrongCells != 0 || sol.Confidence < 0.5 || sol.Precision.Name != "float32" {
		t.Errorf("%+v, error %v", sol, err)
	}
}

// TestSixteen: the shipped model thinks about boards of 16x16, which it never saw: most cells are right, its answers keep the givens,
// and it is not sure of what is wrong.
func TestSixteen(t *testing.T) {
	m := shipped(t, "sudoku")
	list, err := exam.DrawSudokus(sudoku.Config{Side: 16, MinGivens: 210, MaxGivens: 230}, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := exam.Sudokus(context.Background(), m, list, exam.Config{})
	if err != nil || r.Count != 2 || r.CellAccuracy < 0.9 {
		t.Errorf("%+v, error %v", r, err)
	}
	sol, err := exam.SolveSudoku(context.Background(), m, list[0], exam.Config{}, nil)
	if err != nil || !sol.Valid && sol.Confidence > 0.5 {
		t.Fatalf("%+v, error %v", sol, err)
	}
	for i, d := range list[0].Cells {
		if d != 0 && sol.Answer[i] != d {
			t.Errorf("cell %d: %d, given %d", i, sol.Answer[i], d)
		}
	}
}

// TestRows: any data that task can open is an exam.
func TestRows(t *testing.T) {
	r, err := exam.Rows(context.Background(), shipped(t, "sudoku"), "sudoku:45-50", 4, exam.Config{Seed: 3})
	if err != nil || r.Count != 4 || r.ExactAccuracy != 1 || r.JudgedAccuracy != 1 {
		t.Errorf("%+v, error %v", r, err)
	}
}

// TestErrors: a model for something else is named.
func TestErrors(t *testing.T) {
	ctx := context.Background()
	toy := &think.Model{Name: "toy", Core: thinktest.Toy{Vocab: 3, Outputs: 4}, Usage: think.Usage{
		Task: mazes.DirectionsTask, Halting: act.Config{MaxSegments: 2}, Loss: think.AnyOf,
	}}
	mazes, err := exam.DrawMazes(maze.Recipe(7), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	list, err := exam.DrawSudokus(sudoku.Config{Side: 9, MinGivens: 40, MaxGivens: 45}, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"none of so small ones is held out":                                      second(exam.DrawMazes(maze.Recipe(5), 1, 1)),
		"model toy answers maze-directions, want one for sudoku":                 second(exam.Sudokus(ctx, toy, list, exam.Config{})),
		"model toy answers maze-directions, want one for arc":                    second(exam.ReadARC(toy, arc.Reading{}, "x")),
		"want a token in [0, 3)":                                                 second(exam.Mazes(ctx, toy, mazes, exam.Config{})),
		"its rows are for the task maze-path, model toy answers maze-directions": second(exam.Rows(ctx, toy, "maze-path:7", 1, exam.Config{})),
		"no episode": second(exam.Agent(ctx, toy, "maze/5x5-v0", nil, 0, 0, exam.Config{})),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func second[T any](_ T, err error) error { return err }
