package exam

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// A Fault is what is wrong with a sudoku that has not exactly one solution.
type Fault string

// The faults. In neither do two givens disagree.
const (
	NoSolution   Fault = "none" // another digit stands for a given of a minimal puzzle
	TwoSolutions Fault = "two"  // a given of a minimal puzzle is gone
)

// Faults are all of them.
func Faults() []Fault { return []Fault{NoSolution, TwoSolutions} }

// DrawFaulty generates n faulty 9x9 sudokus. Solution is one of two, or that of the puzzle before it was spoilt.
func DrawFaulty(f Fault, n int, seed uint64) ([]Sudoku, error) {
	if !slices.Contains(Faults(), f) {
		return nil, fmt.Errorf("fault %q, want one of %q", f, Faults())
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
			if len(list) < n && spoil(f, &c, s, draw.IntN) {
				list = append(list, c)
			}
		}
	}
	return list, nil
}

// spoil makes a fault in a minimal puzzle; false if the cell and digit that were drawn make none.
func spoil(f Fault, c *Sudoku, s *sudoku.Solver, intN func(int) int) bool {
	var givens []int
	for i, d := range c.Cells {
		if d != 0 {
			givens = append(givens, i)
		}
	}
	at := givens[intN(len(givens))]
	if f == TwoSolutions {
		c.Cells[at] = 0
		return s.Count(c.Cells, 3) == 2
	}
	c.Cells[at] = uint8(1 + (int(c.Cells[at])+intN(8))%9)
	for _, i := range givens {
		row, col, box := i/9 == at/9, i%9 == at%9, i/27 == at/27 && i%9/3 == at%9/3
		if i != at && (row || col || box) && c.Cells[i] == c.Cells[at] {
			return false
		}
	}
	return s.Count(c.Cells, 1) == 0
}

// A FaultyResult is what a model answers to sudokus that have not exactly one solution.
type FaultyResult struct {
	Model    string  `json:"model"`
	Engine   string  `json:"engine"`
	Fault    Fault   `json:"fault"`
	Count    int     `json:"count"`
	Sure     float64 `json:"sure"`     // confidence, sigmoid of q_halt, that an answer needs
	Coverage float64 `json:"coverage"` // share answered so
	Valid    float64 `json:"valid"`    // of all: answered so by a full board that keeps rules and givens, one of two solutions
	Wrong    float64 `json:"wrong"`    // of all: answered so by a board that does not
}

// Faulty asks the model for puzzles that DrawFaulty made; cfg.Sure says how sure an answer must be. Nothing but the network
// looks at a puzzle before.
func Faulty(ctx context.Context, m *think.Model, f Fault, list []Sudoku, cfg Config) (*FaultyResult, error) {
	r := &FaultyResult{Model: m.Name, Engine: m.Engine, Fault: f, Sure: cfg.Sure}
	if err := fitsSudoku(m, list[0].Cells); err != nil {
		return nil, err
	}
	_, err := vote(ctx, m, list, cfg, func(i int, b *ballot) {
		best, share := b.Best()
		r.Count++
		if share < cfg.Sure {
			return
		}
		r.Coverage++
		r.Valid += count(sudoku.Solves(best.Cells, list[i].Cells))
	})
	n := float64(max(1, r.Count))
	r.Coverage, r.Valid, r.Wrong = r.Coverage/n, r.Valid/n, (r.Coverage-r.Valid)/n
	return r, err
}

// Print writes the result for people.
func (r *FaultyResult) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d puzzles, fault %q: %.2f %% answered as sure as %.3g, %.2f %% by a board that keeps the rules, %.2f %% by none\n",
		r.Count, r.Fault, 100*r.Coverage, r.Sure, 100*r.Valid, 100*r.Wrong)
	return err
}
