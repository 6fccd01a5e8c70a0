// Command ponder is the command line of the framework: worlds, training, evaluation, the viewer.
//
// Data goes to stdout, everything else to stderr. Exit codes: 0 ok, 1 failure, 2 usage, 3 not solved
// or below the accuracy asked for, 4 environment (no libtorch, display, GPU), 130 on Ctrl-C after
// saving.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/internal/output"
)

func main() {
	settleOpenMP(os.Args[1:])
	os.Exit(execute(os.Args[1:]))
}

// execute runs the command line and returns the exit code.
func execute(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks for a clean end, the second one ends at once.
	context.AfterFunc(ctx, stop)

	root := newRoot()
	root.SetArgs(args)
	stdout := output.NewStdout(os.Stdout)
	root.SetOut(stdout)
	cmd, err := root.ExecuteContextC(ctx)
	lost := stdout.Close()
	switch c := (*codeError)(nil); {
	case lost != nil && (err == nil || errors.Is(err, lost) || exitCode(err) == exitUnsolved):
		err = lost // a verdict that nobody can read is none
	case err != nil && !errors.As(err, &c): // one of cobra's: see polish
		err = usagef("%w%s", err, meant(nil, cmd))
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(os.Stderr, "ponder:", err)
	return exitCode(err)
}

// The exit codes of every command.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitUnsolved    = 3
	exitEnvironment = 4
	exitInterrupted = 130
)

// A codeError carries the exit code that err asks for.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string { return e.err.Error() }
func (e *codeError) Unwrap() error { return e.err }

// withCode makes the process exit with code if err reaches main.
func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &codeError{code, err}
}

// usagef is an error of the command line itself.
func usagef(format string, args ...any) error {
	return withCode(exitUsage, fmt.Errorf(format, args...))
}

func exitCode(err error) int {
	var c *codeError
	switch {
	case errors.As(err, &c):
		return c.code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailure
}

// newRoot builds the whole command tree; a subcommand lives in the file of its name.
func newRoot() *cobra.Command {
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use:           "ponder",
		Short:         "Agents that think before they act",
		Example:       "  ponder play maze\n  ponder solve maze maze.txt\n  ponder train maze --out runs/maze\n  ponder env list",
		Version:       readVersion().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(commands()...)
	root.SetVersionTemplate("{{.Version}}\n")
	polish(root)
	return root
}

// printJSON prints v in lines that a person can read too.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
