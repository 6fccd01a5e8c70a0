package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ponder-agents/ponder/internal/output"
)

// Execute runs a polished command tree on the arguments and returns the exit code. An error is one line on
// stderr after the root's name, and losing what is printed, as to a full disk, is one too. The first
// Ctrl-C or SIGTERM ends the context of the command, the second one the process.
func Execute(root *cobra.Command, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks for a clean end, the second one ends at once.
	context.AfterFunc(ctx, stop)

	root.SetArgs(args)
	stdout := output.NewStdout(os.Stdout)
	root.SetOut(stdout)
	root.SetErr(output.NewStdout(os.Stderr))
	cmd, err := root.ExecuteContextC(ctx)
	lost := stdout.Close()
	switch c := (*codeError)(nil); {
	case lost != nil && (err == nil || errors.Is(err, lost) || ExitCode(err) == ExitUnsolved):
		err = lost // a verdict that nobody can read is none
	case err != nil && !errors.As(err, &c): // one of cobra's: see Polish
		err = Usagef("%w%s", err, meant(nil, cmd))
	}
	if err == nil {
		return ExitOK
	}
	fmt.Fprintln(root.ErrOrStderr(), root.Name()+":", strings.ReplaceAll(err.Error(), "\n", "; "))
	return ExitCode(err)
}

// The exit codes of every command.
const (
	ExitOK          = 0
	ExitFailure     = 1
	ExitUsage       = 2
	ExitUnsolved    = 3
	ExitEnvironment = 4
	ExitInterrupted = 130
)

// A codeError carries the exit code that err asks for.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string { return e.err.Error() }
func (e *codeError) Unwrap() error { return e.err }

// WithCode makes the process exit with code if err reaches main.
func WithCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &codeError{code, err}
}

// Usagef is an error of the command line itself.
func Usagef(format string, args ...any) error {
	return WithCode(ExitUsage, fmt.Errorf(format, args...))
}

func ExitCode(err error) int {
	var c *codeError
	switch {
	case errors.As(err, &c):
		return c.code
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	return ExitFailure
}

// PrintJSON prints v in lines that a person can read too.
func PrintJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// ExactArgs is cobra's, with the exit code of usage.
func ExactArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		return WithCode(ExitUsage, cobra.ExactArgs(n)(cmd, args))
	}
}

// InColour reports whether w is a terminal that shows colours to somebody who wants them (no-color.org).
func InColour(w io.Writer) bool {
	return IsTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// IsTerminal reports whether w is a terminal, where a line can be written over.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}
