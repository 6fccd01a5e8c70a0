package host

import (
	"errors"
	"os"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/internal/text"
	"github.com/spf13/cobra"
)

func newSolveCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "solve",
		Short: "Solve one puzzle and say how long it was thought about",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newSolveSudokuCmd(), newSolveMazeCmd(), newSolveARCCmd())
	return cmd
}

// solveFlags are the flags of solve.
type solveFlags struct {
	ask.Flags
	trace string
	file  *trace.Writer
}

func (f *solveFlags) add(cmd *cobra.Command, model, seedOf string) {
	f.Flags.Add(cmd, model, seedOf)
	cmd.Flags().StringVar(&f.trace, "trace", "", "write what was thought to this file, for ponder play --trace")
	cli.Writes(cmd.Flags(), "trace", cli.File)
}

// recorder opens the trace that was asked for, nil for none. End it with done.
func (f *solveFlags) recorder() exam.Recorder {
	if f.trace == "" {
		return nil
	}
	return func(h trace.Header) (sink trace.Sink, err error) {
		f.file, err = trace.Create(f.trace, h)
		return f.file, err
	}
}

// done ends the trace and adds its error to err.
func (f *solveFlags) done(err error) error {
	if f.file == nil {
		return err
	}
	return errors.Join(err, f.file.Close())
}

// readText reads a puzzle's text from the file of that name, "-" meaning standard input.
func readText(cmd *cobra.Command, path string) (name, s string, err error) {
	name, in := "standard input", cmd.InOrStdin()
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return path, "", err
		}
		defer f.Close()
		name, in = path, f
	}
	s, err = text.Read(in, open.MaxLevel)
	return name, s, err
}
