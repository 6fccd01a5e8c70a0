//go:build !cgo || notorch

package host

import (
	"fmt"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/reference/verify"
	"github.com/spf13/cobra"
)

// torchCommands stand, in a build without libtorch, for the subcommands that need it.
func torchCommands() []*cobra.Command {
	return []*cobra.Command{needsTorch("train"), needsTorch("import")}
}

func newSolveARCCmd() *cobra.Command { return needsTorch("arc") } // it trains

func newBenchHRMCmd() *cobra.Command { return needsTorch("hrm") }

func needsTorch(name string) *cobra.Command {
	return &cobra.Command{
		Use:                name,
		Short:              "(needs a build with libtorch: make build)",
		Args:               cobra.ArbitraryArgs,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cli.WithCode(cli.ExitEnvironment, fmt.Errorf("%s needs libtorch, which this build lacks; run `make build`", cmd.CommandPath()))
		},
	}
}

// torchVerifier is not reached: Choose refuses libtorch here.
func torchVerifier(open.Run) (verify.Engine, string, error) { panic("no libtorch in this build") }
