package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/viz"
)

// A recording is the flags of record.
type recording struct {
	choice  session.Choice
	think   mindFlags
	trace   string
	out     string
	steps   int
	size    string
	scale   float64
	theme   string
	layer   string
	speed   float64
	step    int
	segment int
	sheet   bool
	frames  bool
	quiet   bool

	attention bool
}

func newRecordCmd() *cobra.Command {
	var r recording
	cmd := &cobra.Command{
		Use:   "record ENV|FILE --out X.gif|X.png|X.mp4|X.webm|X.trace",
		Short: "Play an episode, or read a trace, and write it as pictures or a film; needs no display",
		Example: `  ponder record maze --seed 3 --out maze.gif
  ponder record maze --agent oracle --out maze.trace
  ponder record --trace maze.trace --sheet --step 2 --out thought.png
  ponder record my-maze.txt --out my-maze.mp4 --theme light`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				r.choice.Env = args[0]
			}
			return r.run(cmd.Context(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&r.out, "out", "o", "", "file to write; its ending says what: gif, png, mp4, webm, trace")
	f.StringVar(&r.trace, "trace", "", "read this trace instead of playing")
	f.Uint64Var(&r.choice.Seed, "seed", 0, "seed of the episode")
	f.StringVar((*string)(&r.choice.Agent), "agent", "hrm", "who plays: hrm, oracle, random")
	f.StringVar(&r.choice.Model, "model", "", "model of hrm, a name or a path (default: the one shipped for ENV)")
	r.think.add(cmd)
	f.IntVar(&r.steps, "steps", 0, "stop after so many decisions (0: at the end of the episode)")
	f.StringVar(&r.size, "size", "960x600", "picture size in points")
	f.Float64Var(&r.scale, "scale", 1, "pixels a point, 0.5 to 4")
	f.StringVar(&r.theme, "theme", "dark", "dark or light")
	f.StringVar(&r.layer, "layer", "answer", "what lies over the board: answer, confidence, change-LEVEL (change-h, change-l), none")
	f.Float64Var(&r.speed, "speed", 1, "speed of the film")
	f.IntVar(&r.step, "step", 0, "png: the decision to show, from 1 (default: the first with thought)")
	f.IntVar(&r.segment, "segment", 0, "png: its segment, from 1 (default: the last)")
	f.BoolVar(&r.sheet, "sheet", false, "png: all segments of the decision on one page")
	f.BoolVar(&r.frames, "frames", false, "png: every frame of the film, as X-0001.png and so on")
	f.BoolVar(&r.attention, "attention", false, "keep the attention of every cell in the trace (large, slow)")
	f.BoolVarP(&r.quiet, "quiet", "q", false, "say nothing but errors")
	cli.Writes(f, "out", cli.File)
	return cmd
}

func (r *recording) options() (viz.Options, error) {
	theme, err := viz.ThemeNamed(r.theme)
	if err != nil {
		return viz.Options{}, cli.WithCode(cli.ExitUsage, err)
	}
	if !strings.HasPrefix(r.layer, "change-") {
		// Said before anything is opened; the levels are known only then.
		if err := viz.CheckLayer(trace.Header{}, r.layer); err != nil {
			return viz.Options{}, cli.Usagef("layer %q: want answer, confidence, change-LEVEL (change-h, change-l) or none", r.layer)
		}
	}
	var w, h int
	var rest string
	if n, _ := fmt.Sscanf(r.size+" ", "%dx%d%s", &w, &h, &rest); n != 2 || w < 160 || h < 120 || w > 8192 || h > 8192 {
		return viz.Options{}, cli.Usagef("size %q: want WIDTHxHEIGHT from 160x120 to 8192x8192", r.size)
	}
	px := func(v int) int { return int(float64(v)*r.scale + 0.5) }
	return viz.Options{Width: px(w), Height: px(h), Scale: r.scale, Theme: theme}, nil
}

func (r *recording) run(ctx context.Context, log io.Writer) error {
	kinds := append([]string{".gif", ".png"}, viz.FilmKinds()[1:]...)
	if r.out == "" {
		return cli.Usagef("--out is missing: a file ending in %s", strings.Join(kinds, ", "))
	}
	kind := strings.ToLower(filepath.Ext(r.out))
	if !slices.Contains(kinds, kind) {
		return cli.Usagef("--out %s: want a name ending in %s", r.out, strings.Join(kinds, ", "))
	}
	if (r.choice.Env == "") == (r.trace == "") {
		return cli.Usagef("give an environment or level file, or --trace FILE")
	}
	if r.choice.Agent == trace.Human {
		return cli.Usagef("a person plays in `ponder play`; record takes hrm, oracle or random")
	}
	if err := r.think.check(); err != nil {
		return err
	}
	o, err := r.options()
	if err != nil {
		return err
	}
	if kind == ".trace" && r.trace == "" {
		return r.playInto(ctx, log)
	}
	file, err := r.play(ctx, log)
	if err != nil {
		return err
	}
	defer file.Close()
	if ctx.Err() != nil { // what was played is drawn; a second signal ends the process
		ctx = context.WithoutCancel(ctx)
	}
	reel := &viz.Reel{History: file, Header: file.Header(), Painters: viz.FamilyPainters(), Options: o, Layer: r.layer, Speed: r.speed}
	drawn := 0
	meter := r.meter(log, "frames", 0)
	progress := func(done, all int) {
		if drawn == 0 {
			meter = r.meter(log, "frames", int64(all))
		}
		drawn = done
		meter.Update(int64(done))
	}
	if kind == ".png" {
		err = r.pictures(ctx, reel, progress)
	} else if err = viz.WriteFilm(ctx, r.out, reel, progress); errors.Is(err, viz.ErrNoFFmpeg) {
		err = cli.WithCode(cli.ExitEnvironment, err)
	}
	meter.Done()
	if cause := context.Cause(ctx); err != nil && cause != nil && errors.Is(err, cause) && drawn > 0 {
		return fmt.Errorf("%s has the first %d frames: %w", r.out, drawn, cause)
	}
	if err != nil {
		return err
	}
	first, end := file.Range()
	return r.wrote(ctx, log, end-first, file.Header())
}

// wrote says what was written, and ends as ctx does.
func (r *recording) wrote(ctx context.Context, log io.Writer, steps int, h trace.Header) error {
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("%s has the first %d steps: %w", r.out, steps, err)
	}
	if !r.quiet {
		fmt.Fprintf(log, "wrote %s: %d steps, %s\n", r.out, steps, viz.Who(h))
	}
	return nil
}

// meter shows progress on log.
func (r *recording) meter(log io.Writer, unit string, total int64) *runlog.Meter {
	if r.quiet {
		log = io.Discard
	}
	m := runlog.NewMeter(log, 0, total, time.Now)
	m.Unit = unit
	return m
}

// scene opens what is to be played.
func (r *recording) scene(log io.Writer) (*session.Scene, error) {
	s, err := openScene(r.choice, &r.think)
	if err != nil {
		return nil, err
	}
	if r.attention {
		t, err := session.WithAttention(s.Agent, s.World)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("--attention: %w", err), s.Agent.Close())
		}
		s.Agent = t
	}
	h := s.Header()
	if err := viz.CheckLayer(h, r.layer); err != nil {
		return nil, errors.Join(cli.WithCode(cli.ExitUsage, err), s.Agent.Close())
	}
	if h.Agent != r.choice.Agent && !r.quiet {
		fmt.Fprintf(log, "no model for %s: %s plays\n", h.EnvID, viz.AgentWords(h.Agent))
	}
	return s, nil
}

// A counter counts the steps that it hands on.
type counter struct {
	trace.Sink
	steps int
	meter *runlog.Meter
}

func (c *counter) Put(s *trace.Step) error {
	if err := c.Sink.Put(s); err != nil {
		return err
	}
	c.steps++
	c.meter.Update(int64(c.steps))
	return nil
}

// playAll plays the episode of s; where ctx ends after a step or more, these are what was played.
func (r *recording) playAll(ctx context.Context, log io.Writer, s *session.Scene, w trace.Sink) (steps int, err error) {
	c := &counter{Sink: w, meter: r.meter(log, "decisions", int64(r.steps))}
	err = session.Record(ctx, s, r.choice.Seed, r.steps, c)
	c.meter.Done()
	if cut := context.Cause(ctx); c.steps > 0 && cut != nil && errors.Is(err, cut) {
		err = nil
	}
	return c.steps, err
}

// playInto plays the episode into the trace that was asked for, step by step.
func (r *recording) playInto(ctx context.Context, log io.Writer) error {
	s, err := r.scene(log)
	if err != nil {
		return err
	}
	defer s.Agent.Close()
	w, err := trace.Create(r.out, s.Header())
	if err != nil {
		return err
	}
	steps, err := r.playAll(ctx, log, s, w)
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	return r.wrote(ctx, log, steps, s.Header())
}

// play plays the episode into memory, as the trace file that it would be, or opens the trace given.
func (r *recording) play(ctx context.Context, log io.Writer) (*trace.File, error) {
	if r.trace != "" {
		f, err := trace.Open(r.trace)
		if err != nil {
			return nil, err
		}
		if f.Damage() != nil && !r.quiet {
			fmt.Fprintf(log, "%s: %v\n", r.trace, f.Damage())
		}
		return f, cli.WithCode(cli.ExitUsage, viz.CheckLayer(f.Header(), r.layer))
	}
	s, err := r.scene(log)
	if err != nil {
		return nil, err
	}
	defer s.Agent.Close()
	return trace.InMemory(s.Header(), func(sink trace.Sink) error {
		steps, err := r.playAll(ctx, log, s, sink)
		if err == nil && ctx.Err() != nil && !r.quiet {
			fmt.Fprintf(log, "stopped: drawing the %d steps that were played; a second time ends at once\n", steps)
		}
		return err
	})
}

// pictures writes one picture, a contact sheet, or every frame.
func (r *recording) pictures(ctx context.Context, reel *viz.Reel, progress func(done, all int)) error {
	if r.frames {
		return viz.WriteFrames(ctx, strings.TrimSuffix(r.out, filepath.Ext(r.out)), reel, progress)
	}
	c, err := reel.Pick(r.step, r.segment)
	if err != nil {
		return cli.Usagef("--%w", err)
	}
	v, err := reel.View(c)
	if err != nil {
		return err
	}
	if r.sheet {
		return viz.SavePNG(r.out, viz.Sheet(reel.Options, v))
	}
	return viz.SavePNG(r.out, viz.Frame(reel.Options, v))
}
