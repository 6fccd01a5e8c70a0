package host

import (
	"encoding/json"
	"fmt"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/internal/vec"
	"github.com/ponder-agents/ponder/reference/verify"
	"github.com/spf13/cobra"
)

func newVerifyCmd() *cobra.Command {
	var use open.Run
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
			e, about, err := verifier(use)
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
						r.Print(cmd.OutOrStdout())
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
	ask.AddEngine(cmd.Flags(), &use)
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a file")
	return cmd
}

// verifier is the engine that recorded cases are replayed on, and a word about it.
func verifier(r open.Run) (verify.Engine, string, error) {
	name, err := ask.Choose(r)
	if err != nil {
		return nil, "", err
	}
	if name == open.Torch {
		return torchVerifier(r)
	}
	return verify.Go(), "engine go, kernels " + vec.Kernels(), nil
}
