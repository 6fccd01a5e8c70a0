package host

import (
	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/cli"
)

// commands are the subcommands in the order of the help.
func commands() []*cobra.Command {
	return append([]*cobra.Command{
		cli.Saves(newDemoCmd(), "ending the recording"),
		newEnvCmd(), newDataCmd(), newBenchCmd(),
		newPlayCmd(),
		cli.Saves(newRecordCmd(), "ending the recording"), newSolveCmd(), newEvalCmd(),
		newTraceCmd(), newModelsCmd(), newMeanCmd(), newRunsCmd(), newReportCmd(), newSweepCmd(), newVerifyCmd(), newVersionCmd(), cli.NewManCmd("ponder"),
	}, torchCommands()...)
}
