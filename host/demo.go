package host

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/cli"
)

func newDemoCmd() *cobra.Command {
	var seed uint64
	var out string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch the shipped agent think its way through a fresh maze",
		Long: `Opens the window where there is a display; else, or with --out, records a maze into a GIF. The maze
is a new one every time unless --seed says which.`,
		Example: "  ponder demo\n  ponder demo --seed 3 --out demo.gif",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("seed") {
				seed = uint64(time.Now().UnixNano()) % 1e6
			}
			return demo(cmd.Context(), cmd.ErrOrStderr(), seed, out)
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", 0, "which maze")
	cmd.Flags().StringVar(&out, "out", "", "record into this file instead of opening a window")
	cli.Writes(cmd.Flags(), "out", cli.File)
	return cmd
}

// exists reports whether there is something of the name, also a link that leads nowhere.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func demo(ctx context.Context, log io.Writer, seed uint64, out string) error {
	if out == "" {
		shown, err := showDemo(ctx, seed)
		if shown {
			return err
		}
		out = "demo.gif"
		for n := 2; exists(out); n++ {
			out = fmt.Sprintf("demo-%d.gif", n)
		}
		fmt.Fprintf(log, "no display: recording maze %d into %s\n", seed, out)
	}
	r := recording{size: "960x600", theme: "dark", quiet: true}
	r.Out, r.Scale = out, 1
	r.choice = session.Choice{Env: "maze", Agent: trace.Network, Seed: seed}
	if err := r.run(ctx, log); err != nil {
		return err
	}
	fmt.Fprintf(log, "wrote %s\n", out)
	return nil
}
