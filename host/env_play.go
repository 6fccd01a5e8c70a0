package host

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/internal/output"
	"github.com/ponder-agents/ponder/viz/terminal"
)

// optionFlag adds --option, -o in every command.
func optionFlag(f *pflag.FlagSet, options *[]string) {
	f.StringArrayVarP(options, "option", "o", nil, "option of the environment, NAME=VALUE; may be repeated")
}

func newEnvPlayCmd() *cobra.Command {
	var (
		seed    uint64
		level   string
		options []string
	)
	cmd := &cobra.Command{
		Use:   "play ID",
		Short: "Walk a level in the terminal",
		Long: `Shows the level in the terminal and acts by keys: arrows, space (toggle), p (pickup), d (drop),
enter (done); : and a name or number does any other action. r begins a new episode, q ends.`,
		Example: "  ponder env play maze --seed 3",
		Args:    cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := openEnv(args[0], options)
			if err != nil {
				return err
			}
			w, err := session.WorldOf(e)
			if err != nil {
				return cli.WithCode(cli.ExitUsage, err)
			}
			fd := int(os.Stdin.Fd())
			if !term.IsTerminal(fd) {
				return cli.WithCode(cli.ExitEnvironment, fmt.Errorf("play needs a terminal; `ponder env show` needs none"))
			}
			l := session.NewLoop(&session.Scene{World: w, Agent: session.NewHuman()}, seed)
			if level != "" {
				text, err := open.LevelText(level)
				if err != nil {
					return err
				}
				if err := l.Load(text); err != nil {
					return fmt.Errorf("%s: %w", level, err)
				}
			}
			old, err := term.MakeRaw(fd)
			if err != nil {
				return cli.WithCode(cli.ExitEnvironment, err)
			}
			defer term.Restore(fd, old)
			context.AfterFunc(cmd.Context(), func() { term.Restore(fd, old) }) // heed ends the process
			return terminal.Play(l, os.Stdin, output.Raw(cmd.OutOrStdout()))
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", 0, "seed of the first level")
	cmd.Flags().StringVar(&level, "level", "", "level file to begin with")
	optionFlag(cmd.Flags(), &options)
	return cmd
}
