// Package record plays an episode, or takes a trace, and writes it as a trace, a film or pictures. It needs no display.
package record

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/viz"
)

// Kinds are the endings of what can be written.
func Kinds() []string { return append([]string{".gif", ".png"}, viz.FilmKinds()[1:]...) }

// A Recording says what is written, and how.
type Recording struct {
	Out string // its ending is one of Kinds and says what
	viz.Options
	Layer string  // over the board, see viz.CheckLayer; "" is the answer
	Speed float64 // of a film; 0 means 1

	Step    int  // png: the decision to show, from 1; 0 is the first with thought
	Segment int  // png: its segment, from 1; 0 is the last
	Sheet   bool // png: all segments of the decision on one page
	Frames  bool // png: every frame of the film, as X-0001.png and so on

	Log io.Writer // progress and notes; nil for none
}

// A PickError is about a layer, step or segment that there is not.
type PickError struct{ error }

// Unwrap gives what is wrong.
func (e *PickError) Unwrap() error { return e.error }

// checkLayer checks the layer against what was played.
func (r *Recording) checkLayer(h trace.Header) error {
	if err := viz.CheckLayer(h, r.layer()); err != nil {
		return &PickError{err}
	}
	return nil
}

func (r *Recording) layer() string { return cmp.Or(r.Layer, "answer") }
func (r *Recording) kind() string  { return strings.ToLower(filepath.Ext(r.Out)) }

// Check reports what is wrong with r.
func (r *Recording) Check() error {
	switch {
	case r.Out == "":
		return fmt.Errorf("out is missing: a file ending in %s", strings.Join(Kinds(), ", "))
	case !slices.Contains(Kinds(), r.kind()):
		return fmt.Errorf("out %s: want a name ending in %s", r.Out, strings.Join(Kinds(), ", "))
	case !strings.HasPrefix(r.Layer, "change-"): // the levels are known only when something is opened
		if err := viz.CheckLayer(trace.Header{}, r.layer()); err != nil {
			return fmt.Errorf("layer %q: want answer, confidence, change-LEVEL (change-h, change-l) or none", r.Layer)
		}
	}
	return nil
}

// Play plays an episode in s, to its end or for so many steps if they are not 0, and writes it. Where ctx ends after a
// step or more, what was played is written all the same, and ctx's cause is returned.
func (r *Recording) Play(ctx context.Context, s *session.Scene, seed uint64, steps int) error {
	if err := errors.Join(r.Check(), r.checkLayer(s.Header())); err != nil {
		return err
	}
	if r.kind() == ".trace" {
		w, err := trace.Create(r.Out, s.Header())
		if err != nil {
			return err
		}
		n, err := r.play(ctx, s, seed, steps, w)
		if err := errors.Join(err, w.Close()); err != nil {
			return err
		}
		return r.wrote(ctx, n, s.Header())
	}
	f, done, err := r.played(s.Header(), func(sink trace.Sink) error {
		n, err := r.play(ctx, s, seed, steps, sink)
		if err == nil && ctx.Err() != nil {
			fmt.Fprintf(r.log(), "stopped: drawing the %d steps that were played; a second time ends at once\n", n)
		}
		return err
	})
	if err != nil {
		return err
	}
	_, n := f.Range()
	if err := done(r.draw(ctx, f)); err != nil {
		return err
	}
	return r.wrote(ctx, n, s.Header())
}

// played opens what put plays, which grows meanwhile in a trace beside Out, so that a kill leaves it; done closes that and
// removes it, unless Out could not be drawn whole. Where something has its name, memory takes its place.
func (r *Recording) played(h trace.Header, put func(trace.Sink) error) (f *trace.File, done func(error) error, err error) {
	path := r.Out + ".trace"
	w, err := func() (*trace.Writer, error) {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return nil, fs.ErrExist
		}
		return trace.Create(path, h)
	}()
	if err != nil {
		f, err := trace.InMemory(h, put)
		return f, func(err error) error { return errors.Join(err, f.Close()) }, err
	}
	keep := func(err error) error {
		if _, none := os.Lstat(path); none != nil {
			return err
		}
		return fmt.Errorf("%w; what was played is in %s", err, path)
	}
	if err := errors.Join(put(w), w.Close()); err != nil {
		return nil, nil, keep(err)
	}
	if f, err = trace.Open(path); err != nil {
		return nil, nil, err
	}
	return f, func(err error) error {
		closed := f.Close()
		if _, asked := errors.AsType[*PickError](err); err != nil && !asked {
			return errors.Join(keep(err), closed)
		}
		return errors.Join(err, closed, os.Remove(path))
	}, nil
}

// Draw writes what f holds.
func (r *Recording) Draw(ctx context.Context, f *trace.File) error {
	if err := errors.Join(r.Check(), r.checkLayer(f.Header())); err != nil {
		return err
	}
	if f.Damage() != nil {
		fmt.Fprintln(r.log(), f.Damage())
	}
	if err := r.draw(ctx, f); err != nil {
		return err
	}
	_, n := f.Range()
	return r.wrote(ctx, n, f.Header())
}

func (r *Recording) log() io.Writer {
	if r.Log == nil {
		return io.Discard
	}
	return r.Log
}

func (r *Recording) meter(unit string, total int64) *runlog.Meter {
	m := runlog.NewMeter(r.log(), 0, total, time.Now)
	m.Unit = unit
	return m
}

// A counter counts the steps that it hands on.
type counter struct {
	trace.Sink
	steps int
	meter *runlog.Meter
}

// Put implements trace.Sink.
func (c *counter) Put(s *trace.Step) error {
	if err := c.Sink.Put(s); err != nil {
		return err
	}
	c.steps++
	c.meter.Update(int64(c.steps))
	return nil
}

// play plays the episode into w; where ctx ends after a step or more, these are what was played.
func (r *Recording) play(ctx context.Context, s *session.Scene, seed uint64, most int, w trace.Sink) (steps int, err error) {
	c := &counter{Sink: w, meter: r.meter("decisions", int64(most))}
	err = session.Record(ctx, s, seed, most, c)
	c.meter.Done()
	if cut := context.Cause(ctx); c.steps > 0 && cut != nil && errors.Is(err, cut) {
		err = nil
	}
	return c.steps, err
}

// draw draws all of f; where ctx has ended before, what was played is drawn, and a second signal ends the process.
func (r *Recording) draw(ctx context.Context, f *trace.File) error {
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	reel := &viz.Reel{History: f, Header: f.Header(), Painters: viz.FamilyPainters(), Options: r.Options, Layer: r.layer(), Speed: cmp.Or(r.Speed, 1)}
	drawn := 0
	meter := r.meter("frames", 0)
	progress := func(done, all int) {
		if drawn == 0 {
			meter = r.meter("frames", int64(all))
		}
		drawn = done
		meter.Update(int64(done))
	}
	var err error
	switch {
	case r.kind() != ".png":
		err = viz.WriteFilm(ctx, r.Out, reel, progress)
	case r.Frames:
		err = viz.WriteFrames(ctx, strings.TrimSuffix(r.Out, filepath.Ext(r.Out)), reel, progress)
	default:
		err = r.picture(reel)
	}
	meter.Done()
	if cause := context.Cause(ctx); err != nil && cause != nil && errors.Is(err, cause) && drawn > 0 {
		return fmt.Errorf("%s has the first %d frames: %w", r.Out, drawn, cause)
	}
	return err
}

// picture writes one picture or a sheet.
func (r *Recording) picture(reel *viz.Reel) error {
	c, err := reel.Pick(r.Step, r.Segment)
	if err != nil {
		return &PickError{err}
	}
	v, err := reel.View(c)
	if err != nil {
		return err
	}
	if r.Sheet {
		return viz.SavePNG(r.Out, viz.Sheet(reel.Options, v))
	}
	return viz.SavePNG(r.Out, viz.Frame(reel.Options, v))
}

// wrote says what was written, and ends as ctx does.
func (r *Recording) wrote(ctx context.Context, steps int, h trace.Header) error {
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("%s has the first %d steps: %w", r.Out, steps, err)
	}
	fmt.Fprintf(r.log(), "wrote %s: %d steps, %s\n", r.Out, steps, viz.Who(h))
	return nil
}
