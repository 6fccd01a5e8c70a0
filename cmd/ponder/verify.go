package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/ponder-agents/ponder/reference/verify"
	"github.com/spf13/cobra"
)

func newVerifyCmd() *cobra.Command {
	var use engineFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify PATH...",
		Short: "Replay recorded cases of the reference implementation and measure the difference",
		Long: `Replays recorded cases of the published implementations (HRM, TRM) on this build, engine and
device: forward values, halting, losses, gradients, optimisers, initialisation, schedules, imported
checkpoints. Prints the largest difference of each quantity beside its limit. Folders are searched.
The engine go, which needs no libtorch, does not train: it compares forward values, halting and
checkpoints, and says what it left. Exit code 1 if anything is over its limit, unreadable or unknown.`,
		Example: "  ponder verify ../shared/hrm\n  ponder verify ../shared/hrm --engine go --json\n  ponder verify cases/eval_rope_bf16.safetensors --device cuda",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, about, err := use.verifier()
			if err != nil {
				return err
			}
			var files, skipped, failed int
			for _, path := range args {
				err := verify.Path(path, e, func(r *verify.Report) {
					switch {
					case r.Skipped:
						skipped++
					case !r.OK():
						failed++
						files++
					default:
						files++
					}
					if asJSON {
						json.NewEncoder(cmd.OutOrStdout()).Encode(r)
					} else {
						printReport(cmd.OutOrStdout(), r)
					}
				})
				if err != nil {
					return err
				}
			}
			if !asJSON {
				fmt.Fprintf(cmd.OutOrStdout(), "%d cases: %d within limits, %d not; %d other files skipped (%s)\n",
					files, files-failed, failed, skipped, about)
			}
			if failed > 0 {
				return fmt.Errorf("%d of %d cases differ from the reference", failed, files)
			}
			return nil
		},
	}
	use.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a file")
	return cmd
}

func printReport(w io.Writer, r *verify.Report) {
	if r.Skipped {
		fmt.Fprintf(w, "skip  %s\n", r.File)
		return
	}
	verdict := "ok   "
	if !r.OK() {
		verdict = "FAIL "
	}
	fmt.Fprintf(w, "%s %s (%s, %d of %d tensors compared)\n", verdict, r.File, r.Format, r.TensorsCompared, r.TensorsInFile)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, q := range r.Quantities {
		mark := ""
		if q.NaN {
			mark = "NaN"
		}
		if q.Over() {
			mark += " OVER"
		}
		fmt.Fprintf(t, "      %s\tmax_abs %.2e\trel_l2 %.2e\tlimit %g %s\t%d tensors\t%s\n", q.Name, q.MaxAbs, q.RelL2, q.Limit, q.Measure, q.Tensors, mark)
	}
	t.Flush()
	if n := len(r.NotThisEngine); n > 0 {
		fmt.Fprintf(w, "      %d tensors are of what engine %s does not compute\n", n, r.Engine)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(w, "      problem: %s\n", p)
	}
}
