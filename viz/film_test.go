package viz_test

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// TestWriteFilm: the ending says what is written.
func TestWriteFilm(t *testing.T) {
	dir := t.TempDir()
	r := reel(t)
	r.Options = viz.Options{Width: 160, Height: 120}
	for ext, magic := range map[string]string{".gif": "GIF89a", ".trace": "ponder"} {
		path := filepath.Join(dir, "film"+ext)
		if err := viz.WriteFilm(t.Context(), path, r, nil); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || !strings.Contains(string(b[:min(16, len(b))]), magic) {
			t.Errorf("%s begins with %q (%v)", ext, b[:min(16, len(b))], err)
		}
	}
	if err := viz.WriteFilm(t.Context(), filepath.Join(dir, "film.avi"), r, nil); err == nil || !strings.Contains(err.Error(), ".webm") {
		t.Errorf("error %v, want the endings", err)
	}
	if err := viz.WriteFrames(t.Context(), filepath.Join(dir, "f"), r, nil); err != nil {
		t.Fatal(err)
	}
	cuts, err := r.Cuts()
	if err != nil {
		t.Fatal(err)
	}
	frames, _ := filepath.Glob(filepath.Join(dir, "f-*.png"))
	if len(frames) != len(cuts) {
		t.Fatalf("%d pictures of %d frames", len(frames), len(cuts))
	}
	f, err := os.Open(frames[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if img, err := png.Decode(f); err != nil || img.Bounds().Dx() != 160 {
		t.Errorf("the first picture: %v", err)
	}
}

// TestPick: decisions and segments count from 1; 0 is the first that thought, and its last.
func TestPick(t *testing.T) {
	r := reel(t)
	info, _ := r.History.Info(2)
	for _, tt := range []struct {
		decision, segment, step, shown int
	}{{3, 1, 2, 0}, {3, 0, 2, info.Segments - 1}} {
		if c, err := r.Pick(tt.decision, tt.segment); err != nil || c.Step != tt.step || c.Segment != tt.shown {
			t.Errorf("Pick(%d, %d) = %+v, %v", tt.decision, tt.segment, c, err)
		}
	}
	quiet := trace.NewLive(9, 1<<20)
	quiet.Put(&trace.Step{})
	quiet.Put(&trace.Step{Thought: make([]trace.Segment, 2)})
	if c, err := (&viz.Reel{History: quiet}).Pick(0, 0); err != nil || c.Step != 1 || c.Segment != 1 {
		t.Errorf("the first that thought: %+v, %v", c, err)
	}
	for _, bad := range [][2]int{{6, 0}, {3, 99}} {
		if _, err := r.Pick(bad[0], bad[1]); err == nil {
			t.Errorf("Pick(%d, %d) finds something", bad[0], bad[1])
		}
	}
}

func TestNames(t *testing.T) {
	if th, err := viz.ThemeNamed("light"); err != nil || *th != *viz.Light() {
		t.Errorf("light: %v", err)
	}
	if _, err := viz.ThemeNamed("pink"); err == nil {
		t.Error("there is a pink theme")
	}
}

func TestCheckLayer(t *testing.T) {
	three := trace.Header{Levels: []string{"H", "M", "L"}}
	for _, tt := range []struct {
		layer string
		of    trace.Header
		want  string // part of the error, empty for none
	}{
		{"answer", three, ""},
		{"change-h", three, ""},
		{"change-m", three, ""},
		{"change-x", three, "want one of answer, confidence, change-h, change-m, change-l, none"},
		{"attention-h", three, "want one of"}, // nobody picks a cell
		{"none", trace.Header{}, ""},
		{"change-h", trace.Header{}, ""}, // the oracle in the place of a network
		{"", three, "want one of"},
	} {
		err := viz.CheckLayer(tt.of, tt.layer)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("layer %q of levels %v: error %v, want %q", tt.layer, tt.of.Levels, err, tt.want)
		}
	}
}

// TestFilmKeepsTheThought: while the agent glides to where it has not thought yet, the curve, the state, the card and
// the strip are those of the thought before, dimmed, and so is the answer over the board.
func TestFilmKeepsTheThought(t *testing.T) {
	r := reel(t)
	cuts, err := r.Cuts()
	if err != nil {
		t.Fatal(err)
	}
	r.Options.Width, r.Options.Height = 800, 600
	places := make(map[string]image.Rectangle)
	for _, p := range viz.Layout(canvas.Rect{W: 800, H: 600}, viz.Arrangement{Views: 1, Thinks: true}) {
		places[p.ID] = p.Rect.Pixels(1)
	}
	// What of a pane is neither its ground nor like it.
	ink := func(img *image.RGBA, pane string) (n int) {
		at := places[pane]
		for y := at.Min.Y; y < at.Max.Y; y++ {
			for x := at.Min.X + 1; x < at.Max.X; x++ {
				if img.RGBAAt(x, y) != img.RGBAAt(x-1, y) {
					n++
				}
			}
		}
		return n
	}
	var before *image.RGBA
	glides := 0
	for _, c := range cuts {
		img, err := r.Draw(c)
		if err != nil {
			t.Fatal(err)
		}
		v, err := r.View(c)
		if err != nil {
			t.Fatal(err)
		}
		if c.Segment < 0 && before != nil {
			glides++
			for _, pane := range []string{"curve", "latent", "thought", "strip"} {
				if now, was := ink(img, pane), ink(before, pane); now < was*6/10 {
					t.Errorf("step %d, glide %.2f: %s has %d pixels, %d before", c.Step, c.Glide, pane, now, was)
				}
			}
			v.Last = nil
			bare, at, differ := viz.Frame(r.Options, v), places["board"], false
			for y := at.Min.Y; y < at.Max.Y-24; y++ { // the last line says what is shown
				for x := at.Min.X; x < at.Max.X; x++ {
					differ = differ || bare.RGBAAt(x, y) != img.RGBAAt(x, y)
				}
			}
			if !differ {
				t.Errorf("step %d, glide %.2f: no answer over the board", c.Step, c.Glide)
			}
		} else {
			before = img
		}
	}
	if glides == 0 {
		t.Fatal("the film has no glides")
	}
}
