//go:build cgo && !notorch

package host

import (
	"errors"
	"fmt"
	"time"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/spf13/cobra"
)

func newSolveARCCmd() *cobra.Command {
	var q solveFlags
	var fit learn.ARCFit
	cmd := &cobra.Command{
		Use:   "arc TASK.json",
		Short: "Fit a model to the demonstrations of an ARC task, then answer its tests",
		Long: `A network for ARC knows a task by a vector alone. For a task it has not seen the vectors of the task and
of its augmented copies are learned first from the demonstrations, the rest of the network staying as it
is; then the copies vote on each test. What is printed are the two best answers, and whether they are
right where the file tells. A trace shows the thought about the tests themselves, not about their copies.`,
		Example: "  ponder solve arc task.json --model runs/arc",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if q.Name == "" || fit.Steps < 1 || !(fit.LR > 0) {
				return cli.Usagef("solve arc: name a model by --model; --steps wants 1 or more, --lr more than 0")
			}
			if err := q.Check(); err != nil {
				return err
			}
			n, err := openNet(&q.Model)
			if err != nil {
				return err
			}
			defer n.Close()
			meter := runlog.NewMeter(cmd.ErrOrStderr(), 0, int64(fit.Steps), time.Now)
			fit.Progress = func(step int, loss float64) { meter.Update(int64(step), fmt.Sprintf("fitting, loss %.3f", loss)) }
			fit.Seed, fit.Thinking, fit.Batch = q.Seed, q.Wishes, q.Batch
			sol, err := n.SolveARC(cmd.Context(), args[0], fit, q.recorder())
			meter.Done()
			if err := q.done(err); err != nil {
				return err
			}
			err = q.Report(cmd.OutOrStdout(), sol)
			if err == nil && sol.Solved != nil && !*sol.Solved {
				err = cli.WithCode(cli.ExitUnsolved, errors.New("neither of two answers is right for every test"))
			}
			return err
		},
	}
	q.add(cmd, "", "fitting")
	cmd.Flags().IntVar(&fit.Steps, "steps", 300, "steps of fitting")
	cmd.Flags().Float64Var(&fit.LR, "lr", 1e-2, "of fitting")
	cli.Unused(cmd.Flags(), "votes", "sure")
	return cmd
}

// openNet loads a network with its parameters, to fit.
func openNet(m *ask.Model) (*learn.Net, error) {
	c, err := ask.Checkpoint(m.Name)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := arch.Precision(m.Precision).Check(); err != nil {
		return nil, cli.Usagef("--%w: to fit is to train", err)
	}
	run, err := learn.Run(m.Run)
	if err != nil {
		return nil, ask.Code(err)
	}
	return learn.NewNet(m.Name, c, run)
}
