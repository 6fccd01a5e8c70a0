//go:build !nowindow

package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/internal/text"
	"github.com/ponder-agents/ponder/internal/yielding"
	"github.com/ponder-agents/ponder/models"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/window"
)

// A playing is the flags of play.
type playing struct {
	choice  session.Choice
	think   ask.Mind
	traces  []string
	options []string
	theme   string
	zoom    float64
	dir     string
	paused  bool
	follow  string
	survey  survey

	attention bool
	followed  *open.Following // the run in the folder follow, or nil
}

func newPlayCmd() *cobra.Command {
	var p playing
	cmd := &cobra.Command{
		Use:   "play [ENV|FILE|DIR]",
		Short: "Open the window in which an agent thinks and acts, or replay a trace",
		Long:  "Opens the window on an environment, on what is in a file, or on a folder.\n\n" + whatFiles,
		Example: `  ponder play
  ponder play MiniGrid-DoorKey-8x8-v0 --agent human
  ponder play my-maze.txt
  ponder play runs/maze
  ponder play --run runs/doorkey
  ponder play dataset:data/mine --failed --model runs/mine
  ponder play run.trace
  ponder play --trace a.trace --trace b.trace`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.choice.Env = "maze"
			if p.follow != "" {
				if len(args) > 0 || len(p.traces) > 0 || p.choice.Model != "" {
					return cli.Usagef("--run says what is played: no environment, --trace or --model besides")
				}
				var err error
				if p.followed, err = open.Follow(p.follow); err != nil {
					return err
				}
				p.choice.Env, p.choice.Model, p.options = p.followed.World, p.followed.Model, slices.Concat(p.followed.Options, p.options)
			}
			if len(args) == 1 {
				if len(p.traces) > 0 {
					return cli.Usagef("give an environment, a file or a folder, or --trace FILE, not both")
				}
				path, err := named(args[0], &p.choice, &p.options)
				if err != nil {
					return err
				}
				if path != "" {
					p.traces = []string{path}
				}
			}
			p.choice.Options = strings.Join(p.options, "\n")
			return p.run(cmd.Context(), cmd.Flags().Changed("theme"), cmd.Flags().Changed("zoom"))
		},
	}
	f := cmd.Flags()
	f.StringVar(&p.choice.Model, "model", "", "model of hrm, a name or a path (default: the one shipped for ENV)")
	p.think.Add(cmd)
	optionFlag(f, &p.options)
	f.StringVar((*string)(&p.choice.Agent), "agent", "hrm", "who plays: hrm, oracle, random, human")
	f.Uint64Var(&p.choice.Seed, "seed", 0, "seed of the first episode")
	wholeFlag(f, &p.choice)
	p.survey.add(f)
	f.StringArrayVar(&p.traces, "trace", nil, "replay this trace; twice: two side by side")
	f.StringVar(&p.follow, "run", "", "follow the run in this folder while it trains: its newest checkpoint plays, beside its curve, at the lowest priority")
	f.StringVar(&p.theme, "theme", "dark", "dark or light (default: as it was left)")
	f.Float64Var(&p.zoom, "zoom", 1, "size of text and controls, 0.75 to 3 (default: as it was left)")
	f.StringVar(&p.dir, "dir", ".", "folder for recordings and pictures")
	f.BoolVar(&p.attention, "attention", false, "keep the attention of every cell in what is recorded (large, slow)")
	f.BoolVar(&p.paused, "paused", false, "begin in pause")
	cli.Writes(f, "dir", cli.IntoFolder)
	return cmd
}

func (p *playing) run(ctx context.Context, theme, zoom bool) error {
	cfg := window.Config{Painters: viz.FamilyPainters(), Dir: p.dir, Play: !p.paused}
	place := placeFile()
	kept := window.Remembered(place)
	cfg.Light, cfg.Zoom, cfg.Recent = kept.Light, kept.Zoom, kept.Recent
	cfg.Tour = !kept.Toured && place != ""
	cfg.Gallery = open.Gallery()
	cfg.Open, cfg.OpenPath, cfg.Envs, cfg.Agents = p.open, openPath, env.Names(), window.Agents(shippedModels())
	if theme {
		t, err := viz.ThemeNamed(p.theme)
		if err != nil {
			return cli.WithCode(cli.ExitUsage, err)
		}
		cfg.Light = t.Name == "light"
	}
	if zoom {
		cfg.Zoom = p.zoom
	}
	title := "ponder"
	for _, path := range p.traces {
		t, err := openTrace(path)
		if err != nil {
			return err
		}
		if t.Damage != "" {
			fmt.Fprintf(os.Stderr, "%s: %s\n", text.Plain(path), t.Damage)
		}
		cfg.Traces = append(cfg.Traces, t)
		title = "ponder: " + filepath.Base(path)
	}
	if len(cfg.Traces) > 0 && p.survey.failed {
		return cli.Usagef("--failed tries levels, a recording has been played")
	}
	if len(cfg.Traces) == 0 {
		// Said before the window opens, where a terminal shows it.
		if err := p.choice.Check(); err != nil {
			return cli.WithCode(cli.ExitUsage, err)
		}
		if err := p.think.Check(); err != nil {
			return err
		}
		if _, err := open.World(p.choice.Env, p.options...); err != nil {
			return ask.Code(err)
		}
		if p.choice.Model != "" && p.choice.Agent == trace.Network {
			c, err := ask.Checkpoint(p.choice.Model)
			if err != nil {
				return err
			}
			if err := c.Close(); err != nil {
				return err
			}
		}
		if p.followed != nil {
			if err := yielding.Begin(); err != nil {
				fmt.Fprintf(os.Stderr, "the run may learn more slowly beside this window: %v\n", err)
			}
			s, err := p.open(ctx, p.choice) // what is wrong with it is said in the terminal too
			if err == nil {
				err = s.Agent.Close()
			}
			if err != nil {
				return err
			}
			var end func()
			cfg.Panes, end = p.watch()
			defer end()
			title = "ponder: " + filepath.Base(p.follow)
		}
		if p.survey.failed {
			all, none, err := p.survey.of(ctx, &p.think, &p.choice, os.Stderr)
			if err != nil || none {
				return err
			}
			cfg.Examples = all
		}
	}
	cfg.Choice = p.choice
	app, err := window.New(cfg)
	if err != nil {
		return cli.WithCode(cli.ExitUsage, err)
	}
	stop := context.AfterFunc(ctx, app.Quit)
	defer stop()
	err = window.Run(app, window.Options{Title: title, Place: place})
	if errors.Is(err, window.ErrNoDisplay) {
		return cli.WithCode(cli.ExitEnvironment, err)
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	return err
}

// open opens a scene for the window, keeping attention if asked to and where the agent has any.
func (p *playing) open(_ context.Context, c session.Choice) (*session.Scene, error) {
	scene := p.think.Scene
	if p.followed != nil {
		scene = func(c session.Choice) (*session.Scene, error) {
			s, err := p.followed.Scene(c, p.think.Wishes, p.think.Run)
			return s, ask.Code(err)
		}
	}
	s, err := scene(c)
	if err != nil || !p.attention {
		return s, err
	}
	if t, err := session.WithAttention(s.Agent, s.World); err == nil {
		s.Agent = t
	}
	return s, nil
}

// watch is the panes of a window that follows a run, whose curve is read every two seconds until end.
func (p *playing) watch() (panes []viz.Pane, end func()) {
	var now atomic.Pointer[viz.Progress]
	look := func() {
		c, err := run.ReadCurve(p.follow)
		was := now.Load()
		if err != nil || was != nil && len(was.Steps) == len(c.Steps) && was.Shown == p.followed.Shown() {
			return
		}
		now.Store(&viz.Progress{Name: c.Name, Steps: c.Steps, Values: c.Values, Shown: p.followed.Shown()})
	}
	look()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for tick := time.NewTicker(2 * time.Second); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				look()
			}
		}
	})
	panes = viz.Panes()
	at := slices.IndexFunc(panes, func(p viz.Pane) bool { return p.ID == "thought" })
	return slices.Insert(panes, at, viz.ProgressPane(now.Load)), func() {
		cancel()
		done.Wait()
	}
}

// canPlay reports whether a window can be opened.
func canPlay() bool { return window.HasDisplay() }

// shippedModels are those of this build, as the window lists them.
func shippedModels() (list []window.Model) {
	for _, name := range models.Names() {
		m := window.Model{Name: name, Fits: func(spec env.Spec) error { return models.Fits(name, spec) }}
		if c, err := models.Card(name); err == nil {
			m.About, m.World = c.Summary, c.Env
		}
		list = append(list, m)
	}
	return list
}

// openPath opens what a person picked in the window.
func openPath(path string) (session.Choice, *window.Trace, error) {
	c := session.Choice{Agent: trace.Network}
	var options []string
	recording, err := named(path, &c, &options)
	if err != nil {
		return c, nil, err
	}
	c.Options = strings.Join(options, "\n")
	if recording != "" {
		t, err := openTrace(recording)
		return c, &t, err
	}
	return c, nil, nil
}

// openTrace opens a recording; the window closes nothing, as a reader of it lives as long as it does.
func openTrace(path string) (window.Trace, error) {
	f, err := trace.Open(path)
	if err != nil {
		return window.Trace{}, err
	}
	t := window.Trace{Name: filepath.Base(path), Header: f.Header(), History: f}
	if f.Damage() != nil {
		t.Damage = f.Damage().Error()
	}
	return t, nil
}

// placeFile is where the window's place is remembered, empty where there is no such folder.
func placeFile() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "ponder", "window.json")
}

// showDemo opens the window on what the demo shows; shown is false where there is no display.
func showDemo(ctx context.Context, c session.Choice) (shown bool, err error) {
	p := playing{dir: "."}
	p.choice = c
	err = p.run(ctx, false, false)
	return !errors.Is(err, window.ErrNoDisplay), err
}
