package host

import (
	"errors"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/spf13/cobra"
)

func newEvalMazeCmd() *cobra.Command {
	var q ask.Flags
	var size, count int
	var file string
	var hard, compare, search bool
	var least float64
	cmd := &cobra.Command{
		Use:   "maze",
		Short: "Let the agent walk through mazes that it has not seen",
		Long: `The agent stands at the start, thinks until it halts, makes the move that the answer says, and
thinks again, until the goal or the limit of steps. Every move is the network's: there is no search, no
list of visited cells, no help from an oracle. A model that marks the way is asked once a maze (the marks of
maze-path are the cells that one passes who follows its directions), and the agent follows the marks: "marked
exactly" asks for the way that a published row labels, "a valid shortest path" takes any. With --search calls are the segments of all branches of a maze, and accuracies are those of search, not of
thinking. Mazes are drawn as in training but from the tenth of wall layouts that training leaves
out.`,
		Example: "  ponder eval maze --size 15 --count 1000 --seed 1\n  ponder eval maze --model maze-path --hard --count 100\n  ponder eval maze --data data/maze-hard --model maze-path",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if count < 1 {
				return cli.Usagef("--count %d: want 1 or more", count)
			}
			if err := searchAlone(search, compare, &q); err != nil {
				return err
			}
			if file != "" && !cmd.Flags().Changed("count") {
				count = 0
			}
			m, cfg, err := q.Open()
			if err != nil {
				return err
			}
			defer m.Close()
			cfg.Search = search
			mazes, err := examMazes(file, size, hard, count, q.Seed)
			if err != nil {
				return err
			}
			end := watch(cmd, &cfg, "mazes", 0)
			defer end()
			res, err := exam.Mazes(cmd.Context(), m, mazes, cfg)
			if _, ok := errors.AsType[*exam.VotesError](err); ok {
				return cli.Usagef("--%w", err)
			}
			if errors.Is(err, exam.ErrNoSearch) {
				return cli.Usagef("--search: %w", err)
			}
			if errors.Is(err, exam.ErrNoAnswer) {
				return cli.Usagef("--sure: %w", err)
			}
			if err != nil {
				return err
			}
			if compare {
				all, err := exam.Mazes(cmd.Context(), m, mazes, cfg.AlwaysMax(m))
				if err != nil {
					return err
				}
				res.AlwaysMax = &all
			}
			plain, err := q.InFloat32(m)
			if err != nil {
				return err
			}
			if plain != nil {
				defer plain.Close()
				all, err := exam.Mazes(cmd.Context(), plain, mazes, cfg)
				if err != nil {
					return err
				}
				res.InFloat32 = &all
			}
			end()
			if err := q.Report(cmd.OutOrStdout(), &res); err != nil {
				return err
			}
			return atLeast(res.Optimal, least, "by a shortest path")
		},
	}
	q.Add(cmd, "maze", "the mazes")
	f := cmd.Flags()
	f.IntVar(&size, "size", 15, "rows and columns, walls included")
	f.BoolVar(&hard, "hard", false, "30x30 with shortest paths of more than 110 moves, as Maze-Hard, in place of --size")
	f.IntVar(&count, "count", 500, "number of mazes; with --data the first so many, by default all")
	dataFlag(cmd, &file, "mazes", "evaluate these instead: a dataset's folder (its split test), a CSV as published, a text with empty lines between mazes, or - for standard input")
	f.BoolVar(&compare, "compare", false, "do it all again without halting before the limit")
	f.BoolVar(&search, "search", false, "where a thought marks no way that it is content with, go along the marks that are sure, branch on the next cell and think on in each branch; that marks are one way is checked, whether it is a shortest one is not known")
	f.Float64Var(&least, "min-accuracy", 0, "exit with 3 if a smaller share goes by a shortest path")
	return cmd
}

// examMazes reads mazes from a file, or draws held-out ones.
func examMazes(file string, size int, hard bool, count int, seed uint64) ([]exam.Maze, error) {
	if file != "" {
		return exam.ReadMazes(file, count)
	}
	cfg := maze.Recipe(size)
	if hard {
		cfg = maze.Hard()
	}
	mazes, err := exam.DrawMazes(cfg, count, seed)
	if err != nil {
		return nil, cli.Usagef("--size %d: %v", size, err)
	}
	return mazes, nil
}
