//go:build cgo && !notorch

package host

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/internal/shell"
	"github.com/ponder-agents/ponder/internal/text"
	"github.com/ponder-agents/ponder/reference"
	"github.com/ponder-agents/ponder/torch"
	"github.com/spf13/cobra"
)

func newImportCmd() *cobra.Command {
	var seq int
	var name string
	cmd := &cobra.Command{
		Use:   "import DIR OUT",
		Short: "Make a checkpoint folder of ours from one of the published HRM or TRM",
		Long: `Reads the weights and all_config.yaml in DIR, checks every name and shape, and writes OUT. The weights
are a file of torch.save (nothing that it names is run), a .safetensors file, or several with their
index; links are followed, and prefixes and dictionaries around the weights are taken off. The published
evaluation always thinks the most segments; OUT halts by the same rule as in training, where the model
has learned to (--model OUT with --rule never repeats the published figures).`,
		Example: "  ponder import checkpoints/sudoku-extreme models/sudoku-hrm --task sudoku",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, out := args[0], args[1]
			var answers task.Task
			if name != "" {
				var err error
				if answers, err = task.FindPublished(name); err != nil {
					return cli.Usagef("--task: %w", err)
				}
			}
			if err := checkpoint.CheckDir(out); err != nil {
				return err
			}
			c, err := reference.Read(dir, reference.Length{Want: seq, Else: answers.Published.SeqLen})
			if errors.Is(err, reference.ErrLength) {
				return cli.Usagef("--seq: %w", err)
			}
			if err != nil {
				return err
			}
			if err := answers.Takes(puzzle.Shape{SeqLen: c.Model.SeqLen, Vocab: c.Model.VocabSize}); err != nil {
				return cli.Usagef("--task %s, --seq: %s: %w", name, dir, err)
			}
			for _, other := range c.Passed {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s: not read\n", c.File, text.Plain(other))
			}
			r := learn.Recipe{Task: name, Loss: learn.Softmax, NoContinue: c.Model.TRM}
			n, err := c.Model.Network()
			if err != nil {
				return fmt.Errorf("%s: %w", dir, err)
			}
			r.Model, r.Training, r.Precision, r.Halting = n.Config, n.Training, n.Precision, n.Halting
			r.Evaluation = act.Config{MaxSegments: r.Halting.MaxSegments, Rule: r.Halting.Rule}
			// Make the network once, so that what is written is known to fit.
			params := torch.NewParams(torch.CPU)
			defer params.Close()
			m, err := hrm.NewFrom(r.Model, params, c.Tensors)
			if err != nil {
				return fmt.Errorf("%s: %w", dir, err)
			}
			defer m.Close()
			kind := "HRM"
			if c.Model.TRM {
				kind = "TRM"
			}
			err = checkpoint.Save(out, checkpoint.Snapshot{Config: r, Model: c.Tensors, Card: checkpoint.Card{
				Name: filepath.Base(out), Tags: []string{"hrm", "ponder"}, Parameters: int64(params.Count()),
				Summary: fmt.Sprintf("%s imported from %s, optimiser step %d.", kind, filepath.Base(c.File), c.Step),
				Command: shell.Join([]string{"ponder", "import", filepath.Base(dir), filepath.Base(out)}),
			}})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s of %d parameters, vocabulary %d, %d tokens: %s\n", kind, params.Count(), r.Model.Vocab, r.Model.Seq, out)
			return nil
		},
	}
	cmd.Flags().IntVar(&seq, "seq", 0, "tokens of a sequence, where neither the weights, a dataset.json in DIR nor the task tell")
	cmd.Flags().StringVar(&name, "task", "", "what the network answers: sudoku, maze-path, arc; empty if it is not to act")
	return cmd
}
