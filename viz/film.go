package viz

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/internal/output"
)

// FilmKinds are the endings of the files that WriteFilm writes.
func FilmKinds() []string { return []string{".gif", ".mp4", ".webm", ".trace"} }

// WriteFilm writes the film of r to path, as its ending says. What stood at path is replaced only by a
// film that can be played. progress, if not nil, is told how many of all frames are done. Where ctx ends, the
// film has the frames that are drawn by then, and the error is ctx's cause.
func WriteFilm(ctx context.Context, path string, r *Reel, progress func(done, all int)) error {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".gif":
		var cut error
		err := output.WriteFile(path, func(w io.Writer) error {
			drawn := 0
			err := WriteGIF(ctx, w, r, func(done, all int) {
				if drawn = done; progress != nil {
					progress(done, all)
				}
			})
			if cause := context.Cause(ctx); drawn > 0 && cause != nil && err == cause {
				cut = cause
				return nil
			}
			return err
		})
		return errors.Join(err, cut)
	case ".mp4", ".webm":
		return WriteVideo(ctx, path, r, progress)
	case ".trace":
		return output.WriteFile(path, func(w io.Writer) error { return trace.Copy(w, r.Header, r.History) })
	default:
		return fmt.Errorf("%s: want a name ending in %s", path, strings.Join(FilmKinds(), ", "))
	}
}

// WriteFrames writes every frame of the film of r as a picture of its own, as it is drawn: BASE-0001.png and
// so on. Nobody named these files, so only frames of before are replaced.
func WriteFrames(ctx context.Context, base string, r *Reel, progress func(done, all int)) error {
	cuts, err := r.Cuts()
	if err != nil {
		return err
	}
	name := func(i int) string { return fmt.Sprintf("%s-%04d.png", base, i+1) }
	for i := range cuts {
		if err := mayReplace(name(i)); err != nil {
			return err
		}
	}
	for i, c := range cuts {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		img, err := r.Draw(c)
		if err != nil {
			return err
		}
		if err := SavePNG(name(i), img); err != nil {
			return err
		}
		if progress != nil {
			progress(i+1, len(cuts))
		}
	}
	return nil
}

// mayReplace refuses a file that is there and is no picture that WritePNG wrote.
func mayReplace(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode().IsRegular() {
		var f *os.File
		if f, err = os.Open(path); err == nil {
			defer f.Close()
			if info.Size() == 0 || IsOurs(f) {
				return nil
			}
		}
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: it is there and no frame of ponder's; move it away or choose another name", path)
}

// SavePNG writes img to the file at path, which is replaced only by a whole picture.
func SavePNG(path string, img image.Image) error {
	return output.WriteFile(path, func(w io.Writer) error { return WritePNG(w, img) })
}

// Pick is the frame of a decision and a segment of it, both counted from 1: 0 means the first decision
// with thought, and the last segment.
func (r *Reel) Pick(decision, segment int) (Cut, error) {
	first, end := r.History.Range()
	c := Cut{Step: first, Glide: 1}
	if decision > 0 {
		if c.Step = first + decision - 1; c.Step >= end {
			return c, fmt.Errorf("step %d: the trace has %d", decision, end-first)
		}
	} else {
		for n := first; n < end; n++ {
			if info, _ := r.History.Info(n); info.Segments > 0 {
				c.Step = n
				break
			}
		}
	}
	info, _ := r.History.Info(c.Step)
	c.Segment = info.Segments - 1
	if segment > 0 {
		if c.Segment = segment - 1; c.Segment >= info.Segments {
			return c, fmt.Errorf("segment %d: step %d has %d", segment, c.Step-first+1, info.Segments)
		}
	}
	return c, nil
}

// ThemeNamed is the theme of that name.
func ThemeNamed(name string) (*Theme, error) {
	for _, t := range []*Theme{Dark(), Light()} {
		if t.Name == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("theme %q: want dark or light", name)
}

// CheckLayer reports what is wrong with the ID of a layer for films of what h describes, in which no cell
// is picked. An agent without levels, as one that plays because there is no model, has nothing to show
// of any change, which the picture says.
func CheckLayer(h trace.Header, id string) error {
	if len(h.Levels) == 0 && strings.HasPrefix(id, "change-") {
		return nil
	}
	var ids []string
	for _, l := range Layers(h) {
		if !l.Cell {
			ids = append(ids, l.ID)
		}
	}
	if !slices.Contains(ids, id) {
		return fmt.Errorf("layer %q: want one of %s", id, strings.Join(ids, ", "))
	}
	return nil
}
