//go:build cgo && !notorch

package host

import "github.com/spf13/cobra"

// torchCommands are the subcommands that need libtorch.
func torchCommands() []*cobra.Command {
	return []*cobra.Command{newTrainCmd(), newImportCmd()}
}
