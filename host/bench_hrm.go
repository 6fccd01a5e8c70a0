//go:build cgo && !notorch

package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/learn/speed"
	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

func newBenchHRMCmd() *cobra.Command {
	var (
		cfg       speed.Config
		match     string
		precision string
		seconds   float64
		asJSON    bool
	)
	cmd := &cobra.Command{
		Use:   "hrm",
		Short: "Time of a segment and of a training step on libtorch, beside PyTorch",
		Long: `Times one segment of the published 27M network (of sudoku at batch 1, 8 and 32, of 30x30 mazes), of a small
one (hidden 128) and of every shipped model of puzzles, and one training step (the cases that begin with
train). Weights that are not shipped are drawn from a seed. A line has the least time of a call, the operations
a second of its matrix products, their share of what the fastest product of two 1024x1024 matrices reaches just
before or after it, and, where there is a Python with torch, how many times faster it is than the same weights in PyTorch,
whose outputs must be the same. With one thread times are the processor's, with more, or on a GPU, the clock's.`,
		Example: "  ponder bench hrm --case '^model'\n  ponder bench hrm --against-python venv/bin/python --compile --json",
		Args:    cli.ExactArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if cfg.Cases, err = regexp.Compile(match); err != nil {
				return cli.Usagef("--case: %w", err)
			}
			cfg.Each = time.Duration(seconds * float64(time.Second))
			if precision == open.Auto {
				return cli.Usagef("--precision auto: each number format is measured by itself; bench think, eval and solve choose the fastest")
			}
			cfg.Precision = hrm.Precision(precision)
			if err := cfg.Precision.CheckThinking(); err != nil {
				return cli.Usagef("--%w", err)
			}
			dev, err := learn.Device(open.Run{Device: cfg.Device})
			if err != nil {
				return ask.Code(err)
			}
			if cfg.Precision == hrm.TF32 && dev == torch.CPU {
				return cli.Usagef("--precision tf32 is a GPU's: --device cuda")
			}
			cfg.Note = func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), "ponder:", text) }
			if !cmd.Flags().Changed("against-python") {
				if cfg.Python = speed.FindPython(cmd.Context()); cfg.Python == "" {
					cfg.Note("no Python with torch is found: --against-python names one to compare with")
				}
			}
			print := benchTable()
			if asJSON {
				print = func(w io.Writer, r speed.Result) error { return json.NewEncoder(w).Encode(r) }
			}
			err = speed.Measure(cmd.Context(), cfg, func(r speed.Result) error { return print(cmd.OutOrStdout(), r) })
			switch {
			case errors.Is(err, speed.ErrNone):
				return cli.Usagef("--case: %w", err)
			case errors.Is(err, exec.ErrNotFound), errors.Is(err, speed.ErrPython) && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)):
				return cli.Usagef("--against-python: %w", err)
			case errors.Is(err, speed.ErrPython):
				return cli.WithCode(cli.ExitEnvironment, err)
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Python, "against-python", "", "Python with torch to compare with; default one on the path that has it, empty for none")
	f.StringVar(&match, "case", "", "regular expression of the names to measure; default all")
	f.IntVar(&cfg.Threads, "threads", 1, "threads of one operation")
	cli.Bound(f, "threads", atLeastOne("threads"))
	f.StringVar(&precision, "precision", string(hrm.Float32), "number format of products: float32, bf16, on a GPU also tf32, on the CPU int8, which leaves training out and has float32 beside it in PyTorch")
	f.StringVar(&cfg.Device, "device", "cpu", "cpu, cuda or cuda:N, for PyTorch too")
	f.BoolVar(&cfg.Compile, "compile", false, "compare with torch.compile too, which compiles for a minute a case")
	f.Float64Var(&seconds, "seconds", 2, "how long a case is repeated, after one call that does not count; twice at least")
	f.BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// benchTable prints results for people, the head before the first.
func benchTable() func(w io.Writer, r speed.Result) error {
	begun := false
	number := func(format string, x *float64) string {
		if x == nil {
			return "-"
		}
		return fmt.Sprintf(format, *x)
	}
	return func(w io.Writer, r speed.Result) error {
		if !begun {
			fmt.Fprintf(w, "%-30s %10s %8s %6s %7s %8s %8s\n", "case", "ms", "GFLOP/s", "share", "eager", "compiled", "differs")
			begun = true
		}
		_, err := fmt.Fprintf(w, "%-30s %10.2f %8s %6s %7s %8s %8s\n", r.Case, r.MS, number("%.1f", r.GFLOPS), number("%.2f", r.Share),
			number("%.2fx", r.RatioEager), number("%.2fx", r.RatioCompile), number("%.1e", r.MaxAbsDiff))
		return err
	}
}
