//go:build !cgo || notorch

package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// torchCommands stand, in a build without libtorch, for the subcommands that need it.
func torchCommands() []*cobra.Command {
	var cmds []*cobra.Command
	for _, name := range []string{"train", "eval", "solve", "import"} {
		cmds = append(cmds, &cobra.Command{
			Use:                name,
			Short:              "(needs a build with libtorch: make build)",
			DisableFlagParsing: true,
			RunE: func(*cobra.Command, []string) error {
				return withCode(exitEnvironment, fmt.Errorf("%s needs libtorch, which this build lacks; run `make build`", name))
			},
		})
	}
	return cmds
}
