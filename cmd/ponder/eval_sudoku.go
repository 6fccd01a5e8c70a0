//go:build cgo && !notorch

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/env/sudoku"
	"github.com/spf13/cobra"
)

// sudokuResult is what eval sudoku prints.
type sudokuResult struct {
	Model            string         `json:"model"`
	Count            int            `json:"count"`
	Votes            int            `json:"votes"`          // symmetric copies of each puzzle, itself included
	ExactAccuracy    float64        `json:"exact_accuracy"` // share answered by a grid that is full, by the rules and keeps the givens
	CellAccuracy     float64        `json:"cell_accuracy"`  // share of empty cells filled as labelled, averaged over puzzles
	AnyAccuracy      float64        `json:"any_accuracy"`   // share where one copy's answer at least is right: what a checker would take
	SingleAccuracy   float64        `json:"single_accuracy"`
	MeanSegments     float64        `json:"mean_segments"` // of a copy
	MaxSegments      int            `json:"max_segments"`
	Rule             act.Rule       `json:"rule"`
	Threshold        float32        `json:"threshold"`
	Restarts         int            `json:"restarts"`           // at most, of a copy
	PuzzlesPerSecond float64        `json:"puzzles_per_second"` // votes included
	BySegment        []float64      `json:"exact_by_segment"`   // of a copy, had it answered after segment k, or where it halted
	QHaltAccuracy    float64        `json:"q_halt_accuracy"`
	ByRating         []ratingResult `json:"by_rating,omitempty"`
	AlwaysMax        *sudokuResult  `json:"always_max,omitempty"`
}

// ratingResult is the outcome on puzzles rated from Min to Max.
type ratingResult struct {
	Min           int     `json:"min"`
	Max           int     `json:"max"` // -1 means no bound
	Count         int     `json:"count"`
	ExactAccuracy float64 `json:"exact_accuracy"`
	MeanSegments  float64 `json:"mean_segments"`
}

func newEvalSudokuCmd() *cobra.Command {
	var net netFlags
	var halt haltFlags
	var file, givens string
	var count, votes, batch int
	var seed uint64
	var asJSON, byRating, compare bool
	var min float64
	cmd := &cobra.Command{
		Use:   "sudoku",
		Short: "Solve sudokus that the model has not seen, and check every answer",
		Long: `Every answer is checked as a solution of its puzzle: all cells full, no digit twice, all givens kept. With
--votes K the model thinks about the puzzle and K-1 symmetric copies of it (digits renamed, rows and
columns shuffled within and among their bands, transposed), and the answer of the largest sum of
sigmoid(q_halt) counts. Puzzles that halt leave the batch and others take their place.`,
		Example: "  ponder eval sudoku --givens 30-36 --count 1000 --seed 1\n  ponder eval sudoku --csv dev.csv --votes 16 --by-rating --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if count < 1 || votes < 1 || batch < 1 {
				return usagef("--count %d, --votes %d, --batch %d: want 1 or more", count, votes, batch)
			}
			if !cmd.Flags().Changed("count") && file != "" {
				count = 0
			}
			exam, err := sudokuExam(file, givens, count, seed)
			if err != nil {
				return err
			}
			n, err := openSudokuNet(&net, exam[0].cells)
			if err != nil {
				return err
			}
			defer n.Close()
			if err := halt.apply(cmd, n); err != nil {
				return err
			}
			res, err := examineSudokus(cmd.Context(), n, &halt, exam, votes, batch, seed, byRating)
			if err != nil {
				return err
			}
			if compare {
				n.Recipe.Evaluation.Rule = act.Never
				all, err := examineSudokus(cmd.Context(), n, &halt, exam, votes, batch, seed, byRating)
				if err != nil {
					return err
				}
				res.AlwaysMax = &all
			}
			return report(cmd, asJSON, &res, res.ExactAccuracy, min, "solved")
		},
	}
	f := cmd.Flags()
	net.add(f, "sudoku")
	halt.add(cmd)
	f.StringVar(&file, "csv", "", "puzzles to solve, columns question and answer, rating if known")
	f.StringVar(&givens, "givens", "30-36", "without --csv, generate puzzles with LO-HI givens, or minimal ones")
	f.IntVar(&count, "count", 1000, "number of puzzles; with --csv the first so many, by default all")
	f.Uint64Var(&seed, "seed", 0, "of the generated puzzles and of the copies")
	f.IntVar(&votes, "votes", 1, "copies of each puzzle that vote, itself included")
	f.IntVar(&batch, "batch", 64, "puzzles thought about at once")
	f.BoolVar(&byRating, "by-rating", false, "the outcome by rating too")
	f.BoolVar(&compare, "compare", false, "think about all again without halting before the limit")
	f.Float64Var(&min, "min-accuracy", 0, "exit with 3 if a smaller share is solved")
	f.BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.MarkFlagsMutuallyExclusive("csv", "givens")
	return cmd
}

// openSudokuNet opens a network for boards of so many cells.
func openSudokuNet(f *netFlags, board []uint8) (*learn.Net, error) {
	n, err := f.open()
	if err != nil {
		return nil, err
	}
	side := boardSide(board)
	switch {
	case n.Recipe.Task != task.SudokuTask:
		err = fmt.Errorf("model %s answers %s, want one for %s", n.Name, n.Recipe.Task, task.SudokuTask)
	case n.Recipe.Model.Vocab < task.SudokuVocab(side) || n.Recipe.Model.Seq != len(board):
		err = fmt.Errorf("model %s has %d cells and a vocabulary of %d, a board of %dx%d needs %d and %d or more",
			n.Name, n.Recipe.Model.Seq, n.Recipe.Model.Vocab, side, side, len(board), task.SudokuVocab(side))
	}
	if err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func boardSide(board []uint8) int {
	rows, cols, _ := puzzle.SudokuBox(len(board))
	return rows * cols
}

// A sudokuCase is a puzzle to solve.
type sudokuCase struct {
	cells, solution []uint8
	rating          int
}

// sudokuExam reads puzzles of one size from a CSV file, count 0 meaning all, or generates them.
func sudokuExam(file, givens string, count int, seed uint64) ([]sudokuCase, error) {
	var exam []sudokuCase
	if file == "" {
		cfg := sudoku.Config{Side: 9}
		if givens != "minimal" {
			if n, err := fmt.Sscanf(givens, "%d-%d", &cfg.MinGivens, &cfg.MaxGivens); n != 2 || err != nil {
				return nil, usagef("--givens %q: want LO-HI or minimal", givens)
			}
		}
		gen, err := sudoku.NewGenerator(cfg)
		if err != nil {
			return nil, usagef("--givens %s: %v", givens, err)
		}
		r := rng.Stream(seed, "eval/sudoku")
		for range count {
			c := sudokuCase{cells: make([]uint8, 81), solution: make([]uint8, 81)}
			c.rating = gen.Next(c.cells, c.solution, r.Rand)
			exam = append(exam, c)
		}
		return exam, nil
	}
	for row, err := range puzzle.ReadCSVFile(file) {
		if err != nil {
			return nil, err
		}
		in, label, err := row.Sudoku()
		if err != nil {
			return nil, err
		}
		if len(exam) > 0 && len(in) != len(exam[0].cells) {
			return nil, fmt.Errorf("%s, column question: a board of %d cells, those before have %d", row.At, len(in), len(exam[0].cells))
		}
		c := sudokuCase{rating: row.Rating}
		for i := range in {
			c.cells = append(c.cells, uint8(in[i]-puzzle.SudokuEmpty))
			c.solution = append(c.solution, uint8(label[i]-puzzle.SudokuEmpty))
		}
		if exam = append(exam, c); len(exam) == count {
			break
		}
	}
	if len(exam) == 0 {
		return nil, fmt.Errorf("%s: no puzzle in it", file)
	}
	return exam, nil
}

// copiesExam asks for every puzzle and its symmetric copies: job j is copy j%votes of puzzle j/votes.
type copiesExam struct {
	exam     []sudokuCase
	votes    int
	rng      *rand.Rand
	next     int
	turns    map[int]*sudoku.Symmetry // by job, of those under way
	cells    []uint8
	solution []uint8
}

func (x *copiesExam) Next(in, label []int32) (int32, bool, error) {
	if x.next == len(x.exam)*x.votes {
		return 0, false, nil
	}
	c := x.exam[x.next/x.votes]
	cells, solution := c.cells, c.solution
	if x.next%x.votes > 0 {
		y := new(sudoku.Symmetry)
		if err := y.Draw(boardSide(cells), x.rng); err != nil {
			return 0, false, err
		}
		x.turns[x.next] = y
		x.cells, x.solution = append(x.cells[:0], cells...), append(x.solution[:0], solution...)
		y.Apply(x.cells, cells)
		y.Apply(x.solution, solution)
		cells, solution = x.cells, x.solution
	}
	task.SudokuRow(in, label, cells, solution)
	x.next++
	return 0, true, nil
}

// answer is the copy's answer with the copy's givens, and the symmetry to undo, nil for none.
func (x *copiesExam) answer(th *learn.Thought) ([]uint8, *sudoku.Symmetry) {
	c, y := x.exam[th.Job/x.votes], x.turns[th.Job]
	delete(x.turns, th.Job)
	cells := c.cells
	if y != nil {
		cells = make([]uint8, len(c.cells))
		y.Apply(cells, c.cells)
	}
	return task.AppendDigits(nil, cells, th.Logits), y
}

// voteSudokus thinks about every copy of every puzzle and hands over each puzzle's ballot when all its
// votes are in, with the segments they took and the answer of the puzzle itself.
func voteSudokus(ctx context.Context, n *learn.Net, halt *haltFlags, exam []sudokuCase, votes, batch int, seed uint64,
	each func(i int, b *task.Ballot, single []uint8, segments int),
) (learn.Evaluation, error) {
	x := &copiesExam{exam: exam, votes: votes, rng: rng.Stream(seed, "eval/copies").Rand, turns: map[int]*sudoku.Symmetry{}}
	type ballot struct {
		task.Ballot
		single       []uint8
		in, segments int
	}
	open := map[int]*ballot{}
	cells := len(exam[0].cells)
	th := halt.thinker(n, batch)
	return th.Evaluate(ctx, n.Recipe.Loss, cells, x, func(th *learn.Thought, _, _ []int32, _ learn.Score) error {
		i := th.Job / votes
		b := open[i]
		if b == nil {
			b = new(ballot)
			open[i] = b
		}
		answer, y := x.answer(th)
		if y == nil {
			b.single = answer
		} else {
			turned := answer
			answer = make([]uint8, len(turned))
			y.Undo(answer, turned)
		}
		b.Add(answer, th.QHalt)
		b.segments += th.Segment
		if b.in++; b.in == votes {
			delete(open, i)
			each(i, &b.Ballot, b.single, b.segments)
		}
		return nil
	})
}

// ratings are the least ratings of the groups of --by-rating.
var ratings = []int{0, 1, 10, 25, 50, 100, 200}

func examineSudokus(ctx context.Context, n *learn.Net, halt *haltFlags, exam []sudokuCase, votes, batch int, seed uint64, byRating bool) (sudokuResult, error) {
	e := n.Recipe.Evaluation
	res := sudokuResult{Model: n.Name, Votes: votes, MaxSegments: e.MaxSegments, Rule: e.Rule, Threshold: e.Threshold, Restarts: halt.restarts}
	if byRating {
		for i, lo := range ratings {
			r := ratingResult{Min: lo, Max: -1}
			if i+1 < len(ratings) {
				r.Max = ratings[i+1] - 1
			}
			res.ByRating = append(res.ByRating, r)
		}
	}
	begin := time.Now()
	got, err := voteSudokus(ctx, n, halt, exam, votes, batch, seed, func(i int, b *task.Ballot, single []uint8, segments int) {
		c := exam[i]
		best, _ := b.Best()
		solved := sudoku.Solves(best.Cells, c.cells)
		res.Count++
		res.ExactAccuracy += count(solved)
		res.SingleAccuracy += count(sudoku.Solves(single, c.cells))
		res.AnyAccuracy += count(slices.ContainsFunc(b.Answers(), func(a task.Candidate) bool { return sudoku.Solves(a.Cells, c.cells) }))
		right, empty := 0, 0
		for k, d := range c.cells {
			if d == 0 {
				empty++
				if best.Cells[k] == c.solution[k] {
					right++
				}
			}
		}
		if empty == 0 {
			right, empty = 1, 1
		}
		res.CellAccuracy += float64(right) / float64(empty)
		for k := len(res.ByRating) - 1; k >= 0; k-- {
			if r := &res.ByRating[k]; c.rating >= r.Min {
				r.Count++
				r.ExactAccuracy += count(solved)
				r.MeanSegments += float64(segments) / float64(votes)
				break
			}
		}
	})
	if err != nil {
		return res, err
	}
	total := float64(res.Count)
	for _, x := range []*float64{&res.ExactAccuracy, &res.SingleAccuracy, &res.AnyAccuracy, &res.CellAccuracy} {
		*x /= total
	}
	res.PuzzlesPerSecond = total / time.Since(begin).Seconds()
	res.MeanSegments, res.BySegment, res.QHaltAccuracy = got.MeanSegments, got.BySegment, got.QHaltAccuracy
	res.ByRating = slices.DeleteFunc(res.ByRating, func(r ratingResult) bool { return r.Count == 0 })
	for k := range res.ByRating {
		r := &res.ByRating[k]
		r.ExactAccuracy /= float64(r.Count)
		r.MeanSegments /= float64(r.Count)
	}
	return res, nil
}

func count(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// print writes the result for people.
func (r *sudokuResult) print(w io.Writer) {
	fmt.Fprintf(w, "%d puzzles\nsolved          %6.2f %%\ncells right     %6.2f %%\n", r.Count, 100*r.ExactAccuracy, 100*r.CellAccuracy)
	if r.Votes > 1 {
		fmt.Fprintf(w, "by one copy     %6.2f %%\nby any of %-3d   %6.2f %%\n", 100*r.SingleAccuracy, r.Votes, 100*r.AnyAccuracy)
	}
	fmt.Fprintf(w, "segments        %6.2f of at most %d (%s)\npuzzles/second  %6.1f\n", r.MeanSegments, r.MaxSegments, r.Rule, r.PuzzlesPerSecond)
	for k, x := range r.BySegment {
		fmt.Fprintf(w, "after %3d segments %6.2f %%\n", k+1, 100*x)
	}
	for _, g := range r.ByRating {
		name := fmt.Sprintf("%d to %d", g.Min, g.Max)
		if g.Max < 0 {
			name = fmt.Sprintf("%d and more", g.Min)
		}
		fmt.Fprintf(w, "rated %-13s %6.2f %% of %d, %.2f segments\n", name, 100*g.ExactAccuracy, g.Count, g.MeanSegments)
	}
	if m := r.AlwaysMax; m != nil {
		fmt.Fprintf(w, "without halting: solved %.2f %%, %.2f segments, %.1f puzzles/second\n", 100*m.ExactAccuracy, m.MeanSegments, m.PuzzlesPerSecond)
	}
}
