package main

import (
	"fmt"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/spf13/cobra"
)

func newEvalARCCmd() *cobra.Command {
	var q ask.Flags
	var dir string
	cmd := &cobra.Command{
		Use:   "arc",
		Short: "Answer the tests of ARC tasks whose demonstrations the model has learned",
		Long: `Every test is asked once for each augmented copy of its task; the answers are turned back and vote, the
number of votes first and their mean sigmoid(q_halt) second. pass1 and pass2 are the shares of tasks all
of whose tests are right with one and with two answers; _partial counts tests instead. Tasks that the
model did not learn are left out and counted as skipped: ponder solve arc fits one.`,
		Example: "  ponder train arc --tasks tasks --out runs/arc\n  ponder eval arc --tasks tasks --model runs/arc --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" || q.Name == "" {
				return cli.Usagef("eval arc: name the tasks by --tasks DIR and a model by --model")
			}
			m, cfg, err := q.Open()
			if err != nil {
				return err
			}
			defer m.Close()
			frame, err := exam.ReadARC(m, dir)
			if err != nil {
				return err
			}
			res, err := exam.ARC(cmd.Context(), m, frame, cfg)
			if err != nil {
				return fmt.Errorf("%s: %w", dir, err)
			}
			return q.Report(cmd.OutOrStdout(), &res)
		},
	}
	q.Add(cmd, "", "the copies")
	cmd.Flags().StringVar(&dir, "tasks", "", "a task's JSON file, or a folder of them")
	hide(cmd, "votes") // the copies that vote are those that were learned
	return cmd
}

// hide takes flags that all of a kind have out of a command that has no use for them.
func hide(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		cmd.Flags().Lookup(name).Hidden = true
	}
}
