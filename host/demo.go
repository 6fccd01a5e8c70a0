package host

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/cli"
)

func newDemoCmd() *cobra.Command {
	var seed uint64
	var out string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch the shipped model think about sudokus that take guesses",
		Long: `Opens the window where there is a display; else, or with --out, records a sudoku into a GIF. It begins
with one of those chosen for it, by chance unless --seed says which sudoku, and goes on to the others.`,
		Example: "  ponder demo\n  ponder demo --seed 3 --out demo.gif",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c := open.Demo(int(time.Now().Unix()) % open.Demos())
			if cmd.Flags().Changed("seed") {
				c.Seed = seed
			}
			return demo(cmd.Context(), cmd.ErrOrStderr(), c, out)
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", 0, "which sudoku")
	cmd.Flags().StringVar(&out, "out", "", "record into this file instead of opening a window")
	cli.Writes(cmd.Flags(), "out", cli.File)
	return cmd
}

// exists reports whether there is something of the name, also a link that leads nowhere.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func demo(ctx context.Context, log io.Writer, c session.Choice, out string) error {
	if out == "" {
		shown, err := showDemo(ctx, c)
		if shown {
			return err
		}
		out = "demo.gif"
		for n := 2; exists(out); n++ {
			out = fmt.Sprintf("demo-%d.gif", n)
		}
		fmt.Fprintf(log, "no display: recording sudoku %d into %s\n", c.Seed, out)
	}
	r := recording{size: "960x600", theme: "dark", quiet: true}
	r.Out, r.Scale = out, 1
	r.choice = c
	if err := r.run(ctx, log); err != nil {
		return err
	}
	fmt.Fprintf(log, "wrote %s\n", out)
	return nil
}
