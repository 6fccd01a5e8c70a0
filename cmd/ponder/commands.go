package main

import "github.com/spf13/cobra"

// commands are the subcommands in the order of the help.
func commands() []*cobra.Command {
	return append([]*cobra.Command{
		newDemoCmd(),
		newEnvCmd(), newDataCmd(), newBenchCmd(),
		newPlayCmd(),
		newRecordCmd(), newSolveCmd(), newEvalCmd(),
		newModelsCmd(), newVerifyCmd(), newVersionCmd(), newManCmd(),
	}, torchCommands()...)
}
