package window

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/internal/output"
	"github.com/ponder-agents/ponder/viz"
)

// formats are what a recording becomes besides its trace.
var formats = [...]string{"GIF", "MP4", "WebM", "trace"}

// An exportState is how far the writing of a film has come.
type exportState struct {
	text string
	done bool
}

// canSave reports whether there is a folder for recordings and pictures.
func (a *App) canSave() bool { return a.cfg.Dir != "" }

// recording reports whether a session records.
func (a *App) recording() bool { return a.record != "" }

func (a *App) nextFormat() { a.export.format = (a.export.format + 1) % len(formats) }

// fileName is a name for a new file that says what it shows.
func (a *App) fileName(ext string) string {
	h := a.sides[0].header
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, h.EnvID)
	seed := uint64(0)
	if s := a.sides[0].view.Step; s != nil {
		seed = s.Seed
	}
	for {
		a.count++
		path := filepath.Join(a.cfg.Dir, fmt.Sprintf("ponder-%s-%d-%d%s", clean, seed, a.count, ext))
		if _, err := os.Lstat(path); os.IsNotExist(err) || a.count > 100_000 {
			return path
		}
	}
}

// toggleRecord begins or ends a recording; a replay is exported as a whole.
func (a *App) toggleRecord() {
	if !a.live() {
		s := a.sides[0]
		if formats[a.export.format] == "trace" {
			a.say("this is a trace already: choose another format with F")
			return
		}
		a.exportFilm(s.file, s.header, a.fileName(formatExt(a.export.format)), "")
		return
	}
	if a.record == "" {
		a.record = a.fileName(".trace")
		a.sides[0].session.Send(session.Command{Op: session.OpRecord, Text: a.record})
		return
	}
	path := a.record
	a.record = ""
	a.sides[0].session.Send(session.Command{Op: session.OpStop})
	if formats[a.export.format] == "trace" {
		a.say("saved %s", path)
		return
	}
	a.exportFilm(nil, trace.Header{}, strings.TrimSuffix(path, ".trace")+formatExt(a.export.format), path)
}

func formatExt(i int) string { return "." + strings.ToLower(formats[i]) }

// exportFilm writes the film of h, or of the trace file at from, in the background.
func (a *App) exportFilm(h viz.History, header trace.Header, path, from string) {
	if e := a.export.state.Load(); e != nil && !e.done {
		a.say("still writing the film before: this one is kept as %s", from)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.export.cancel = cancel
	session := a.sides[0].session
	r := &viz.Reel{
		History: h, Header: header, Painters: a.cfg.Painters, Layer: a.layer,
		Options: viz.Options{Width: 960, Height: 600, Theme: a.theme},
	}
	a.export.state.Store(&exportState{text: "writing " + filepath.Base(path)})
	a.export.Go(func() {
		defer cancel()
		err := func() error {
			if from != "" {
				// The session ends the recording when it comes to the command.
				if err := waitFor(ctx, func() bool { return session.Status().Saved == from }); err != nil {
					return err
				}
				f, err := trace.Open(from)
				if err != nil {
					return err
				}
				defer f.Close()
				r.History, r.Header = f, f.Header()
			}
			return a.writeFilm(ctx, r, path)
		}()
		text := "saved " + path
		if err != nil {
			text = fmt.Sprintf("%s was not written: %v", filepath.Base(path), err)
			if from != "" {
				text += "; the recording is in " + from
			}
		}
		a.export.state.Store(&exportState{text: text, done: true})
	})
}

func (a *App) writeFilm(ctx context.Context, r *viz.Reel, path string) error {
	progress := func(done, all int) {
		a.export.state.Store(&exportState{text: fmt.Sprintf("writing %s, %d %%", filepath.Base(path), 100*done/all)})
	}
	return viz.WriteFilm(ctx, path, r, progress)
}

// savePicture writes what the window shows, but the bars' state under the pointer.
func (a *App) savePicture() {
	views := make([]*viz.View, len(a.sides))
	for i, s := range a.sides {
		views[i] = &s.view
	}
	o := a.pictureOptions()
	a.saveImage(viz.Frame(o, views...))
}

func (a *App) pictureOptions() viz.Options {
	return viz.Options{Width: int(a.in.Width * a.in.Scale), Height: int(a.in.Height * a.in.Scale), Scale: a.in.Scale, Theme: a.theme, Panes: a.shown()}
}

// saveSheet writes the contact sheet of the decision in view.
func (a *App) saveSheet() {
	a.saveImage(viz.Sheet(viz.Options{Scale: max(a.in.Scale, 1), Theme: a.theme}, &a.sides[0].view))
}

// saveImage writes a picture in the background: compressing it takes longer than a frame.
func (a *App) saveImage(img *image.RGBA) {
	if e := a.export.state.Load(); e != nil && !e.done {
		a.say("still writing: try again in a moment")
		return
	}
	path := a.fileName(".png")
	a.export.state.Store(&exportState{text: "writing " + filepath.Base(path)})
	a.export.Go(func() {
		text := "saved " + path
		if err := output.WriteFile(path, func(w io.Writer) error { return png.Encode(w, img) }); err != nil {
			text = err.Error()
		}
		a.export.state.Store(&exportState{text: text, done: true})
	})
}

// waitFor waits until a session has come to a command, which a segment of a large model can delay.
func waitFor(ctx context.Context, done func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("the session did not end the recording"))
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}
