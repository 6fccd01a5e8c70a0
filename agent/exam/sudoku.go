package exam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/task/sudokus"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/env/sudoku"
	"github.com/ponder-agents/ponder/internal/text"
)

// A SudokuResult is what a model achieved on sudokus.
type SudokuResult struct {
	Model            string          `json:"model"`
	Engine           string          `json:"engine"`    // what computed it: "torch" or "go"
	Precision        think.Precision `json:"precision"` // of its products, and the choice
	Count            int             `json:"count"`
	Pick             think.Pick      `json:"pick,omitempty"` // of several thoughts or copies
	Votes            int             `json:"votes"`          // symmetric copies of each puzzle, itself included
	ExactAccuracy    float64         `json:"exact_accuracy"` // share answered by a grid that is full, by the rules and keeps the givens
	CellAccuracy     float64         `json:"cell_accuracy"`  // share of empty cells filled as labelled, averaged over puzzles
	AnyAccuracy      float64         `json:"any_accuracy"`   // share where one copy's answer at least is right: what a checker would take
	SingleAccuracy   float64         `json:"single_accuracy"`
	JudgedAccuracy   float64         `json:"judged_accuracy"`    // of a copy: share that does what q_halt foresees
	QHaltAccuracy    float64         `json:"q_halt_accuracy"`    // of a copy: share where q_halt ≥ 0 agrees with that
	MeanSegments     float64         `json:"mean_segments"`      // of a copy
	TotalSegments    float64         `json:"total_segments"`     // of a puzzle, all its copies
	Calls            float64         `json:"calls,omitempty"`    // of a search: segments of all branches, a puzzle
	Branches         float64         `json:"branches,omitempty"` // of a search, a puzzle
	MaxSegments      int             `json:"max_segments"`
	Rule             act.Rule        `json:"rule"`
	Threshold        float32         `json:"threshold"`
	Restarts         int             `json:"restarts"`           // at most, of a copy
	PuzzlesPerSecond float64         `json:"puzzles_per_second"` // votes included
	BySegment        []float64       `json:"exact_by_segment"`   // of a copy, had it answered after segment k, or where it halted
	ByRating         []RatingResult  `json:"by_rating,omitempty"`
	AlwaysMax        *SudokuResult   `json:"always_max,omitempty"` // the same without halting, where it was asked for
	InFloat32        *SudokuResult   `json:"in_float32,omitempty"` // the same in float32, where another precision was asked for
	ByPick           []PickResult    `json:"by_pick,omitempty"`    // the same by other ways to pick a thought, where it was asked for

	*Several
	*Sureness // of what is answered, where it was asked for

	answered []answered
}

// A PickResult is what several thoughts about each question came to, by one way to pick.
type PickResult struct {
	Pick          string  `json:"pick"`
	Thoughts      int     `json:"thoughts"`
	ExactAccuracy float64 `json:"exact_accuracy"`
	MeanSegments  float64 `json:"mean_segments"`  // of the thought that answered
	TotalSegments float64 `json:"total_segments"` // of all thoughts about a question
}

// A RatingResult is the outcome on puzzles rated from Min to Max.
type RatingResult struct {
	Min           int     `json:"min"`
	Max           int     `json:"max"` // -1 means no bound
	Count         int     `json:"count"`
	ExactAccuracy float64 `json:"exact_accuracy"`
	MeanSegments  float64 `json:"mean_segments"`
}

// A Sudoku is a puzzle with its solution.
type Sudoku struct {
	Cells, Solution []uint8
	Rating          int // guesses a search needs
}

// DrawSudokus generates n puzzles with one solution.
func DrawSudokus(cfg sudoku.Config, n int, seed uint64) ([]Sudoku, error) {
	gen, err := sudoku.NewGenerator(cfg)
	if err != nil {
		return nil, err
	}
	cells := cfg.Side * cfg.Side
	r := rng.Stream(seed, "eval/sudoku")
	list := make([]Sudoku, n)
	for i := range list {
		c := Sudoku{Cells: make([]uint8, cells), Solution: make([]uint8, cells)}
		c.Rating = gen.Next(c.Cells, c.Solution, r.Rand)
		list[i] = c
	}
	return list, nil
}

// ReadSudokus reads the first n puzzles, n 0 meaning all, of a dataset's folder (its split test), of a CSV, or of a
// text with a puzzle a line; "-" is standard input. They have one size.
func ReadSudokus(path string, n int) (list []Sudoku, err error) {
	from, err := openSet(path)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	if !from.rows {
		s, err := from.readAll()
		if err == nil {
			s, err = text.Decode([]byte(s))
		}
		if err == nil {
			list, err = parseSudokus(s, n)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from.name, err)
		}
	}
	for row, err := range from.all(sudokus.Task) {
		if err != nil {
			return nil, err
		}
		c := Sudoku{Rating: row.rating}
		for i := range row.in {
			c.Cells = append(c.Cells, uint8(row.in[i]-int32(sudoku.TokenBlank)))
			c.Solution = append(c.Solution, uint8(row.label[i]-int32(sudoku.TokenBlank)))
		}
		if list = append(list, c); len(list) == n {
			break
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no puzzle in it", from.name)
	}
	for i, c := range list {
		if len(c.Cells) != len(list[0].Cells) {
			return nil, fmt.Errorf("%s: puzzle %d has %d cells, those before have %d", from.name, i+1, len(c.Cells), len(list[0].Cells))
		}
	}
	return list, nil
}

// ParseSudokus reads puzzles in text form and finds the only solution of each.
func ParseSudokus(s string) ([]Sudoku, error) { return parseSudokus(s, 0) }

// parseSudokus is ParseSudokus of the first n, n 0 meaning all.
func parseSudokus(s string, n int) ([]Sudoku, error) {
	all, err := sudoku.ParseAll(s)
	if err != nil {
		return nil, err
	}
	if n > 0 && len(all) > n {
		all = all[:n]
	}
	list := make([]Sudoku, len(all))
	for i, cells := range all {
		if list[i], err = solved(cells); err != nil {
			if len(all) > 1 {
				err = fmt.Errorf("puzzle %d: %w", i+1, err)
			}
			return nil, err
		}
	}
	return list, nil
}

// solved is a puzzle with its only solution.
func solved(cells []uint8) (Sudoku, error) {
	c := Sudoku{Cells: cells, Solution: make([]uint8, len(cells))}
	s, err := sudoku.NewSolver(side(cells))
	if err != nil {
		return c, err
	}
	c.Rating, err = s.Check(c.Solution, cells)
	return c, err
}

// side is the number of rows of a board.
func side(cells []uint8) int {
	rows, cols, _ := sudoku.Boxes(len(cells))
	return rows * cols
}

// fitsSudoku reports whether m can answer boards of so many cells.
func fitsSudoku(m *think.Model, cells []uint8) error {
	if err := answers(m, sudokus.Task, sudokus.Task); err != nil {
		return err
	}
	n := side(cells)
	if spec := m.Core.Spec(); spec.Tokens(len(cells)) < sudokus.Vocab(n) || spec.Fixed && spec.Shape.Seq != len(cells) {
		return fmt.Errorf("model %s has %d cells and a vocabulary of %d, a board of %dx%d needs %d and %d or more",
			m.Name, spec.Shape.Seq, spec.Vocab, n, n, len(cells), sudokus.Vocab(n))
	}
	return nil
}

// copiesExam asks for every puzzle and its symmetric copies: job j is copy j%votes of puzzle j/votes.
type copiesExam struct {
	list     []Sudoku
	votes    int
	rng      *rand.Rand
	next     int
	turns    map[int]*sudoku.Symmetry // by job, of those under way
	cells    []uint8
	solution []uint8
}

func (x *copiesExam) Next(in, label []int32) (int32, bool, error) {
	if x.next == len(x.list)*x.votes {
		return 0, false, nil
	}
	c := x.list[x.next/x.votes]
	cells, solution := c.Cells, c.Solution
	if x.next%x.votes > 0 {
		y := new(sudoku.Symmetry)
		if err := y.Draw(side(cells), x.rng); err != nil {
			return 0, false, err
		}
		x.turns[x.next] = y
		x.cells, x.solution = append(x.cells[:0], cells...), append(x.solution[:0], solution...)
		y.Apply(x.cells, cells)
		y.Apply(x.solution, solution)
		cells, solution = x.cells, x.solution
	}
	sudokus.Row(in, label, cells, solution)
	x.next++
	return 0, true, nil
}

// answer is the copy's answer with the copy's givens, turned back.
func (x *copiesExam) answer(th *think.Thought) (cells []uint8, turned bool) {
	c, y := x.list[th.Job/x.votes], x.turns[th.Job]
	if y == nil {
		return sudokus.AppendDigits(nil, c.Cells, th.Logits), false
	}
	delete(x.turns, th.Job)
	there, back := make([]uint8, len(c.Cells)), make([]uint8, len(c.Cells))
	y.Apply(there, c.Cells)
	y.Undo(back, sudokus.AppendDigits(nil, there, th.Logits))
	return back, true
}

// A ballot is what the copies of one puzzle answered.
type ballot struct {
	task.Ballot
	single       []uint8                                      // the puzzle's own answer
	checked      func(cells []uint8) (worth float64, ok bool) // of think.PickCheck; nil without
	disputed     bool                                         // of several thoughts about a copy two were content with other answers
	in, segments int
}

// best is the answer of the largest weight and the confidence in it: its share, but where it is disputed, and so at most one of
// two answers is right or the puzzle has both, half of that.
func (b *ballot) best() (best task.Candidate, confidence float64) {
	if best, confidence = b.Best(); b.checked != nil {
		best, confidence = b.BestBy(b.checked)
	}
	return best, doubted(confidence, b.disputed)
}

// vote thinks about every copy of every puzzle and hands over each puzzle's ballot when all its votes
// are in.
func vote(ctx context.Context, m *think.Model, list []Sudoku, cfg Config, each func(i int, b *ballot)) (think.Evaluation, error) {
	x := &copiesExam{list: list, votes: cfg.votes(), rng: rng.Stream(cfg.Seed, "eval/copies").Rand, turns: map[int]*sudoku.Symmetry{}}
	open := map[int]*ballot{}
	n := side(list[0].Cells)
	sc, err := m.Usage.Scorer(n)
	if err != nil {
		return think.Evaluation{}, err
	}
	thinker := cfg.thinker(m, think.Shape{Seq: n * n, Rows: n, Cols: n})
	return thinker.Evaluate(ctx, sc, x, cfg.telling(func(th *think.Thought, _, _ []int32, _ think.Score) error {
		i := th.Job / x.votes
		b := open[i]
		if b == nil {
			if b = new(ballot); cfg.Pick == think.PickCheck {
				b.checked = func(cells []uint8) (float64, bool) { return 0, sudoku.Solves(cells, list[i].Cells) }
			}
			open[i] = b
		}
		answer, turned := x.answer(th)
		if !turned {
			b.single = answer
		}
		b.Add(answer, th.QHalt)
		b.segments += th.Total
		b.disputed = b.disputed || th.Disputed
		if b.in++; b.in == x.votes {
			delete(open, i)
			each(i, b)
		}
		return nil
	}))
}

// ratings are the least ratings of the groups of SudokuResult.ByRating.
var ratings = []int{0, 1, 10, 25, 50, 100, 200}

// Sudokus asks the model for every puzzle and checks every answer as a solution.
func Sudokus(ctx context.Context, m *think.Model, list []Sudoku, cfg Config) (SudokuResult, error) {
	if len(list) == 0 {
		return SudokuResult{}, errors.New("exam: no sudoku")
	}
	if err := fitsSudoku(m, list[0].Cells); err != nil {
		return SudokuResult{}, err
	}
	h := cfg.halting(m).Halting
	res := SudokuResult{Model: m.Name, Engine: m.Engine, Precision: m.Precision, Pick: cfg.picked(), Votes: cfg.votes(), MaxSegments: h.MaxSegments, Rule: h.Rule, Threshold: h.Threshold, Restarts: cfg.Restarts}
	var err error
	if res.Several, err = cfg.several(m); err != nil {
		return SudokuResult{}, err
	}
	for i, lo := range ratings {
		r := RatingResult{Min: lo, Max: -1}
		if i+1 < len(ratings) {
			r.Max = ratings[i+1] - 1
		}
		res.ByRating = append(res.ByRating, r)
	}
	if cfg.Search {
		err := res.search(ctx, m, list, cfg)
		return res, err
	}
	begin := time.Now()
	got, err := vote(ctx, m, list, cfg, func(i int, b *ballot) { res.add(list[i], b) })
	if err != nil {
		return res, err
	}
	total := float64(res.Count)
	res.average(total)
	res.PuzzlesPerSecond = total / time.Since(begin).Seconds()
	if cfg.Sure > 0 {
		res.Sureness = sureness(cfg.Sure, res.answered)
	}
	res.MeanSegments, res.BySegment = got.MeanSegments, got.BySegment
	res.JudgedAccuracy, res.QHaltAccuracy = got.JudgedAccuracy, got.QHaltAccuracy
	return res, nil
}

// search asks for every puzzle by think.Search.
func (r *SudokuResult) search(ctx context.Context, m *think.Model, list []Sudoku, cfg Config) error {
	n := side(list[0].Cells)
	begin, next := time.Now(), 0
	tokens := make([]int32, n*n) // of the solution, which the search does not see
	err := cfg.search(ctx, m, think.Shape{Seq: n * n, Rows: n, Cols: n}, func(in []int32) (int32, bool, error) {
		if next == len(list) {
			return 0, false, nil
		}
		sudokus.Row(in, tokens, list[next].Cells, list[next].Solution)
		next++
		return 0, true, nil
	}, func(f *think.Found) {
		b := &ballot{in: 1, segments: f.Calls, single: sudokus.Digits(f.Answer)}
		b.Add(b.single, f.QHalt)
		r.add(list[f.Job], b)
		r.JudgedAccuracy += count(f.Right)
		r.QHaltAccuracy += count(f.Right == (f.QHalt >= 0))
		r.Branches += float64(f.Nodes)
	})
	if err != nil {
		return err
	}
	total := float64(r.Count)
	r.average(total)
	r.Branches, r.JudgedAccuracy, r.QHaltAccuracy = r.Branches/total, r.JudgedAccuracy/total, r.QHaltAccuracy/total
	r.Calls, r.MeanSegments = r.TotalSegments, r.TotalSegments
	r.PuzzlesPerSecond = total / time.Since(begin).Seconds()
	return nil
}

// average makes means of the sums over so many puzzles.
func (r *SudokuResult) average(total float64) {
	for _, x := range []*float64{&r.ExactAccuracy, &r.SingleAccuracy, &r.AnyAccuracy, &r.CellAccuracy, &r.TotalSegments} {
		*x /= total
	}
	r.ByRating = slices.DeleteFunc(r.ByRating, func(r RatingResult) bool { return r.Count == 0 })
	for k := range r.ByRating {
		g := &r.ByRating[k]
		g.ExactAccuracy /= float64(g.Count)
		g.MeanSegments /= float64(g.Count)
	}
}

// SudokusByPick asks for every puzzle as plain thinking and each way to pick one of cfg's thoughts would.
func SudokusByPick(ctx context.Context, m *think.Model, list []Sudoku, cfg Config) ([]PickResult, error) {
	var all []PickResult
	for i, pick := range append([]think.Pick{"plain"}, think.Picks()...) {
		c := cfg
		if c.Pick = pick; i == 0 {
			c.Many = think.Many{}
		}
		res, err := Sudokus(ctx, m, list, c)
		if err != nil {
			return nil, err
		}
		all = append(all, PickResult{Pick: string(pick), Thoughts: max(1, c.Thoughts), ExactAccuracy: res.ExactAccuracy, MeanSegments: res.MeanSegments, TotalSegments: res.TotalSegments})
	}
	return all, nil
}

// add counts the ballot of puzzle c.
func (r *SudokuResult) add(c Sudoku, b *ballot) {
	best, confidence := b.best()
	solved := sudoku.Solves(best.Cells, c.Cells)
	r.answered = append(r.answered, answered{confidence, solved})
	r.Count++
	r.ExactAccuracy += count(solved)
	r.SingleAccuracy += count(sudoku.Solves(b.single, c.Cells))
	r.AnyAccuracy += count(slices.ContainsFunc(b.Answers(), func(a task.Candidate) bool { return sudoku.Solves(a.Cells, c.Cells) }))
	r.TotalSegments += float64(b.segments)
	right, empty := 0, 0
	for k, d := range c.Cells {
		if d == 0 {
			empty++
			if best.Cells[k] == c.Solution[k] {
				right++
			}
		}
	}
	if empty == 0 {
		right, empty = 1, 1
	}
	r.CellAccuracy += float64(right) / float64(empty)
	for k := len(r.ByRating) - 1; k >= 0; k-- {
		if g := &r.ByRating[k]; c.Rating >= g.Min {
			g.Count++
			g.ExactAccuracy += count(solved)
			g.MeanSegments += float64(b.segments) / float64(r.Votes)
			break
		}
	}
}

// Print writes the result for people.
func (r *SudokuResult) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d puzzles\nsolved          %6.2f %%\ncells right     %6.2f %%\n", r.Count, 100*r.ExactAccuracy, 100*r.CellAccuracy)
	if err != nil {
		return err
	}
	printPick(w, r.Pick)
	if r.Votes > 1 {
		fmt.Fprintf(w, "by one copy     %6.2f %%\nby any of %-3d   %6.2f %%\n", 100*r.SingleAccuracy, r.Votes, 100*r.AnyAccuracy)
	}
	if r.Calls > 0 {
		_, err := fmt.Fprintf(w, "search          %6.2f segments of %.2f branches a puzzle\npuzzles/second  %6.1f\n", r.Calls, r.Branches, r.PuzzlesPerSecond)
		return errors.Join(err, r.printRatings(w))
	}
	fmt.Fprintf(w, "as q_halt judges%6.2f %%, foreseen in %.2f %%\n", 100*r.JudgedAccuracy, 100*r.QHaltAccuracy)
	fmt.Fprintf(w, "segments        %6.2f of at most %d (%s)\npuzzles/second  %6.1f\n", r.MeanSegments, r.MaxSegments, r.Rule, r.PuzzlesPerSecond)
	for k, x := range r.BySegment {
		fmt.Fprintf(w, "after %3d segments %6.2f %%\n", k+1, 100*x)
	}
	if err := r.printRatings(w); err != nil {
		return err
	}
	if r.Sureness != nil {
		if err := r.Sureness.Print(w); err != nil {
			return err
		}
	}
	for _, p := range r.ByPick {
		fmt.Fprintf(w, "%2d thoughts, %-9s %6.2f %%, %.2f segments, of all thoughts %.2f\n", p.Thoughts, p.Pick, 100*p.ExactAccuracy, p.MeanSegments, p.TotalSegments)
	}
	if m := r.AlwaysMax; m != nil {
		_, err = fmt.Fprintf(w, "without halting: solved %.2f %%, %.2f segments, %.1f puzzles/second\n", 100*m.ExactAccuracy, m.MeanSegments, m.PuzzlesPerSecond)
	}
	if m := r.InFloat32; err == nil && m != nil {
		err = printInFloat32(w, r.Precision, "solved", r.ExactAccuracy, m.ExactAccuracy, r.PuzzlesPerSecond, m.PuzzlesPerSecond)
	}
	return err
}

func (r *SudokuResult) printRatings(w io.Writer) error {
	for _, g := range r.ByRating {
		name := fmt.Sprintf("%d to %d", g.Min, g.Max)
		if g.Max < 0 {
			name = fmt.Sprintf("%d and more", g.Min)
		}
		if _, err := fmt.Fprintf(w, "rated %-13s %6.2f %% of %d, %.2f segments\n", name, 100*g.ExactAccuracy, g.Count, g.MeanSegments); err != nil {
			return err
		}
	}
	return nil
}
