//go:build !cgo || notorch

package main

import (
	"fmt"

	"github.com/ponder-agents/ponder/cli"
	"github.com/spf13/cobra"
)

// torchCommands stand, in a build without libtorch, for the subcommands that need it.
func torchCommands() []*cobra.Command {
	return []*cobra.Command{needsTorch("train"), needsTorch("import")}
}

func newSolveARCCmd() *cobra.Command { return needsTorch("arc") } // it trains

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
