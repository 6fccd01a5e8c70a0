package host

import (
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/env/sudoku"
	"github.com/spf13/cobra"
)

func newEvalSudokuCmd() *cobra.Command {
	var q ask.Flags
	var file, givens, fault string
	var count int
	var byRating, compare, search bool
	var least float64
	cmd := &cobra.Command{
		Use:   "sudoku",
		Short: "Solve sudokus that the model has not seen, and check every answer",
		Long: `Every answer is checked as a solution of its puzzle: all cells full, no digit twice, all givens kept. With
--votes K the model thinks about the puzzle and K-1 symmetric copies of it (digits renamed, rows and
columns shuffled within and among their bands, transposed), and the answer of the largest sum of
sigmoid(q_halt) counts. Puzzles that halt leave the batch and others take their place. With --search calls are the
segments of all branches of a puzzle, and exact_accuracy is that of search, not of thinking.`,
		Example: "  ponder eval sudoku --givens 30-36 --count 1000 --seed 1\n  ponder eval sudoku --data dev.csv --votes 16 --by-rating --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if count < 1 {
				return cli.Usagef("--count %d: want 1 or more", count)
			}
			if err := searchAlone(search, compare, &q); err != nil {
				return err
			}
			if fault != "" {
				return evalFaulty(cmd, &q, sudoku.Fault(fault), count, least)
			}
			if !cmd.Flags().Changed("count") && file != "" {
				count = 0
			}
			m, cfg, err := q.Open()
			if err != nil {
				return err
			}
			defer m.Close()
			cfg.Search = search
			list, err := examSudokus(file, givens, count, q.Seed)
			if err != nil {
				return err
			}
			total := len(list) * max(1, q.Votes) * passes(compare, q.Rounds(m))
			if compare && q.Many.Thoughts > 1 {
				total += len(list) * q.Votes * (1 + len(think.Picks()))
			}
			end := watch(cmd, &cfg, "answers", total)
			defer end()
			res, err := exam.Sudokus(cmd.Context(), m, list, cfg)
			if err != nil {
				return err
			}
			if !byRating {
				res.ByRating = nil
			}
			if compare {
				all, err := exam.Sudokus(cmd.Context(), m, list, cfg.AlwaysMax(m))
				if err != nil {
					return err
				}
				res.AlwaysMax = &all
				if cfg.Thoughts > 1 {
					if res.ByPick, err = exam.SudokusByPick(cmd.Context(), m, list, cfg); err != nil {
						return err
					}
				}
			}
			plain, err := q.InFloat32(m)
			if err != nil {
				return err
			}
			if plain != nil {
				defer plain.Close()
				all, err := exam.Sudokus(cmd.Context(), plain, list, cfg)
				if err != nil {
					return err
				}
				all.ByRating = nil
				res.InFloat32 = &all
			}
			end()
			if err := q.Report(cmd.OutOrStdout(), &res); err != nil {
				return err
			}
			return atLeast(res.ExactAccuracy, least, "solved")
		},
	}
	q.Add(cmd, "sudoku", "the generated puzzles and of the copies")
	f := cmd.Flags()
	dataFlag(cmd, &file, "csv", "puzzles to solve: a dataset's folder (its split test), a CSV with the columns question and answer, rating if known, a text with a puzzle a line, or - for standard input")
	f.StringVar(&givens, "givens", "30-36", "without --data, generate puzzles with LO-HI givens, or minimal ones")
	f.StringVar(&fault, "fault", "", "ask minimal puzzles that were spoilt: none, without a solution, two, with two, or guess, with a wrong digit in an empty cell; with --sure: how often is it sure?")
	f.IntVar(&count, "count", 1000, "number of puzzles; with --data the first so many, by default all")
	f.BoolVar(&byRating, "by-rating", false, "the outcome by rating too")
	f.BoolVar(&compare, "compare", false, "think about all again without halting before the limit and, with --thoughts, by each way to pick")
	f.BoolVar(&search, "search", false, "where a thought does not solve, branch on a doubtful cell and think on in each branch; the rules of a full board are checked, the solution is not known")
	f.Float64Var(&least, "min-accuracy", 0, "exit with 3 if a smaller share is solved")
	for _, other := range []string{"compare", "by-rating", "search"} {
		cmd.MarkFlagsMutuallyExclusive("fault", other)
	}
	cmd.MarkFlagsMutuallyExclusive("data", "givens", "fault")
	cmd.MarkFlagsMutuallyExclusive("csv", "givens", "fault")
	return cmd
}

// examSudokus reads puzzles of one size from a CSV file, count 0 meaning all, or generates them.
func examSudokus(file, givens string, count int, seed uint64) ([]exam.Sudoku, error) {
	if file != "" {
		return exam.ReadSudokus(file, count)
	}
	cfg := sudoku.Config{Side: 9}
	if givens != "minimal" {
		var err error
		if cfg.MinGivens, cfg.MaxGivens, err = sudoku.ParseGivens(givens); err != nil {
			return nil, cli.Usagef("--givens %q: %v, or minimal", givens, err)
		}
	}
	list, err := exam.DrawSudokus(cfg, count, seed)
	if err != nil {
		return nil, cli.Usagef("--givens %s: %v", givens, err)
	}
	return list, nil
}

// evalFaulty asks for puzzles that have not exactly one solution.
func evalFaulty(cmd *cobra.Command, q *ask.Flags, fault sudoku.Fault, count int, least float64) error {
	if !(q.Sure > 0) || least > 0 {
		return cli.Usagef("--fault wants --sure P, and no --min-accuracy")
	}
	list, err := exam.DrawFaulty(fault, count, q.Seed)
	if err != nil {
		return cli.Usagef("--%w", err)
	}
	m, cfg, err := q.Open()
	if err != nil {
		return err
	}
	defer m.Close()
	end := watch(cmd, &cfg, "answers", len(list)*max(1, q.Votes))
	res, err := exam.Faulty(cmd.Context(), m, fault, list, cfg)
	end()
	if err != nil {
		return err
	}
	return q.Report(cmd.OutOrStdout(), res)
}
