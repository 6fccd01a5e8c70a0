package host

import (
	"fmt"
	"path"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/env/published"
)

func newDataGetCmd() *cobra.Command {
	var out, mirror string
	var sums []string
	cmd := &cobra.Command{
		Use:   "get [NAME]",
		Short: "Download a published set; without a name, list them",
		Long: `Downloads a published set into the folder --out. An interrupted download goes on where it ended. A
file's SHA-256 is compared with --sha256, or else with that of the first download, which is kept in
checksums.json in the folder above --out. --mirror replaces scheme and host of every address.`,
		Example: "  ponder data get sudoku-extreme\n  ponder data get arc-agi-1 --out data/arc-agi-1",
		Args: func(cmd *cobra.Command, args []string) error {
			return cli.WithCode(cli.ExitUsage, cobra.MaximumNArgs(1)(cmd, args))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, s := range published.Sets() {
					fmt.Fprintf(t, "%s\t%s\t%s\n", s.Name, s.About, s.License)
					for _, f := range s.Files {
						fmt.Fprintf(t, "\t%s\t\n", f)
					}
				}
				return t.Flush()
			}
			set, err := published.Find(args[0])
			if err != nil {
				return cli.WithCode(cli.ExitUsage, err)
			}
			if len(sums) != 0 && len(sums) != len(set.Files) {
				return cli.Usagef("--sha256: %d hashes for %d files", len(sums), len(set.Files))
			}
			if out == "" {
				out = filepath.Join("data", set.Name)
			}
			m := runlog.NewMeter(cmd.ErrOrStderr(), 0, 0, time.Now)
			m.Unit = "MB"
			err = set.Get(cmd.Context(), out, published.Options{Mirror: mirror, SHA256: sums, Progress: func(file string, done, total int64) {
				name := path.Base(file)
				if total > 0 {
					name += fmt.Sprintf(" %d%% of %d MB", 100*done/total, total>>20)
				}
				m.Update(done>>20, name)
			}})
			m.Done()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), out)
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder (default data/NAME)")
	cli.Writes(cmd.Flags(), "out", cli.Folder)
	cmd.Flags().StringVar(&mirror, "mirror", "", "address that replaces scheme and host, for example http://localhost:8000")
	cmd.Flags().StringSliceVar(&sums, "sha256", nil, "expected SHA-256, in the order of the files")
	return cmd
}
