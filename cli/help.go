package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ponder-agents/ponder/env"
)

// helpTemplate puts the examples before everything that is looked up.
const helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{if .HasExample}}Examples:
{{.Example | trimTrailingWhitespaces}}

{{end}}Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}
{{if .HasAvailableSubCommands}}
Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableInheritedFlags}}
Flags of every command:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableSubCommands}}
"{{.CommandPath}} COMMAND --help" says more about a command.
{{end}}`

// Polish gives a whole command tree what cobra leaves out: errors of the command line end with exit
// code 2 and name what was perhaps meant, and a command takes no arguments unless its Use names some.
// An error without a code that comes out of the tree afterwards is cobra's, about the command line.
// It is called once, when the tree is whole.
func Polish(root *cobra.Command) {
	root.SetHelpTemplate(helpTemplate)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(newHelpCmd())
	root.InitDefaultCompletionCmd()
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		switch {
		case !c.Runnable() && c.HasSubCommands():
			c.Args, c.RunE = cobra.ArbitraryArgs, group
		case c.Args == nil && !strings.Contains(c.Use, " "):
			c.Args = cobra.NoArgs
		}
		if check := c.Args; check != nil {
			c.Args = func(cmd *cobra.Command, args []string) error {
				err := check(cmd, args)
				if err != nil {
					err = Usagef("%w; usage: %s", err, cmd.UseLine())
				}
				return err
			}
		}
		if run := c.RunE; run != nil {
			c.RunE = func(cmd *cobra.Command, args []string) error {
				defer heed(cmd)()
				err := checkUnused(cmd)
				if err == nil {
					err = checkNumbers(cmd)
				}
				if err == nil {
					err = checkOutputs(cmd, args)
				}
				if err == nil {
					err = run(cmd, args)
				}
				if err != nil {
					err = WithCode(ExitCode(err), err)
				}
				return err
			}
		}
	}
	walk(root)
}

// group is what a command that only holds others does: help, or an error if its argument is none of
// them.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	return unknownCommand(cmd, args[0])
}

func unknownCommand(parent *cobra.Command, name string) error {
	var names []string
	for _, c := range parent.Commands() {
		if c.IsAvailableCommand() {
			names = append(append(names, c.Name()), c.Aliases...)
		}
	}
	return Usagef("unknown command %q of %q%s", name, parent.CommandPath(), meant(env.Near(name, names), parent))
}

// flagError adds to pflag's message what was perhaps meant.
func flagError(cmd *cobra.Command, err error) error {
	// In "ponder trian --out x" the command is what is wrong.
	if args := cmd.Flags().Args(); len(args) > 0 && cmd.HasSubCommands() {
		return unknownCommand(cmd, args[0])
	}
	var near []string
	if e, ok := err.(*pflag.NotExistError); ok && len(e.GetSpecifiedName()) > 1 {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Deprecated == "" {
				names = append(names, f.Name)
			}
		})
		for _, n := range env.Near(e.GetSpecifiedName(), names) {
			near = append(near, "--"+n)
		}
	}
	return Usagef("%w%s", err, meant(near, cmd))
}

// meant is the end of a message: the names that are near, or where to look.
func meant(near []string, cmd *cobra.Command) string {
	if len(near) > 0 {
		return fmt.Sprintf("; did you mean %s?", strings.Join(near, ", "))
	}
	return fmt.Sprintf("; see %q", cmd.CommandPath()+" --help")
}

// newHelpCmd is cobra's, but an unknown topic is an error.
func newHelpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND...]",
		Short: "Show the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			at := cmd.Root()
			for _, name := range args {
				next := child(at, name)
				if next == nil {
					return unknownCommand(at, name)
				}
				at = next
			}
			at.InitDefaultHelpFlag()
			at.InitDefaultVersionFlag()
			return at.Help()
		},
	}
}

// child finds a subcommand by name or alias.
func child(c *cobra.Command, name string) *cobra.Command {
	for _, sub := range c.Commands() {
		if sub.Name() == name || sub.HasAlias(name) {
			return sub
		}
	}
	return nil
}
