package host

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
)

func newBenchThinkCmd() *cobra.Command {
	var (
		use     ask.Model
		batch   int
		side    int
		seconds float64
		repeats int
		seed    uint64
		asJSON  bool
	)
	cmd := &cobra.Command{
		Use:   "think",
		Short: "Segments per second of a network",
		Long: `Thinks about sequences of random tokens and counts segments, one for each sequence: what the
network costs does not depend on what it thinks about. The best of the repetitions is printed, and,
since others may compute beside, the rate by the processor's time.`,
		Example: "  ponder bench think --model maze --size 15 --engine go --json\n  ponder bench think --model sudoku --threads 2 --batch 64",
		Args:    cli.ExactArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := use.Open()
			if err != nil {
				return err
			}
			defer m.Close()
			cfg := exam.SpeedConfig{Batch: batch, Repeats: repeats, Each: time.Duration(seconds * float64(time.Second)), Seed: seed}
			if side > 0 {
				cfg.Shape = think.Shape{Seq: side * side, Rows: side, Cols: side}
			}
			r, err := exam.Speed(cmd.Context(), m, cfg)
			if err != nil {
				return err
			}
			r.Threads = use.Threads
			if asJSON {
				return cli.PrintJSON(cmd.OutOrStdout(), r)
			}
			return r.Print(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	use.Add(f, "maze")
	f.Lookup("threads").DefValue, use.Threads = "1", 1
	f.Lookup("threads").Usage = "processors used"
	cli.Bound(f, "threads", atLeastOne("threads"))
	f.IntVar(&batch, "batch", 1, "sequences in a segment")
	f.IntVar(&side, "size", 0, "side of a square grid; 0 means what the network was made for")
	f.Float64Var(&seconds, "seconds", 0.2, "of a repetition; one segment at least is done")
	f.IntVar(&repeats, "repeats", 10, "repetitions; the best counts")
	f.Uint64Var(&seed, "seed", 0, "of the tokens")
	f.BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}
