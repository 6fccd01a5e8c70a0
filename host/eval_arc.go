package host

import (
	"fmt"
	"io"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/task/arcs"
	"github.com/ponder-agents/ponder/agent/task/puzzles"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/internal/output"
	"github.com/ponder-agents/ponder/internal/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newEvalARCCmd() *cobra.Command {
	var q ask.Flags
	var dir, submission string
	var how taskFlags
	cmd := &cobra.Command{
		Use:   "arc",
		Short: "Answer the tests of ARC tasks whose demonstrations the model has learned",
		Long: `Every test is asked once for each augmented copy of its task; the answers are turned back and vote, the
number of votes first and their mean sigmoid(q_halt) second. pass1 and pass2 are the shares of tasks all
of whose tests are right with one and with two answers; _partial counts tests instead. Tasks that the
model did not learn are left out and counted as skipped: ponder solve arc fits one.`,
		Example: "  ponder train arc --tasks tasks --out runs/arc\n  ponder eval arc --data tasks --model runs/arc --json\n  ponder eval arc --data arc-agi_test_challenges.json --model runs/arc --submission submission.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" || q.Name == "" {
				return cli.Usagef("eval arc: name the tasks by --data DIR and a model by --model")
			}
			m, cfg, err := q.Open()
			if err != nil {
				return err
			}
			defer m.Close()
			end := watch(cmd, &cfg, "answers", 0)
			defer end()
			var tasks []*arc.Task
			ask := func(m *think.Model) (exam.ARCResult, error) { return exam.ARCSet(cmd.Context(), m, dir, cfg) }
			if !puzzles.IsDataset(dir) {
				frame, err := exam.ReadARC(m, how.reading(cmd), dir)
				if err != nil {
					return err
				}
				tasks = append(tasks, append(frame.Tasks, frame.Large...)...)
				ask = func(m *think.Model) (exam.ARCResult, error) { return exam.ARC(cmd.Context(), m, frame, cfg) }
			}
			res, err := ask(m)
			if err != nil {
				return fmt.Errorf("%s: %w", dir, err)
			}
			plain, err := q.InFloat32(m)
			if err != nil {
				return err
			}
			if plain != nil {
				defer plain.Close()
				all, err := ask(plain)
				if err != nil {
					return fmt.Errorf("%s: %w", dir, err)
				}
				res.InFloat32 = &all
			}
			end()
			if submission != "" {
				err := output.WriteFile(submission, func(w io.Writer) error { return arcs.WriteSubmission(w, tasks, res.Votes) })
				if err != nil {
					return err
				}
			}
			return q.Report(cmd.OutOrStdout(), &res)
		},
	}
	q.Add(cmd, "", "the copies")
	f := cmd.Flags()
	dataFlag(cmd, &dir, "tasks", "a file of ARC tasks, a folder of them, or a dataset's folder (its split test)")
	f.StringVar(&submission, "submission", "", "write the two best answers to every test to this file, as Kaggle's submission.json")
	cli.Writes(f, "submission", cli.File)
	how.add(f)
	cli.Unused(f, "votes", "sure") // the copies that vote are those that were learned
	return cmd
}

// dataFlag adds --data, and the name that it had before for it.
func dataFlag(cmd *cobra.Command, path *string, before, usage string) {
	f := cmd.Flags()
	f.StringVar(path, "data", "", usage)
	f.StringVar(path, before, "", "another name of --data")
	f.Lookup(before).Hidden = true
	cli.ReadsFolder(f, "data")
	cmd.MarkFlagsMutuallyExclusive("data", before)
}

// taskFlags say how ARC tasks are read.
type taskFlags struct{ skipBad bool }

func (t *taskFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&t.skipBad, "skip-bad", false, "leave out bad tasks, by name, instead of ending with an error")
}

// reading is how; what is passed over is said on stderr.
func (t *taskFlags) reading(cmd *cobra.Command) arc.Reading {
	return arc.Reading{SkipBad: t.skipBad, Note: func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), text.Plain(line)) }}
}
