package host

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/internal/shell"
	"github.com/ponder-agents/ponder/models"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

func newMeanCmd() *cobra.Command {
	var out string
	var shares []float64
	cmd := &cobra.Command{
		Use:   "mean MODEL MODEL... --out DIR",
		Short: "Make one model of several of the same network: the mean of their weights",
		Long: `Writes a checkpoint folder whose every weight is the mean of the models'. Of networks that learned on from
one another (ponder train --begin) it is often better than each: it keeps what learning on would have
lost. Networks that began apart have nothing in common that a mean would keep. Task, halting and all
other settings are those of the last model. A run's folder stands for its finished weights, or its
newest checkpoint.`,
		Example: "  ponder mean maze-path runs/way --out runs/way-mean\n  ponder mean maze-path runs/way --shares 0.35,0.65 --out runs/way-mean",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			shares, err := wholeShares(shares, len(args))
			if err != nil {
				return err
			}
			if out == "" {
				return cli.Usagef("--out: want the folder to write")
			}
			if err := checkpoint.CheckDir(out); err != nil {
				return err
			}
			var last *checkpoint.Checkpoint
			var files []*safetensors.File
			for _, name := range args {
				c, err := models.Find(name)
				if err != nil {
					return err
				}
				defer c.Close()
				last, files = c, append(files, c.Model)
			}
			tensors, err := checkpoint.Mean(files, shares)
			if err != nil {
				return fmt.Errorf("the mean of %s: %w", strings.Join(args, ", "), err)
			}
			card, err := checkpoint.ParseCard(last.Card)
			if err != nil {
				card = checkpoint.Card{}
			}
			card.Name, card.Results, card.Text = filepath.Base(out), nil, ""
			card.Summary = fmt.Sprintf("The mean of the weights of %s, with shares of %.4g.", strings.Join(args, ", "), shares)
			said := strings.ReplaceAll(strings.Trim(fmt.Sprint(shares), "[]"), " ", ",")
			card.Command = fmt.Sprintf("%s %s --shares %s --out %s", cmd.CommandPath(), shell.Join(args), said, shell.Quote(filepath.Base(out)))
			if err := checkpoint.Save(out, checkpoint.Snapshot{Config: last.Config, Model: tensors, Metadata: last.Model.Metadata(), Card: card}); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.ErrOrStderr(), "the mean of %d models: %s\n", len(args), out)
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder of the checkpoint to write")
	cli.Writes(cmd.Flags(), "out", cli.Folder)
	cmd.Flags().Float64SliceVar(&shares, "shares", nil, "what each model counts for, in their order; by default all the same")
	return cmd
}

// wholeShares are shares that add up to 1, of so many models.
func wholeShares(shares []float64, n int) ([]float64, error) {
	whole := make([]float64, n)
	if len(shares) == 0 {
		for i := range whole {
			whole[i] = 1 / float64(n)
		}
		return whole, nil
	}
	if len(shares) != n {
		return nil, cli.Usagef("--shares: %d of them for %d models", len(shares), n)
	}
	sum := 0.0
	for _, s := range shares {
		sum += s
	}
	for i, s := range shares {
		if whole[i] = s / sum; !(s >= 0) || math.IsInf(sum, 0) || sum == 0 {
			return nil, cli.Usagef("--shares: %v, want numbers of at least 0, one of them above", shares)
		}
	}
	return whole, nil
}
