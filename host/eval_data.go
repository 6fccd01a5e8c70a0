package host

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
)

func newEvalDataCmd() *cobra.Command {
	return asksRows(&cobra.Command{
		Use:   "data NAME|DIR",
		Short: "Answer the held-out rows of any data that networks learn from",
		Long: `Asks for the rows that training leaves out, of data by its name or of a dataset's folder (its split test):
exact, every scored cell as labelled; judged, what q_halt foresees. A dataset labels the givens of a sudoku
too, which the shipped models do not repeat: ask those by eval sudoku.

` + dataNames(),
		Example: "  ponder eval data sudoku6:12-16 --model sudoku\n  ponder eval data data/sudoku-1k --model runs/hrm --count 1000 --json",
		Args:    cli.ExactArgs(1),
	}, func(args []string) string { return args[0] })
}

// newEvalFamilyCmd is eval data under the name of a family that has no command of its own: one of a program's own.
func newEvalFamilyCmd(f *task.Family) *cobra.Command {
	var data string
	cmd := asksRows(&cobra.Command{
		Use:     f.Name,
		Short:   "Answer held-out rows of the family " + f.Name,
		Example: fmt.Sprintf("  eval %s --data %s --model runs/%[1]s", f.Name, strings.Fields(f.Data[0].Usage)[0]),
		Args:    cobra.NoArgs,
	}, func([]string) string { return data })
	cmd.Flags().StringVar(&data, "data", "", "folder of a dataset (its split test), or a name of data")
	return cmd
}

// asksRows completes a command that asks a model for rows; arg says of which data, by name or folder.
func asksRows(cmd *cobra.Command, arg func(args []string) string) *cobra.Command {
	var q ask.Flags
	var count int
	var least float64
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		data := arg(args)
		if data == "" {
			return cli.Usagef("%s: --data is missing: the folder of a dataset, or a name of data", cmd.CommandPath())
		}
		if q.Name == "" {
			return cli.Usagef("eval %s: name a model by --model", cmd.Name())
		}
		if count < 1 {
			return cli.Usagef("--count %d: want 1 or more", count)
		}
		m, cfg, err := q.Open()
		if err != nil {
			return err
		}
		defer m.Close()
		end := watch(cmd, &cfg, "rows", count*passes(q.Rounds(m)))
		defer end()
		res, err := exam.Rows(cmd.Context(), m, dataName(data), count, cfg)
		if err != nil {
			return dataError(err)
		}
		plain, err := q.InFloat32(m)
		if err != nil {
			return err
		}
		if plain != nil {
			defer plain.Close()
			all, err := exam.Rows(cmd.Context(), plain, dataName(data), count, cfg)
			if err != nil {
				return dataError(err)
			}
			res.InFloat32 = &all
		}
		end()
		if err := q.Report(cmd.OutOrStdout(), res); err != nil {
			return err
		}
		return atLeast(res.ExactAccuracy, least, "exact")
	}
	q.Add(cmd, "", "the rows")
	cmd.Flags().IntVar(&count, "count", 1000, "number of rows")
	cmd.Flags().Float64Var(&least, "min-accuracy", 0, "exit with 3 if a smaller share is exact")
	cli.Unused(cmd.Flags(), "votes") // rows have no copies
	return cmd
}

// dataNames says what data can be called.
func dataNames() string {
	return "Names of data, or the folder of a dataset:\n\n  " + strings.ReplaceAll(task.Usage(), "\n", "\n  ")
}

// dataName is the name of the data that an argument means; a folder is a dataset.
func dataName(arg string) string {
	if info, err := os.Stat(arg); err == nil && info.IsDir() {
		return "dataset:" + arg
	}
	return arg
}

// dataError gives the code of a wrong flag to what is wrong with a data name, not with what it names.
func dataError(err error) error {
	if _, ok := errors.AsType[*task.NameError](err); ok {
		return cli.WithCode(cli.ExitUsage, err)
	}
	return err
}
