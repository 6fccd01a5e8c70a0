package host

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/report"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/internal/output"
)

func newBenchHaltingCmd() *cobra.Command {
	var q ask.Flags
	var data, plot string
	var count int
	cmd := &cobra.Command{
		Use:   "halting",
		Short: "What each way to halt is worth, on the same thoughts of a model",
		Long: `Thinks about held-out rows to the most segments and says where each way to halt would have stopped, for all its
settings: own (as the model is set), learned (q_halt above a threshold), residual (the state's last change below
one, a fixed point), fixed (after so many segments), with --thoughts K first (the first of K thoughts that is content
ends all of them; all their segments count) and the oracle (the first segment that was right). Each line
has the shortest setting whose accuracy is within half a percent of the way's best, and the area between its
accuracy and the oracle's over segments. With --json a line is an object and has all settings as points.`,
		Example: "  ponder bench halting --model sudoku --plot halting.png\n  ponder bench halting --model maze --data maze-directions:15 --segments 12 --json",
		Args:    cli.ExactArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if count < 1 {
				return cli.Usagef("--count %d: want 1 or more", count)
			}
			m, cfg, err := q.Open()
			if err != nil {
				return err
			}
			defer m.Close()
			if data == "" {
				if data = m.Usage.Data; data == "" {
					return cli.Usagef("--data: model %s does not say what it learned from; name the rows", q.Name)
				}
			}
			rows, err := task.Open(dataName(data), q.Seed, true)
			if err != nil {
				return dataError(err)
			}
			ways, err := exam.Halting(cmd.Context(), m, rows.Source, rows.Rows, rows.Cols, count, cfg)
			if err != nil {
				return err
			}
			if plot != "" {
				f, err := report.Halting(ways)
				if err != nil {
					return err
				}
				png, err := f.PNG()
				if err != nil {
					return err
				}
				if err := output.WriteFile(plot, func(w io.Writer) error { _, err := w.Write(png); return err }); err != nil {
					return err
				}
			}
			if !q.JSON {
				return exam.HaltingTable(ways).Print(cmd.OutOrStdout())
			}
			out := json.NewEncoder(cmd.OutOrStdout())
			for _, w := range ways {
				if err := out.Encode(w); err != nil {
					return err
				}
			}
			return nil
		},
	}
	q.Add(cmd, "sudoku", "the rows")
	f := cmd.Flags()
	f.StringVar(&data, "data", "", "rows to think about, a name of data or a dataset's folder; default what the model learned from last")
	f.IntVar(&count, "count", 200, "number of rows")
	f.StringVar(&plot, "plot", "", "write the curves to this PNG file")
	cli.Writes(f, "plot", cli.File)
	hide(cmd, "votes", "pick", "sure", "rule", "restarts", "keep-carry")
	return cmd
}
