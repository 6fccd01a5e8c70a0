//go:build cgo && !notorch

package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/spf13/cobra"
)

func newEvalCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Measure what a model achieves on puzzles that it has not seen",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newEvalSudokuCmd(), newEvalMazeCmd(), newEvalARCCmd())
	return cmd
}

// haltFlags override a model's halting.
type haltFlags struct {
	segments  int
	rule      string
	threshold float32
	restarts  int
}

func (f *haltFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.IntVar(&f.segments, "segments", 0, "most segments, more than in training too; 0 means the model's own limit")
	fl.StringVar(&f.rule, "rule", "", "halting rule: halt-above, halt-over-continue or never (always the most segments); default the model's own")
	fl.Float32Var(&f.threshold, "threshold", 0, "q_halt that halt-above asks for; default the model's own")
	fl.IntVar(&f.restarts, "restarts", 0, "times to begin again from a random state where the most segments end without the rule being content; the try of the largest q_halt counts")
}

// apply changes the halting of n as the flags of cmd say.
func (f *haltFlags) apply(cmd *cobra.Command, n *learn.Net) error {
	e := &n.Recipe.Evaluation
	if f.segments < 0 || f.restarts < 0 {
		return usagef("--segments %d, --restarts %d: want 0 or more", f.segments, f.restarts)
	}
	if f.segments > 0 {
		e.MaxSegments = f.segments
	}
	if f.rule != "" {
		if err := e.Rule.UnmarshalText([]byte(f.rule)); err != nil {
			return usagef("--rule: %v", err)
		}
	}
	if cmd.Flags().Changed("threshold") {
		e.Threshold = f.threshold
	}
	return withCode(exitUsage, e.Validate())
}

// thinker thinks about slots sequences at once as n and the flags say.
func (f *haltFlags) thinker(n *learn.Net, slots int) learn.Thinker {
	return learn.Thinker{Model: n.Model, Halting: n.Recipe.Evaluation, Restarts: f.restarts, Slots: slots}
}

// report prints a result, for people or as JSON, and fails if the score is below least.
func report(cmd *cobra.Command, asJSON bool, res interface{ print(w io.Writer) }, score, least float64, what string) error {
	if asJSON {
		if err := json.NewEncoder(cmd.OutOrStdout()).Encode(res); err != nil {
			return err
		}
	} else {
		res.print(cmd.OutOrStdout())
	}
	if score < least {
		return withCode(exitUnsolved, fmt.Errorf("%.4f %s, asked for %.4f", score, what, least))
	}
	return nil
}
