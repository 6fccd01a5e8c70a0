//go:build nowindow

package host

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/cli"
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

// canPlay reports that there is no window.
func canPlay() bool { return false }

// showDemo reports that there is no window.
func showDemo(context.Context, session.Choice) (shown bool, err error) { return false, nil }
