package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/record"
)

// A recording is the flags of record.
type recording struct {
	record.Recording
	choice       session.Choice
	think        ask.Mind
	trace        string
	worldOptions []string
	steps        int
	size         string
	theme        string
	quiet        bool
	survey       survey

	attention bool
}

func newRecordCmd() *cobra.Command {
	var r recording
	cmd := &cobra.Command{
		Use:   "record ENV|FILE|DIR --out X.gif|X.png|X.mp4|X.webm|X.trace",
		Short: "Play an episode, or read a trace, and write it as pictures or a film; needs no display",
		Long:  "Plays an environment, what is in a file, or a folder, and writes what happened.\n\n" + whatFiles,
		Example: `  ponder record maze --seed 3 --out maze.gif
  ponder record maze --agent oracle --out maze.trace
  ponder record maze.trace --sheet --step 2 --out thought.png
  ponder record my-maze.txt --out my-maze.mp4 --theme light`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if r.trace != "" {
					return cli.Usagef("give an environment, a file or a folder, or --trace FILE, not both")
				}
				path, err := named(args[0], &r.choice, &r.worldOptions)
				if err != nil {
					return err
				}
				r.trace = path
			}
			r.choice.Options = strings.Join(r.worldOptions, "\n")
			return r.run(cmd.Context(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.Out, "out", "", "file to write; its ending says what: gif, png, mp4, webm, trace")
	optionFlag(f, &r.worldOptions)
	f.StringVar(&r.trace, "trace", "", "read this trace instead of playing")
	f.Uint64Var(&r.choice.Seed, "seed", 0, "seed of the episode")
	wholeFlag(f, &r.choice)
	r.survey.add(f)
	f.StringVar((*string)(&r.choice.Agent), "agent", "hrm", "who plays: hrm, oracle, random")
	f.StringVar(&r.choice.Model, "model", "", "model of hrm, a name or a path (default: the one shipped for ENV)")
	r.think.Add(cmd)
	f.IntVar(&r.steps, "steps", 0, "stop after so many decisions (0: at the end of the episode)")
	f.StringVar(&r.size, "size", "960x600", "picture size in points")
	f.Float64Var(&r.Scale, "scale", 1, "pixels a point, 0.5 to 4")
	f.StringVar(&r.theme, "theme", "dark", "dark or light")
	f.StringVar(&r.Layer, "layer", "answer", "what lies over the board: answer, confidence, change-LEVEL (change-h, change-l), none")
	f.Float64Var(&r.Speed, "speed", 1, "speed of the film")
	f.IntVar(&r.Step, "step", 0, "png: the decision to show, from 1 (default: the first with thought)")
	f.IntVar(&r.Segment, "segment", 0, "png: its segment, from 1 (default: the last)")
	f.BoolVar(&r.Sheet, "sheet", false, "png: all segments of the decision on one page")
	f.BoolVar(&r.Frames, "frames", false, "png: every frame of the film, as X-0001.png and so on")
	f.BoolVar(&r.attention, "attention", false, "keep the attention of every cell in the trace (large, slow)")
	f.BoolVarP(&r.quiet, "quiet", "q", false, "say nothing but errors")
	cli.Writes(f, "out", cli.File)
	return cmd
}

// wholeFlag adds --whole.
func wholeFlag(f *pflag.FlagSet, c *session.Choice) {
	f.BoolVar(&c.Whole, "whole", false, "a thought is an episode: its answer is given as a whole, not digit by digit (sudoku)")
}

// options checks the flags of the picture.
func (r *recording) options() (err error) {
	if r.Theme, err = viz.ThemeNamed(r.theme); err != nil {
		return cli.WithCode(cli.ExitUsage, err)
	}
	var w, h int
	var rest string
	if n, _ := fmt.Sscanf(r.size+" ", "%dx%d%s", &w, &h, &rest); n != 2 || w < 160 || h < 120 || w > 8192 || h > 8192 {
		return cli.Usagef("size %q: want WIDTHxHEIGHT from 160x120 to 8192x8192", r.size)
	}
	px := func(v int) int { return int(float64(v)*r.Scale + 0.5) }
	r.Width, r.Height = px(w), px(h)
	return nil
}

func (r *recording) run(ctx context.Context, log io.Writer) error {
	if err := r.Check(); err != nil {
		return cli.Usagef("--%w", err)
	}
	if r.choice.Env == "" && r.trace == "" {
		return cli.Usagef("give an environment, a file or a folder, or --trace FILE")
	}
	if r.trace != "" && r.survey.failed {
		return cli.Usagef("--failed tries levels, a trace has been played")
	}
	if r.trace != "" && len(r.worldOptions) > 0 {
		return cli.Usagef("--option is of an environment, a trace has none")
	}
	if r.choice.Agent == trace.Human {
		return cli.Usagef("a person plays in `ponder play`; record takes hrm, oracle or random")
	}
	if err := r.think.Check(); err != nil {
		return err
	}
	if err := r.options(); err != nil {
		return err
	}
	if !r.quiet {
		r.Log = log
	}
	err := r.write(ctx)
	if _, ok := errors.AsType[*record.PickError](err); ok {
		return cli.WithCode(cli.ExitUsage, err)
	}
	if errors.Is(err, viz.ErrNoFFmpeg) {
		return cli.WithCode(cli.ExitEnvironment, err)
	}
	return err
}

// write plays and writes, or draws the trace given.
func (r *recording) write(ctx context.Context) error {
	if r.trace != "" {
		f, err := trace.Open(r.trace)
		if err != nil {
			return err
		}
		defer f.Close()
		return r.Draw(ctx, f)
	}
	if r.survey.failed {
		log := r.Log
		if log == nil {
			log = io.Discard
		}
		if _, none, err := r.survey.of(ctx, &r.think, &r.choice, log); err != nil || none {
			return err
		}
	}
	s, err := r.think.Scene(r.choice)
	if err != nil {
		return err
	}
	defer func() { s.Agent.Close() }()
	if r.attention {
		t, err := session.WithAttention(s.Agent, s.World)
		if err != nil {
			return fmt.Errorf("--attention: %w", err)
		}
		s.Agent = t
	}
	if h := s.Header(); h.Agent != r.choice.Agent && r.Log != nil {
		fmt.Fprintf(r.Log, "no model for %s: %s plays\n", h.EnvID, viz.AgentWords(h.Agent))
	}
	return r.Play(ctx, s, r.choice.Seed, r.steps)
}
