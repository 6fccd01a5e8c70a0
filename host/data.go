package host

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/env/puzzle"
)

func newDataCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "Build, download, check and show datasets of puzzles",
		Long: `Datasets are folders in the format of the HRM reference: identifiers.json, and for each of the
splits train and test a dataset.json and five .npy arrays.`,
	}
	cmd.AddCommand(newDataBuildCmd(), newDataGetCmd(), newDataCheckCmd(), newDataShowCmd())
	return cmd
}

func newDataCheckCmd() *cobra.Command {
	var kind string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "Find what is wrong in a dataset, and where",
		Long: `Reads the whole dataset: what dataset.json and identifiers.json claim, every offset, every token, and
whether every row makes sense (a sudoku's answer solves it, a maze's marks are a shortest path, an ARC
frame holds one grid). Problems name file, field and position; notes are worth a look. Exit code 1 if
there is a problem.`,
		Example: "  ponder data check data/sudoku-extreme-1k-aug-1000",
		Args:    cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			kindOf := task.RowKind
			switch kind {
			case "":
			case anyKind:
				kindOf = func(puzzle.Shape) puzzle.Kind { return puzzle.Kind{Name: anyKind} }
			default:
				f, err := task.Kind(kind)
				if err != nil {
					return cli.Usagef("--kind: %v, or any", err)
				}
				kindOf = func(puzzle.Shape) puzzle.Kind { return *f.Kind }
			}
			meters := map[string]*runlog.Meter{}
			r, err := puzzle.Check(cmd.Context(), args[0], kindOf, func(split string, done, total int) {
				m := meters[split]
				if m == nil {
					m = runlog.NewMeter(cmd.ErrOrStderr(), 0, int64(total), time.Now)
					m.Unit = "examples"
					meters[split] = m
				}
				m.Update(int64(done), split)
			})
			for _, m := range meters {
				m.Done()
			}
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				json.NewEncoder(out).Encode(r)
			} else {
				for _, p := range r.Problems {
					fmt.Fprintln(out, "problem:", p)
				}
				for _, n := range r.Notes {
					fmt.Fprintln(out, "note:", n)
				}
				for _, s := range r.Splits {
					fmt.Fprintf(out, "%s: %d examples of %d puzzles in %d groups, %d scored cells, rows checked as %s\n",
						s.Name, s.Examples, s.Puzzles, s.Groups, s.Scored, r.Kind)
				}
			}
			if n := len(r.Problems); n > 0 {
				return fmt.Errorf("%s: %d problems", args[0], n)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "what the rows are: sudoku, maze, arc or any (default: what vocabulary and length suggest)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

// anyKind are rows of which nothing is known but that they are tokens.
const anyKind = "any"
