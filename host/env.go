package host

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/minigrid"
	"github.com/ponder-agents/ponder/viz"
)

func newEnvCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Worlds: list, show, play, check, replay, solve",
	}
	cmd.AddCommand(newEnvListCmd(), newEnvShowCmd(), newEnvPlayCmd(), newEnvCheckCmd(), newEnvReplayCmd(),
		newEnvSolveCmd())
	return cmd
}

// openEnv opens an environment; a wrong id or option is an error of usage.
func openEnv(id string, options []string) (env.Env, error) {
	e, err := env.Make(id, options...)
	return e, cli.WithCode(cli.ExitUsage, err)
}

// checkEnv reports that there is no such environment, before anything else is done.
func checkEnv(id string, options []string) error {
	e, err := openEnv(id, options)
	if err != nil {
		return err
	}
	return env.Close(e)
}

// entries are the environments that the patterns match; a pattern without any is an error of usage.
func entries(patterns []string) ([]env.Entry, error) {
	found, err := env.Find(patterns...)
	return found, cli.WithCode(cli.ExitUsage, err)
}

func newEnvListCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list [PATTERN...]",
		Short:   "List environments; in a pattern * stands for anything",
		Example: "  ponder env list\n  ponder env list 'MiniGrid-*' --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := entries(args)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if !asJSON {
				w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
				for _, e := range found {
					id := e.ID
					if len(e.Aliases) > 0 {
						id += " (" + strings.Join(e.Aliases, ", ") + ")"
					}
					fmt.Fprintf(w, "%s\t%s\n", id, e.About)
				}
				return w.Flush()
			}
			list := []env.About{}
			for _, e := range found {
				list = append(list, e.Describe())
			}
			return cli.PrintJSON(out, list)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print ids, options and specs as JSON")
	return cmd
}

// paint draws an environment in tiles of the given size, or only what the agent sees.
func paint(e env.Env, tile int, partial bool) (*image.RGBA, error) {
	id := e.Spec().ID
	if partial {
		v, ok := env.As[interface{ View(tile int) *image.RGBA }](e)
		if !ok {
			return nil, cli.Usagef("%s has no partial view", id)
		}
		return v.View(tile), nil
	}
	img, err := env.Picture(e, tile)
	return img, cli.WithCode(cli.ExitUsage, err)
}

func newEnvShowCmd() *cobra.Command {
	var (
		seed    uint64
		actions string
		tile    int
		partial bool
		out     string
		level   string
		options []string
	)
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a level as text, or with --out as a picture",
		Example: "  ponder env show maze --seed 3\n  ponder env show MiniGrid-DoorKey-8x8-v0 --seed 3 --actions 2,1 --out doorkey.png",
		Args:    cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if tile < 1 || tile > 256 {
				return cli.Usagef("--tile %d: want 1 to 256", tile)
			}
			e, err := openEnv(args[0], options)
			if err != nil {
				return err
			}
			acts, err := env.ParseActions(actions, e.Spec())
			if err != nil {
				return cli.WithCode(cli.ExitUsage, err)
			}
			text := ""
			if level != "" {
				if text, err = open.LevelText(level); err != nil {
					return err
				}
			}
			if err := env.Begin(e, seed, text, acts); err != nil {
				return fmt.Errorf("%s%w", prefix(level), err)
			}
			if out == "" && !partial {
				l, ok := env.As[env.Leveler](e)
				if !ok {
					return cli.Usagef("%s has no text form; use --out FILE.png", args[0])
				}
				text, err := l.Level()
				if err != nil {
					return err
				}
				_, err = io.WriteString(cmd.OutOrStdout(), text)
				return err
			}
			if out == "" {
				return cli.Usagef("--partial needs --out FILE.png")
			}
			img, err := paint(e, tile, partial)
			if err != nil {
				return err
			}
			if out == "-" {
				return png.Encode(cmd.OutOrStdout(), img)
			}
			return viz.SavePNG(out, img)
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&seed, "seed", 0, "seed of the level")
	f.StringVar(&actions, "actions", "", "actions to take first, as numbers or names with commas")
	f.IntVar(&tile, "tile", 32, "pixels a cell")
	f.BoolVar(&partial, "partial", false, "draw what the agent sees")
	f.StringVar(&out, "out", "", "PNG file to write; - is stdout; none prints text")
	cli.Writes(f, "out", cli.File)
	f.StringVar(&level, "level", "", "level file in the family's text form to show instead")
	optionFlag(f, &options)
	return cmd
}

// prefix is the name of a file before what is wrong with it.
func prefix(file string) string {
	if file == "" {
		return ""
	}
	return file + ": "
}

func newEnvCheckCmd() *cobra.Command {
	var options []string
	cmd := &cobra.Command{
		Use:     "check [PATTERN...]",
		Short:   "Check that environments keep the promises of package env",
		Example: "  ponder env check\n  ponder env check 'MiniGrid-*'",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := entries(args)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			failed, err := env.CheckAll(cmd.Context(), found, options, func(id string, err error) error {
				switch none, ok := errors.AsType[*env.MakeError](err); {
				case ok && len(args) > 0:
					return cli.WithCode(cli.ExitUsage, none)
				case ok:
					fmt.Fprintf(cmd.ErrOrStderr(), "skipped: %v\n", none)
				case err != nil:
					fmt.Fprintf(out, "FAIL %s\n     %s\n", id, strings.ReplaceAll(err.Error(), "\n", "\n     "))
				default:
					fmt.Fprintf(out, "ok   %s\n", id)
				}
				return nil
			})
			if err != nil {
				return err
			}
			if failed > 0 {
				return fmt.Errorf("%d of %d environments break a promise", failed, len(found))
			}
			return nil
		},
	}
	optionFlag(cmd.Flags(), &options)
	return cmd
}

func newEnvReplayCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "replay FILE.jsonl[.gz]",
		Short:   "Replay episodes recorded from MiniGrid and print what differs",
		Example: "  ponder env replay episodes.jsonl.gz",
		Args:    cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if args[0] != "-" {
				if info, err := os.Stat(args[0]); err == nil && info.Mode().IsRegular() && trace.Is(args[0]) {
					return fmt.Errorf("%s: a recording of ponder's, not episodes of MiniGrid; ponder trace show reads it", args[0])
				}
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			defer out.Flush()
			sum, err := minigrid.ReplayAll(cmd.Context(), in, func(differs string) { fmt.Fprintln(out, differs) })
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			fmt.Fprintf(out, "%d ids, %d episodes, %d steps, %d episodes differ\n", sum.IDs, sum.Episodes, sum.Steps, sum.Differ)
			switch {
			case sum.Differ > 0:
				return fmt.Errorf("%s: %d of %d episodes differ", args[0], sum.Differ, sum.Episodes)
			case sum.Episodes == 0:
				return fmt.Errorf("%s: no traces", args[0])
			}
			return nil
		},
	}
}
