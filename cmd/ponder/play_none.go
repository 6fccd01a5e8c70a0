//go:build nowindow

package main

import (
	"errors"

	"github.com/spf13/cobra"
)

// newPlayCmd stands, in a build without a window, for play.
func newPlayCmd() *cobra.Command {
	return &cobra.Command{
		Use:                "play",
		Short:              "(this build has no window)",
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return withCode(exitEnvironment, errors.New("this build has no window: use `ponder record`, which needs none"))
		},
	}
}
