package exam

import (
	"context"
	"fmt"
	"io"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// DrawFaulty generates n faulty 9x9 sudokus, of minimal ones. Solution is that of the puzzle before it was spoilt.
func DrawFaulty(f sudoku.Fault, n int, seed uint64) ([]Sudoku, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	s, err := sudoku.NewSolver(9)
	if err != nil {
		return nil, err
	}
	draw := rng.Stream(seed, "eval/sudoku/"+string(f))
	var list []Sudoku
	for more := seed; len(list) < n; more++ {
		fresh, err := DrawSudokus(sudoku.Config{Side: 9}, n, more)
		if err != nil {
			return nil, err
		}
		for _, c := range fresh {
			if len(list) < n && f.Make(c.Cells, c.Solution, s, draw.IntN) {
				list = append(list, c)
			}
		}
	}
	return list, nil
}

// A FaultyResult is what a model answers to sudokus that have not exactly one solution.
type FaultyResult struct {
	Model     string          `json:"model"`
	Engine    string          `json:"engine"`
	Precision think.Precision `json:"precision"` // of its products, and the choice
	Fault     sudoku.Fault    `json:"fault"`
	Count     int             `json:"count"`
	Sure      float64         `json:"sure"`     // confidence, sigmoid of q_halt, that an answer needs
	Coverage  float64         `json:"coverage"` // share answered so
	Valid     float64         `json:"valid"`    // of all: answered so by a full board that keeps rules and givens, one of two solutions
	Wrong     float64         `json:"wrong"`    // of all: answered so by a board that does not
	Disputed  float64         `json:"disputed"` // of all: of several thoughts two were content with other answers
}

// Faulty asks the model for puzzles that DrawFaulty made; cfg.Sure says how sure an answer must be. Nothing but the network
// looks at a puzzle before.
func Faulty(ctx context.Context, m *think.Model, f sudoku.Fault, list []Sudoku, cfg Config) (*FaultyResult, error) {
	r := &FaultyResult{Model: m.Name, Engine: m.Engine, Precision: m.Precision, Fault: f, Sure: cfg.Sure}
	if err := fitsSudoku(m, list[0].Cells); err != nil {
		return nil, err
	}
	_, err := vote(ctx, m, list, cfg, func(i int, b *ballot) {
		best, confidence := b.best()
		r.Count++
		r.Disputed += count(b.disputed)
		if confidence < cfg.Sure {
			return
		}
		r.Coverage++
		r.Valid += count(sudoku.Solves(best.Cells, list[i].Cells))
	})
	n := float64(max(1, r.Count))
	r.Coverage, r.Valid, r.Wrong, r.Disputed = r.Coverage/n, r.Valid/n, (r.Coverage-r.Valid)/n, r.Disputed/n
	return r, err
}

// Print writes the result for people.
func (r *FaultyResult) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d puzzles, fault %q: %.2f %% answered as sure as %.3g, %.2f %% by a board that keeps the rules, %.2f %% by none; thoughts dispute %.2f %%\n",
		r.Count, r.Fault, 100*r.Coverage, r.Sure, 100*r.Valid, 100*r.Wrong, 100*r.Disputed)
	return err
}
