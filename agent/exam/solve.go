package exam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/task/arcs"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// A Recorder opens where the thought about one question is written; nil records nothing.
type Recorder func(h trace.Header) (trace.Sink, error)

// A MazeSolution is one walk through a maze.
type MazeSolution struct {
	Solved       bool    `json:"solved"`   // reached the goal
	Optimal      bool    `json:"optimal"`  // by a shortest path
	Moves        int     `json:"moves"`    // made
	Shortest     int     `json:"shortest"` // possible
	Segments     []int   `json:"segments"` // thought before each move
	MeanSegments float64 `json:"mean_segments"`
	Confidence   float64 `json:"confidence"` // least probability of a chosen move
	Path         string  `json:"path"`       // moves as U, D, L, R
	Maze         string  `json:"maze"`       // with the path marked by o
	Circles      bool    `json:"circles"`    // it came back to a cell, and would have gone round until the limit: it was stopped
	Learned      int     `json:"learned"`    // rows of the mazes that the model learned from; 0 where it does not say

	Precision think.Precision `json:"precision"` // of the model's products, and the choice
}

// errCircle ends the walk of an agent that goes round.
var errCircle = errors.New("the agent goes round")

// mazeSize is the size in the name of mazes, as task.Open reads it.
var mazeSize = regexp.MustCompile(`\bmaze-\w+:(\d+|hard)`)

// learned is the number of rows of the largest mazes that m learned from, 0 where its data does not say.
func learned(m *think.Model) (rows int) {
	for _, found := range mazeSize.FindAllStringSubmatch(strings.Join(m.Usage.Data, " "), -1) {
		n, err := strconv.Atoi(found[1])
		if err != nil {
			n = maze.Hard().Rows
		}
		rows = max(rows, n)
	}
	return rows
}

// Print writes the solution for people.
func (s *MazeSolution) Print(w io.Writer) error {
	verdict := "reached the goal by a shortest path"
	switch {
	case s.Circles:
		verdict = "did not reach the goal: went round in circles, stopped"
	case !s.Solved:
		verdict = "did not reach the goal"
	case !s.Optimal:
		verdict = fmt.Sprintf("reached the goal, %d moves more than needed", s.Moves-s.Shortest)
	}
	_, err := fmt.Fprintf(w, "%s\n%s: %d moves, %.1f segments of thought a move\n", strings.TrimRight(s.Maze, "\n"), verdict, s.Moves, s.MeanSegments)
	return err
}

// SolveMaze lets the model walk through mz.
func SolveMaze(ctx context.Context, m *think.Model, mz *maze.Maze, cfg Config, record Recorder) (*MazeSolution, error) {
	v, err := newGallery([]Maze{{Maze: mz}}, 1)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	p, err := think.NewPolicy(m, v.Spec(), cfg.Config)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	var solver maze.Solver
	sol := &MazeSolution{Confidence: 1, Precision: m.Precision}
	sol.Shortest, _ = solver.Len(mz)
	sol.Learned = learned(m)
	// An agent that begins each decision anew, by the same thought, does in a cell what it did there before.
	sink := &mazeSink{sol: sol, tell: cfg.tell, cols: mz.Cols, repeats: !cfg.KeepCarry && cfg.Restarts == 0 && cfg.Thoughts <= 1}
	if record != nil {
		h := trace.Header{EnvID: v.Spec().ID, Actions: v.Spec().Actions}
		if err := p.Describe(&h); err != nil {
			return nil, err
		}
		if sink.next, err = record(h); err != nil {
			return nil, err
		}
	}
	_, err = agent.Run(ctx, v, p, agent.Config{Episodes: 1, Sink: sink, Each: func(e agent.Episode) {
		sol.Solved, sol.Moves = e.Success, e.Length
		sol.Optimal = e.Success && e.Length == sol.Shortest
	}})
	if errors.Is(err, errCircle) {
		sol.Circles, sol.Moves, err = true, len(sink.path), nil
	}
	if err != nil {
		return nil, err
	}
	for _, s := range sol.Segments {
		sol.MeanSegments += float64(s) / float64(len(sol.Segments))
	}
	sol.Maze = string(mz.AppendText(nil, sink.path))
	return sol, nil
}

// mazeSink follows an episode and keeps its way.
type mazeSink struct {
	sol     *MazeSolution
	tell    func() // of a decision
	path    []int
	cols    int
	repeats bool       // what it did in a cell it does there again
	next    trace.Sink // may be nil
}

func (k *mazeSink) Put(s *trace.Step) error {
	k.tell()
	agentAt := s.Board.Pieces[0]
	for _, p := range s.Board.Pieces {
		if p.Kind == 0 {
			agentAt = p
		}
	}
	cell := agentAt.Y*k.cols + agentAt.X
	again := k.repeats && slices.Contains(k.path, cell)
	k.path = append(k.path, cell)
	if n := len(s.Thought); n > 0 {
		k.sol.Segments = append(k.sol.Segments, n)
		if a := s.Thought[n-1].Actions; s.Action < len(a) {
			k.sol.Confidence = min(k.sol.Confidence, float64(a[s.Action]))
		}
	}
	k.sol.Path += string("UDLR"[s.Action])
	if k.next != nil {
		if err := k.next.Put(s); err != nil {
			return err
		}
	}
	if again {
		return errCircle
	}
	return nil
}

// A SudokuSolution is the answer to one sudoku.
type SudokuSolution struct {
	Solution   string  `json:"solution"` // one line of digits: what the network answers, right or wrong; "" where it abstains
	Valid      bool    `json:"valid"`    // checked: full, by the rules, all givens kept
	Segments   float64 `json:"segments"` // of thought; with votes the mean
	Confidence float64 `json:"confidence"`
	Votes      int     `json:"votes"`       // copies asked
	InFavour   int     `json:"in_favour"`   // that gave this answer
	Disputed   bool    `json:"disputed"`    // another thought about it is as content with another answer
	Abstains   bool    `json:"abstains"`    // it is less sure than was asked for, and gives no answer
	WrongCells int     `json:"wrong_cells"` // against the only solution
	Rating     int     `json:"rating"`      // guesses a search needs

	Precision think.Precision `json:"precision"` // of the model's products, and the choice

	Answer []uint8 `json:"-"` // the same as digits
}

func (s *SudokuSolution) verdict(solved string) string {
	switch {
	case s.Abstains:
		return "not sure enough to answer"
	case s.Valid:
		return solved
	}
	return fmt.Sprintf("not solved, %d cells wrong", s.WrongCells)
}

// Print writes the solution for people.
func (s *SudokuSolution) Print(w io.Writer) error {
	votes := ""
	if s.Votes > 1 {
		votes = fmt.Sprintf(", %d of %d votes", s.InFavour, s.Votes)
	}
	if s.Disputed {
		votes += "; another thought is content with another answer: one is wrong, or there are two"
	}
	_, err := fmt.Fprintf(w, "%s%s: %.4g segments, confidence %.3f%s\n", sudoku.AppendText(nil, s.Answer), s.verdict("solved, checked"), s.Segments, s.Confidence, votes)
	return err
}

// Line is the solution as one of many: the answer in a line and whether it is right.
func (s *SudokuSolution) Line() string {
	return fmt.Sprintf("%s %s", sudoku.AppendLine(nil, s.Answer), s.verdict("solved"))
}

// SolveSudoku thinks about c and, for more votes, about copies of it. What is recorded is the thought
// about c itself.
func SolveSudoku(ctx context.Context, m *think.Model, c Sudoku, cfg Config, record Recorder) (*SudokuSolution, error) {
	if err := fitsSudoku(m, c.Cells); err != nil {
		return nil, err
	}
	if record != nil {
		if err := recordSudoku(ctx, m, c, cfg, record); err != nil {
			return nil, err
		}
	}
	sol := &SudokuSolution{Votes: cfg.votes(), Rating: c.Rating, Precision: m.Precision}
	cfg.Batch = min(cfg.votes(), cfg.batch())
	_, err := vote(ctx, m, []Sudoku{c}, cfg, func(_ int, b *ballot) {
		best, confidence := b.best()
		sol.Answer, sol.Disputed = best.Cells, b.disputed
		sol.Confidence, sol.InFavour = math.Round(1e6*confidence)/1e6, best.Votes
		sol.Segments = float64(b.segments) / float64(sol.Votes)
	})
	if err != nil {
		return nil, err
	}
	if sol.Confidence < cfg.Sure {
		sol.Abstains, sol.Answer = true, c.Cells
		return sol, nil
	}
	sol.Solution, sol.Valid = string(sudoku.AppendLine(nil, sol.Answer)), sudoku.Solves(sol.Answer, c.Cells)
	for i := range sol.Answer {
		sol.WrongCells += int(count(sol.Answer[i] != c.Solution[i]))
	}
	return sol, nil
}

// recordSudoku records one decision: all segments of thought about the whole puzzle.
func recordSudoku(ctx context.Context, m *think.Model, c Sudoku, cfg Config, record Recorder) error {
	n := side(c.Cells)
	w, err := sudoku.NewWorld(fmt.Sprintf("sudoku/%dx%d-v0", n, n), sudoku.WorldConfig{Puzzle: sudoku.Difficulty(n, 0)})
	if err != nil {
		return err
	}
	spec := w.Spec()
	obs := make([]byte, spec.ObsLen)
	w.Seed(0)
	w.Reset(obs)
	if err := w.SetLevel(string(sudoku.AppendText(nil, c.Cells))); err != nil {
		return err
	}
	w.Observe(obs)
	mind, err := think.NewMind(m, spec, cfg.Config)
	if err != nil {
		return err
	}
	defer mind.Close()
	h := trace.Header{EnvID: spec.ID, Actions: spec.Actions}
	mind.Describe(&h)
	sink, err := record(h)
	if err != nil {
		return err
	}
	step := trace.Step{Board: w.Board(), Action: -1, Terminated: true}
	if step.Thought, err = mind.Decide(ctx, obs); err != nil {
		return err
	}
	return sink.Put(&step)
}

// An ARCSolution is the answers to the tests of one ARC task.
type ARCSolution struct {
	Task     string      `json:"task"`
	Solved   *bool       `json:"solved"` // every test right with two answers; null where the task does not tell
	Tests    []ARCAnswer `json:"tests"`
	Segments float64     `json:"segments"`         // of thought a copy
	FitExact float64     `json:"fit_exact"`        // share of demonstrations answered exactly in the last fitting steps
	FitTime  float64     `json:"fit_time_seconds"` //
	Copies   int         `json:"copies"`

	Precision think.Precision `json:"precision"` // of the model's products, and the choice
}

// An ARCAnswer is the two best answers to a test.
type ARCAnswer struct {
	Answers []arcs.Answer `json:"answers"`
	Rank    int           `json:"rank"` // of the right one, if it is known: 0 means it is none of all answers
}

// Print writes the solution for people.
func (s *ARCSolution) Print(w io.Writer) error {
	for i, t := range s.Tests {
		for k, a := range t.Answers {
			g := arc.Grid{Rows: a.Grid.Rows, Cols: a.Grid.Cols, Cells: a.Grid.Cells}
			right := ""
			if t.Rank == k+1 {
				right = ", right"
			}
			fmt.Fprintf(w, "test %d, answer %d: %d votes, confidence %.3f%s\n%s", i+1, k+1, a.Votes, a.Confidence, right, g.AppendText(nil))
		}
	}
	_, err := fmt.Fprintf(w, "fitted in %.1f s (%.1f %% of demonstrations exact), %d copies, %.2f segments\n", s.FitTime, 100*s.FitExact, s.Copies, s.Segments)
	return err
}

// SolveARC answers the tests of the only task of frame, whose copies m has learned under ids.
func SolveARC(ctx context.Context, m *think.Model, frame *arcs.Corpus, ids map[string]int32, cfg Config, record Recorder) (*ARCSolution, error) {
	_, tests := frame.Sets()
	t := frame.Tasks[0]
	votes, e, err := VoteARC(ctx, m, frame, tests, func(name string) (int32, bool) {
		id, ok := ids[name]
		return id, ok
	}, cfg)
	if err != nil {
		return nil, err
	}
	sol := &ARCSolution{Task: t.Name, Segments: e.MeanSegments, Copies: e.Count, Precision: m.Precision}
	known, solved := true, true
	for _, t := range votes[0].Tests {
		sol.Tests = append(sol.Tests, ARCAnswer{t.Answers[:min(2, len(t.Answers))], t.Rank()})
		known = known && t.Truth.Rows > 0
		solved = solved && t.Rank() > 0 && t.Rank() <= 2
	}
	if known {
		sol.Solved = &solved
	}
	if record == nil {
		return sol, nil
	}
	return sol, recordARC(ctx, m, frame, ids[t.Name], cfg, record)
}

// recordARC records a decision for each test of the only task, known to m as id.
func recordARC(ctx context.Context, m *think.Model, frame *arcs.Corpus, id int32, cfg Config, record Recorder) error {
	t := frame.Tasks[0]
	var sink trace.Sink
	for k := range t.Test {
		board, corner := arc.AnswerBoard(t, k, frame.Side)
		mind, err := think.MindOf(m, &arcs.Reader{Side: frame.Side, BoardRows: board.Rows, BoardCols: board.Cols, Corner: corner}, id, cfg.Config)
		if err != nil {
			return err
		}
		defer mind.Close()
		if sink == nil {
			h := trace.Header{EnvID: "arc/" + t.Name + "-v0"}
			mind.Describe(&h)
			if sink, err = record(h); err != nil {
				return err
			}
		}
		step := trace.Step{Episode: k, Board: board, Action: -1, Terminated: true}
		if step.Thought, err = mind.Decide(ctx, frame.Question(0, k)); err != nil {
			return err
		}
		if err := sink.Put(&step); err != nil {
			return err
		}
	}
	return nil
}
