// Package host is the command line of ponder, for programs of one's own: import worlds (package env), families to train on
// (agent/task) and networks (agent/open) that register themselves, and call Main. Play, record, train, eval and bench then know
// them as they know ponder's.
//
// Data goes to stdout, everything else to stderr. Exit codes: 0 ok, 1 failure, 2 usage, 3 not solved
// or below the accuracy asked for, 4 environment (no libtorch, display, GPU), 130 on Ctrl-C after
// saving.
package host

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/cli"
	_ "github.com/ponder-agents/ponder/engine"
	_ "github.com/ponder-agents/ponder/env/families"
	_ "github.com/ponder-agents/ponder/env/gym" // gym:ID
)

// torchUsers are the subcommands that run networks.
var torchUsers = []string{"demo", "play", "record", "train", "eval", "solve", "verify", "bench"}

// Main runs the command that the process's arguments ask for, and ends the process.
func Main() {
	args := asked(os.Args[1:])
	relay(args)
	settleOpenMP(args)
	os.Exit(cli.Execute(Root(), args))
}

// asked is what the process's arguments ask for: without any and where nobody reads help in a terminal, as after a double
// click, the window, if there is a display.
func asked(args []string) []string {
	if len(args) > 0 || !canPlay() {
		return args
	}
	for _, f := range []*os.File{os.Stdin, os.Stdout, os.Stderr} {
		if cli.IsTerminal(f) && !ownConsole() {
			return args
		}
	}
	return []string{"play"}
}

// Root is the whole command tree; a subcommand lives in the file of its name.
func Root() *cobra.Command {
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use:           "ponder",
		Short:         "Agents that think before they act",
		Example:       "  ponder play maze\n  ponder solve maze maze.txt\n  ponder train maze --out runs/maze\n  ponder env list",
		Version:       "a word, so that there is --version",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(commands()...)
	cobra.AddTemplateFunc("ponderVersion", func() string { return readVersion().String() }) // asked of dpkg too: not at every start
	root.SetVersionTemplate("{{ponderVersion}}\n")
	cli.BoundAll(root, ranges())
	complete(root)
	cli.Polish(root)
	return root
}
