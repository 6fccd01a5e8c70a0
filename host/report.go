package host

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/agent/report"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/internal/output"
	"github.com/ponder-agents/ponder/internal/text"
	"github.com/spf13/cobra"
)

func newReportCmd() *cobra.Command {
	var out, png, title string
	var reach []string
	cmd := &cobra.Command{
		Use:   "report DIR... --out FILE.html",
		Short: "One page of what runs came to: curves over seeds, tables, what thinking bought",
		Long: `Reads the runs in the folders and below them, also while they run, and writes one HTML page that needs neither
network nor other files. Runs that differ in nothing but the seed are one group: a line with a band from the worst
to the best seed, and figures with 95 % intervals. What ponder eval agent --json printed into a file eval*.jsonl in
a run's folder is shown too, regret (--regret) as a picture.`,
		Example: "  ponder report runs --out report.html\n  ponder report runs/ppo-1 runs/ppo-2 runs/dqn-1 --reach mean_return=0.9 --png figures --out report.html\n  ponder eval agent --env MiniGrid-DoorKey-5x5-v0 --model runs/a --regret --json > runs/a/eval.jsonl",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return cli.Usagef("report: name the page by --out FILE.html")
			}
			o := report.Options{Title: title, Now: time.Now()}
			for _, r := range reach {
				metric, value, _ := strings.Cut(r, "=")
				v, err := strconv.ParseFloat(value, 64)
				if err != nil || metric == "" {
					return cli.Usagef("--reach %q: want METRIC=VALUE, as mean_return=0.9", r)
				}
				o.Levels = append(o.Levels, report.Level{Metric: metric, Value: v})
			}
			runs, notes, err := report.Load(args...)
			if err != nil {
				return err
			}
			for _, n := range notes {
				fmt.Fprintln(cmd.ErrOrStderr(), "ponder:", text.Plain(n))
			}
			page, err := report.New(report.Groups(runs), notes, o)
			if err != nil {
				return err
			}
			if png != "" {
				if err := page.WritePNGs(png); err != nil {
					return err
				}
			}
			if err := output.WriteFile(out, func(w io.Writer) error { return page.WriteHTML(w) }); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s: %d runs in %d groups, %d figures\n", out, len(runs), len(page.Groups), len(page.Figures))
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "write the page to this file")
	f.StringVar(&png, "png", "", "a folder, which may be there, for the figures as PNGs")
	f.StringVar(&title, "title", "", "heading of the page; default Runs")
	f.StringArrayVar(&reach, "reach", nil, "METRIC=VALUE: a table of the steps after which runs came there; may be repeated")
	cli.Writes(f, "out", cli.File)
	return cmd
}
