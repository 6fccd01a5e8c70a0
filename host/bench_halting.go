package host

import (
	"encoding/json"
	"fmt"
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
	var data []string
	var plot string
	var count int
	cmd := &cobra.Command{
		Use:   "halting",
		Short: "What each way to halt is worth, on the same thoughts of a model",
		Long: `Thinks about held-out rows to the most segments and says where each way to halt would have stopped, for all its
settings: own (as the model is set), learned (q_halt above a threshold), residual (the state's last change below
one, a fixed point), fixed (after so many segments), with --thoughts K first (the first of K thoughts that is content
ends all of them; all their segments count) and the oracle (the first segment that was right). Each line
has the shortest setting whose accuracy is within half a percent of the way's best, and the area between its
accuracy and the oracle's over segments. With --json a line is an object and has all settings as points.
Given --data several times it does so for each, and --plot shows the accuracy after so many segments for each of
them: rows larger than trained beside others.`,
		Example: "  ponder bench halting --model sudoku --plot halting.png\n  ponder bench halting --model maze --data maze-directions:15 --segments 12 --json\n  ponder bench halting --model maze-path --data maze-route:19 --data maze-route:41 --segments 64 --plot depth.png",
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
			if len(data) == 0 {
				if len(m.Usage.Data) == 0 {
					return cli.Usagef("--data: model %s does not say what it learned from; name the rows", q.Name)
				}
				data = m.Usage.Data[:1]
			}
			all := make([]task.Rows, len(data))
			for i, name := range data {
				if all[i], err = task.Open(dataName(name), q.Seed, true); err != nil {
					return dataError(err)
				}
			}
			var sets []report.HaltingSet
			out := cmd.OutOrStdout()
			for i, rows := range all {
				ways, err := exam.Halting(cmd.Context(), m, rows.Source, rows.Rows, rows.Cols, count, cfg)
				if err != nil {
					return fmt.Errorf("data %q: %w", data[i], err)
				}
				sets = append(sets, report.HaltingSet{Data: data[i], Ways: ways})
				if err := printHalting(out, sets[i], len(data) > 1, q.JSON); err != nil {
					return err
				}
			}
			if plot == "" {
				return nil
			}
			draw := func() (report.Figure, error) { return report.Halting(sets[0].Ways) }
			if len(sets) > 1 {
				draw = func() (report.Figure, error) { return report.Depth(sets) }
			}
			f, err := draw()
			if err != nil {
				return err
			}
			png, err := f.PNG()
			if err != nil {
				return err
			}
			return output.WriteFile(plot, func(w io.Writer) error { _, err := w.Write(png); return err })
		},
	}
	q.Add(cmd, "sudoku", "the rows")
	f := cmd.Flags()
	f.StringArrayVar(&data, "data", nil, "rows to think about, a name of data or a dataset's folder; default what the model learned from most; may be repeated")
	f.IntVar(&count, "count", 200, "number of rows")
	f.StringVar(&plot, "plot", "", "write the curves to this PNG file")
	cli.Writes(f, "plot", cli.File)
	cli.Unused(cmd.Flags(), "votes", "pick", "sure", "rule", "restarts", "keep-carry")
	return cmd
}

// printHalting prints the ways to halt on one set of rows, of one or several.
func printHalting(out io.Writer, set report.HaltingSet, several, asJSON bool) error {
	if asJSON {
		lines := json.NewEncoder(out)
		for _, w := range set.Ways {
			line := struct {
				exam.HaltingWay
				Data string `json:"data"`
			}{w, set.Data}
			if err := lines.Encode(line); err != nil {
				return err
			}
		}
		return nil
	}
	if several {
		fmt.Fprintf(out, "%s\n", set.Data)
	}
	return exam.HaltingTable(set.Ways).Print(out)
}
