//go:build nowindow

package host

import (
	"context"
	"errors"

	"github.com/ponder-agents/ponder/cli"
	"github.com/spf13/cobra"
)

// newPlayCmd stands, in a build without a window, for play.
func newPlayCmd() *cobra.Command {
	return &cobra.Command{
		Use:                "play",
		Short:              "(this build has no window)",
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return cli.WithCode(cli.ExitEnvironment, errors.New("this build has no window: use `ponder record`, which needs none"))
		},
	}
}

// showDemo reports that there is no window.
func showDemo(context.Context, uint64) (shown bool, err error) { return false, nil }
