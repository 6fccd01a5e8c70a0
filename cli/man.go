package cli

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// NewManCmd is the command of a program that prints the manual page of the tree that it is in.
func NewManCmd(program string) *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Print the manual page",
		Long: fmt.Sprintf(`Print the manual page %s(1), all commands in one, in the language of troff: read it with "man -l",
or put it where man looks.`, program),
		Example: fmt.Sprintf("  %[1]s man | man -l -\n  %[1]s man > /usr/local/share/man/man1/%[1]s.1", program),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return writeMan(cmd.OutOrStdout(), cmd.Root())
		},
	}
}

// writeMan writes the page of a command tree, in the macros of man(7).
func writeMan(out io.Writer, root *cobra.Command) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, ".TH %s 1\n.SH NAME\n%s \\- %s\n", troffWord(strings.ToUpper(root.Name())), troffWord(root.Name()), troffWord(root.Short))
	fmt.Fprintf(w, ".SH SYNOPSIS\n.B %s\nCOMMAND [flags]\n", troffWord(root.Name()))
	if root.Long != "" {
		fmt.Fprintf(w, ".SH DESCRIPTION\n%s", troff(root.Long))
	}
	writeExamples(w, root)
	fmt.Fprint(w, ".SH COMMANDS\n")
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if !sub.IsAvailableCommand() {
				continue
			}
			if !sub.HasAvailableSubCommands() {
				writeCommand(w, sub)
			}
			walk(sub)
		}
	}
	walk(root)
	fmt.Fprint(w, ".SH EXIT STATUS\n")
	for _, e := range []struct {
		code int
		text string
	}{
		{ExitOK, "Success."},
		{ExitFailure, "Failure."},
		{ExitUsage, "The command line is wrong."},
		{ExitUnsolved, "Not solved, or below the accuracy asked for."},
		{ExitEnvironment, "The machine lacks something: libtorch, a display, a GPU."},
		{ExitInterrupted, "Ended by Ctrl-C, after saving."},
	} {
		fmt.Fprintf(w, ".TP\n%d\n%s\n", e.code, e.text)
	}
	return w.Flush()
}

func writeCommand(w io.Writer, c *cobra.Command) {
	text := c.Long
	if text == "" {
		text = c.Short
	}
	fmt.Fprintf(w, ".SS %s\n%s", troffWord(c.UseLine()), troff(text))
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		flag := "--" + f.Name
		if f.Shorthand != "" {
			flag = "-" + f.Shorthand + ", " + flag
		}
		if name != "" {
			flag += " " + name
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(w, ".TP\n.B %s\n%s", troffWord(flag), troff(usage))
	})
	writeExamples(w, c)
}

func writeExamples(w io.Writer, c *cobra.Command) {
	if c.Example != "" {
		fmt.Fprintf(w, ".PP\nExamples:\n.PP\n.nf\n%s.fi\n", troff(c.Example))
	}
}

// troff escapes text; an empty line begins a paragraph.
func troff(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			b.WriteString(".PP\n")
			continue
		}
		// A dot or an apostrophe at the beginning of a line is a command.
		if line[0] == '.' || line[0] == '\'' {
			b.WriteString(`\&`)
		}
		b.WriteString(troffWord(line) + "\n")
	}
	return b.String()
}

// troffWord escapes what is on one line and not at its beginning.
func troffWord(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '\n':
			b.WriteByte(' ')
		case r > '~':
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
