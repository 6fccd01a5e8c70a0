package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/cli"
)

func newRunsCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "runs", Short: "What training runs there are and what they came to"}
	var asJSON bool
	list := &cobra.Command{
		Use:     "list [DIR]",
		Short:   "All runs below a folder: state, step, best figure, time, machine",
		Example: "  ponder runs list\n  ponder runs list runs --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dirs, err := run.Find(append(args, ".")[0])
			if err != nil {
				return err
			}
			all, err := summaries(dirs)
			if err != nil || asJSON {
				return first(err, func() error { return cli.PrintJSON(cmd.OutOrStdout(), all) })
			}
			return table(cmd.OutOrStdout(), func(w io.Writer) {
				fmt.Fprintln(w, "RUN\tLEARNER\tSTATE\tSTEP\tBEST\tTOOK\tON")
				for _, s := range all {
					best := "-"
					if m, ok := s.Headline(); ok {
						best = fmt.Sprintf("%s %s %.4g at %d", m.Kind, m.Name, m.Best, m.At)
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", s.Dir, s.Info.Learner, s.State(time.Now()), s.Step, best, took(s), s.Info.Machine)
				}
			})
		},
	}
	show := &cobra.Command{
		Use:   "show DIR",
		Short: "One run: how it was begun, where it stands, every metric's last and best",
		Args:  cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := run.Summarize(args[0])
			if err != nil || asJSON {
				return first(err, func() error { return cli.PrintJSON(cmd.OutOrStdout(), s) })
			}
			out, c := cmd.OutOrStdout(), s.Info.Compute
			fmt.Fprintf(out, "%s\n%s at step %d after %s, seed %d\non %s: %s, %d threads, %s, %s\n", strings.Join(s.Info.Command, " "), s.State(time.Now()), s.Step, took(s), s.Info.Seed,
				s.Info.Machine, c.Device, c.Threads, c.Precision, c.Library)
			if s.Info.Error != "" {
				fmt.Fprintln(out, "error:", s.Info.Error)
			}
			return table(out, func(w io.Writer) {
				for _, m := range s.Metrics {
					fmt.Fprintf(w, "%s\t%s\t%.5g\tbest %.5g at %d\n", m.Kind, m.Name, m.Last, m.Best, m.At)
				}
			})
		},
	}
	compare := &cobra.Command{
		Use:   "compare DIR DIR...",
		Short: "Runs beside each other: what their configurations differ in, and what came of it",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := summaries(args)
			if err != nil {
				return err
			}
			fields, err := run.Differences(args)
			if err != nil {
				return err
			}
			if asJSON {
				return cli.PrintJSON(cmd.OutOrStdout(), map[string]any{"runs": all, "differences": fields})
			}
			return table(cmd.OutOrStdout(), func(w io.Writer) {
				fmt.Fprintf(w, "\t%s\n", strings.Join(args, "\t"))
				for _, name := range slices.Sorted(maps.Keys(fields)) {
					fmt.Fprintf(w, "%s\t%s\n", name, strings.Join(fields[name], "\t"))
				}
				rows := map[string][]string{}
				for i, s := range all {
					for _, m := range s.Metrics {
						name := m.Kind + " " + m.Name
						if rows[name] == nil {
							rows[name] = make([]string, len(all))
						}
						rows[name][i] = fmt.Sprintf("%.4g, best %.4g at %d", m.Last, m.Best, m.At)
					}
				}
				for _, name := range slices.Sorted(maps.Keys(rows)) {
					fmt.Fprintf(w, "%s\t%s\n", name, strings.Join(rows[name], "\t"))
				}
			})
		},
	}
	for _, c := range []*cobra.Command{list, show, compare} {
		c.Flags().BoolVar(&asJSON, "json", false, "one JSON value")
		cmd.AddCommand(c)
	}
	return cmd
}

func summaries(dirs []string) ([]*run.Summary, error) {
	all := []*run.Summary{}
	for _, dir := range dirs {
		s, err := run.Summarize(dir)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// first is err or, where there is none, what then comes to.
func first(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

// table writes tab-separated lines in columns.
func table(out io.Writer, lines func(w io.Writer)) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	lines(w)
	return w.Flush()
}

func took(s *run.Summary) string { return runlog.Span(time.Duration(s.Took * float64(time.Second))) }
