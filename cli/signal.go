package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// savesKey annotates commands that end after a signal only when what they have is saved.
const savesKey = "cli-saves"

// Saves marks a command that ends after a signal when it has saved; what says how.
func Saves(cmd *cobra.Command, what string) *cobra.Command {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[savesKey] = what
	return cmd
}

// patience is how long a command may take to end after the first signal.
const patience = 800 * time.Millisecond

// heed ends the process some time after the first signal, if the command has not ended by itself; one
// that saves only says that it does. The second signal ends any process at once (Execute). Call done when
// the command ends.
func heed(cmd *cobra.Command) (done func()) {
	over := make(chan struct{})
	stop := context.AfterFunc(cmd.Context(), func() {
		select {
		case <-over:
			return
		case <-time.After(patience):
		}
		if what := cmd.Annotations[savesKey]; what != "" {
			fmt.Fprintf(os.Stderr, "%s: %s; a second time ends at once\n", cmd.Root().Name(), what)
			return
		}
		fmt.Fprintf(os.Stderr, "%s: stopped\n", cmd.Root().Name())
		os.Exit(ExitInterrupted)
	})
	return func() {
		stop()
		close(over)
	}
}
