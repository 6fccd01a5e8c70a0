package viz_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/sudoku"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
	"github.com/ponder-agents/ponder/viz/viztest"
)

var update = flag.Bool("update", false, "write the golden pictures anew")

// golden compares img with the picture of that name. A channel may differ by 2: other processors
// round differently where shapes are blended.
func golden(t *testing.T, name string, img *image.RGBA) {
	t.Helper()
	path := filepath.Join("testdata", name+".png")
	if *update {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(viz.WritePNG(f, img), f.Close()); err != nil {
			t.Fatal(err)
		}
		return
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	n := -1
	if want.Bounds() == img.Bounds() {
		n = differing(want, img)
	}
	if n != 0 {
		got := filepath.Join(t.ArtifactDir(), name+".png")
		if f, err := os.Create(got); err == nil {
			viz.WritePNG(f, img)
			f.Close()
		}
		t.Errorf("%s: %d pixels differ from %s (-1: another size); ours is %s", name, n, path, got)
	}
}

func differing(a, b image.Image) int {
	n := 0
	r := a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			r0, g0, b0, _ := a.At(x, y).RGBA()
			r1, g1, b1, _ := b.At(x, y).RGBA()
			if far(r0, r1) || far(g0, g1) || far(b0, b1) {
				n++
			}
		}
	}
	return n
}

func far(a, b uint32) bool { return math.Abs(float64(a>>8)-float64(b>>8)) > 2 }

// mazeBoard is a maze of that side with its agent at the start.
func mazeBoard(t testing.TB, side int) grid.Board {
	t.Helper()
	g, err := maze.NewGenerator(maze.Recipe(side))
	if err != nil {
		t.Fatal(err)
	}
	var m maze.Maze
	g.Next(&m, rand.New(rand.NewPCG(1, 2)))
	b := maze.BoardOf(&m)
	b.Caption = "go to the goal"
	b.Pieces = []grid.Piece{{X: m.Start % m.Cols, Y: m.Start / m.Cols}}
	return b
}

// pane is the pane of that ID.
func pane(t testing.TB, id string) viz.Pane {
	t.Helper()
	all := viz.Panes()
	i := slices.IndexFunc(all, func(p viz.Pane) bool { return p.ID == id })
	if i < 0 {
		t.Fatalf("there is no pane %s", id)
	}
	return all[i]
}

// drawPane draws a pane of v over the whole of c.
func drawPane(t testing.TB, id string, c *canvas.Canvas, v *viz.View) {
	t.Helper()
	p := pane(t, id)
	p.Draw(c, c.Bounds(), v)
	if p.Sprites == nil {
		return
	}
	for _, s := range p.Sprites(c.Bounds(), c.Scale, v) {
		draw.Draw(c.Img, image.Rectangle{Min: s.At, Max: s.At.Add(s.Part.Size())}, s.Image, s.Part.Min, draw.Over)
	}
}

// mazeView is a decision about a maze, thought two segments beyond halting.
func mazeView(t testing.TB, path bool) (*viz.View, *viztest.Wave) {
	w := &viztest.Wave{Name: "wave", Wall: maze.KindWall, Goal: maze.KindGoal, Reach: 2, MaxSegments: 16, Path: path}
	s := w.Decision(mazeBoard(t, 11), 2)
	h := trace.Header{EnvID: "maze/11x11-v0", Actions: []string{"up", "down", "left", "right"}}
	w.Describe(&h)
	return &viz.View{Header: h, Step: s, Segment: 2, Painter: maze.PaintBoard, Mean: 4.2, Most: 9, Speed: "1×", Pick: 40}, w
}

// line is a timeline of three episodes, one of them truncated.
func line() *viz.Timeline {
	return &viz.Timeline{End: 60, Step: 22, Info: func(n int) (trace.Info, bool) {
		i := trace.Info{Episode: n / 20, Segments: 2 + n*n%9, Action: 1}
		switch {
		case n == 39:
			i.Truncated = true
		case n%20 == 19:
			i.Reward, i.Return, i.Terminated = 1, 1, true
		}
		return i, true
	}}
}

func TestGolden(t *testing.T) {
	maze11, w := mazeView(t, false)
	marked, _ := mazeView(t, true)
	sh, ss := viztest.Sudoku(7)
	sudoku9 := &viz.View{Header: sh, Step: ss, Segment: 4, Painter: sudoku.PaintBoard, Mean: 6, Most: 7}
	ah, as := viztest.ARC(6)
	arc12 := &viz.View{Header: ah, Step: as, Segment: 3, Pick: -1}
	other := *maze11
	other.Segment, other.Name = 1, "the model before"
	pair := *maze11
	pair.Name, pair.Other = "the model now", &maze11.Step.Thought[1]
	oracle := *maze11
	oracle.Header = trace.Header{EnvID: "maze/11x11-v0", Agent: "oracle", Actions: maze11.Header.Actions}
	oracle.Step = &trace.Step{Board: maze11.Step.Board, Action: 3}
	oracle.Segment = -1
	from := maze11.Step.Board
	from.Pieces = []grid.Piece{{X: from.Pieces[0].X - 1, Y: from.Pieces[0].Y}}
	gliding := *maze11
	gliding.From, gliding.Glide = &from, 0.5
	small := viz.Options{Width: 800, Height: 600}
	light := small
	light.Theme = viz.Light()
	for _, tt := range []struct {
		name string
		o    viz.Options
		v    []*viz.View
	}{
		{"maze-dark", viz.Options{}, []*viz.View{maze11}},
		{"maze-light-800", light, []*viz.View{maze11}},
		{"path-dark-800", small, []*viz.View{marked}},
		{"sudoku-light-800", light, []*viz.View{sudoku9}},
		{"arc-dark-800", small, []*viz.View{arc12}},
		{"pair-light", viz.Options{Theme: viz.Light()}, []*viz.View{&pair, &other}},
		{"oracle-dark-800", small, []*viz.View{&oracle}},
		{"empty-dark-800", small, []*viz.View{{}}},
		{"gliding-narrow", viz.Options{Width: 400, Height: 400}, []*viz.View{&gliding}},
		{"phone", viz.Options{Width: 390, Height: 844}, []*viz.View{maze11}},
		{"scale-2", viz.Options{Width: 1000, Height: 1000, Scale: 2}, []*viz.View{maze11}},
	} {
		for _, v := range tt.v {
			v.Timeline = line()
		}
		golden(t, tt.name, viz.Frame(tt.o, tt.v...))
	}
	for _, l := range viz.Layers(maze11.Header)[1:] {
		v := *maze11
		v.Layer = l.ID
		var err error
		if v.Attention, err = w.Attend(context.Background(), 2, 40); err != nil {
			t.Fatal(err)
		}
		c := canvas.New(320, 360, 1)
		drawPane(t, "board", c, &v)
		golden(t, "layer-"+strings.ReplaceAll(l.Title, " ", "-"), c.Img)
	}
	golden(t, "sheet-light", viz.Sheet(viz.Options{Theme: viz.Light()}, maze11))
	golden(t, "sheet-sudoku-dark", viz.Sheet(viz.Options{}, sudoku9))
}

// TestFrameIsPure draws the same twice, also after other things were drawn in between.
func TestFrameIsPure(t *testing.T) {
	v, _ := mazeView(t, false)
	v.Timeline, v.Cache = line(), &viz.Cache{}
	a := viz.Frame(viz.Options{}, v)
	h, s := viztest.Sudoku(3)
	viz.Frame(viz.Options{Scale: 1.37}, &viz.View{Header: h, Step: s, Segment: 1})
	if b := viz.Frame(viz.Options{}, v); !bytes.Equal(a.Pix, b.Pix) {
		t.Error("the same view gives other pixels")
	}
}

// FuzzFrame draws whatever a trace file can hold, at any size.
func FuzzFrame(f *testing.F) {
	f.Add(uint8(9), uint8(9), uint8(3), uint8(0), uint16(800), uint16(600), []byte{1, 2, 3})
	f.Add(uint8(0), uint8(0), uint8(0), uint8(1), uint16(1), uint16(1), []byte(nil))
	f.Add(uint8(200), uint8(1), uint8(20), uint8(2), uint16(300), uint16(2000), []byte{255, 254})
	f.Add(uint8(30), uint8(30), uint8(5), uint8(3), uint16(641), uint16(480), []byte{4, 0, 77, 200})
	f.Fuzz(func(t *testing.T, cols, rows, segments, kind uint8, width, height uint16, data []byte) {
		at := 0
		next := func() byte {
			if len(data) == 0 {
				return 0
			}
			at++
			return data[at%len(data)] + byte(at/len(data))
		}
		n := int(cols) * int(rows)
		b := grid.Board{Family: "x", Cols: int(cols), Rows: int(rows), Cells: make([]grid.Cell, n)}
		for i := range b.Cells {
			b.Cells[i] = grid.Cell{Kind: next(), Color: next(), State: next(), Flags: next()}
		}
		for range next() % 4 {
			b.Pieces = append(b.Pieces, grid.Piece{X: int(next()) - 20, Y: int(next()) - 20, Kind: next() % 3, Dir: next()})
		}
		s := &trace.Step{Board: b, Action: int(next()) - 1}
		floats := []float32{0, 1, -3, 1e30, float32(math.Inf(1)), float32(math.NaN()), -1e-30}
		value := func() float32 { return floats[int(next())%len(floats)] }
		tokens := func() []byte {
			size := []int{n, 0, n / 2, n}[next()%4]
			v := make([]byte, size)
			for i := range v {
				v[i] = next()
			}
			return v
		}
		for range segments % 24 {
			g := trace.Segment{
				QHalt: value(), QContinue: value(), Halted: next()%2 == 0, Answer: tokens(), Confidence: tokens(),
			}
			for range next() % 5 {
				l := trace.Level{Path: [2]float32{value(), value()}, Attention: tokens()}
				for range len(tokens()) {
					l.Change = append(l.Change, value())
				}
				g.Levels = append(g.Levels, l)
			}
			for range next() % 9 {
				g.Actions = append(g.Actions, value())
			}
			s.Thought = append(s.Thought, g)
		}
		v := &viz.View{
			Header:  trace.Header{EnvID: "x", Agent: "hrm", MaxSegments: int(next()), Answer: trace.Answer(kind), Threshold: value()},
			Step:    s,
			Segment: int(next()) - 1, Pick: int(next()) - 1, Glide: float64(value()), From: &b,
		}
		v.Header.Levels = []string{"H", "", "L", "slowest of all"}[:next()%5]
		layers := viz.Layers(v.Header)
		v.Layer = layers[int(next())%len(layers)].ID
		o := viz.Options{Width: int(width % 1500), Height: int(height % 1500), Scale: 0.5 + float64(next()%8)/2}
		viz.Frame(o, v)
		if len(s.Thought) <= 8 {
			viz.Sheet(viz.Options{}, v)
		}
		v.Timeline = line()
		viz.Frame(o, v, v)
		if v.Words() == "" {
			t.Error("no words")
		}
	})
}

func TestWords(t *testing.T) {
	v, _ := mazeView(t, false)
	halt := viz.HaltedAt(v.Step)
	for _, tt := range []struct {
		segment int
		want    string
	}{
		{-1, "Before the first segment."},
		{0, "thinks on."},
		{halt, "it would stop here."},
		{halt + 1, "thought on beyond halting."},
	} {
		v.Segment = tt.segment
		if got := v.Words(); !strings.HasSuffix(got, tt.want) {
			t.Errorf("segment %d: %q, want …%q", tt.segment, got, tt.want)
		}
	}
	v.Segment = 1
	n := 0
	for i, d := range v.Step.Thought[1].Answer {
		if d != v.Step.Thought[0].Answer[i] {
			n++
		}
	}
	if got := v.Words(); !strings.HasPrefix(got, fmt.Sprintf("%d cells changed", n)) {
		t.Errorf("%q, want %d cells changed", got, n)
	}
	limit := &viz.View{Header: trace.Header{Agent: "hrm", MaxSegments: 1}, Step: &trace.Step{Thought: []trace.Segment{{QHalt: -1, Halted: true}}}}
	if got := limit.Words(); !strings.HasSuffix(got, "stopped by the limit.") {
		t.Errorf("%q", got)
	}
}

// TestWordsWithoutHeads: of a head that a model has not there is no word.
func TestWordsWithoutHeads(t *testing.T) {
	for _, tt := range []struct {
		g    trace.Segment
		want string
	}{
		{trace.Segment{}, "thinks on."},
		{trace.Segment{QHalt: 20}, "Stop 1.00: thinks on."},
		{trace.Segment{QHalt: -20, QContinue: 20}, "Stop 0.00, think on 1.00: thinks on."},
	} {
		v := &viz.View{Header: trace.Header{Agent: trace.Network, MaxSegments: 2}, Step: &trace.Step{Thought: []trace.Segment{tt.g}}}
		if got := v.Words(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.g, got, tt.want)
		}
		// The curves of what there is are drawn, of none too.
		viz.Frame(viz.Options{Width: 640, Height: 480}, v)
	}
	if viz.Thinks(trace.Header{Agent: trace.Network}) || !viz.Thinks(trace.Header{MaxSegments: 1}) {
		t.Error("what thinks is what has segments, whatever its name")
	}
}

// reel is the film of an episode of five steps.
func reel(t *testing.T) *viz.Reel {
	t.Helper()
	w := &viztest.Wave{Name: "wave", Wall: maze.KindWall, Goal: maze.KindGoal, Reach: 6, MaxSegments: 16}
	l := trace.NewLive(100, 1<<30)
	b := mazeBoard(t, 9)
	for i := range 5 {
		s := w.Decision(b, 0)
		s.Index = i
		if err := l.Put(s); err != nil {
			t.Fatal(err)
		}
		b.Pieces = []grid.Piece{b.Pieces[0]}
		b.Pieces[0].X += [4]int{0, 0, -1, 1}[s.Action]
		b.Pieces[0].Y += [4]int{-1, 1, 0, 0}[s.Action]
	}
	var h trace.Header
	w.Describe(&h)
	return &viz.Reel{History: l, Header: h, Painters: viz.Painters{"maze": maze.PaintBoard}, Options: viz.Options{Width: 480, Height: 360}}
}

func TestGIF(t *testing.T) {
	r := reel(t)
	cuts, err := r.Cuts()
	if err != nil {
		t.Fatal(err)
	}
	var want time.Duration
	segments := make(map[[2]int]bool)
	for _, c := range cuts {
		want += c.Hold
		if c.Glide == 1 {
			segments[[2]int{c.Step, c.Segment}] = true
		}
	}
	for n := range 5 {
		i, _ := r.History.Info(n)
		for k := range i.Segments {
			if !segments[[2]int{n, k}] {
				t.Errorf("segment %d of step %d is not in the film", k, n)
			}
		}
	}
	var b bytes.Buffer
	done := 0
	if err := viz.WriteGIF(t.Context(), &b, r, func(n, all int) { done = n }); err != nil {
		t.Fatal(err)
	}
	if done != len(cuts) {
		t.Errorf("%d of %d frames reported", done, len(cuts))
	}
	g, err := gif.DecodeAll(&b)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, d := range g.Delay {
		sum += d
	}
	if got := time.Duration(sum) * 10 * time.Millisecond; got < want-50*time.Millisecond || got > want+50*time.Millisecond {
		t.Errorf("the film lasts %v, want %v", got, want)
	}
	// Put together again, the last frame is the last picture, up to the palette's precision.
	screen := image.NewRGBA(image.Rect(0, 0, 480, 360))
	for _, img := range g.Image {
		for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
			for x := img.Rect.Min.X; x < img.Rect.Max.X; x++ {
				screen.Set(x, y, img.At(x, y))
			}
		}
	}
	last, err := r.Draw(cuts[len(cuts)-1])
	if err != nil {
		t.Fatal(err)
	}
	exact, sumOff := 0, 0.0
	for i := 0; i < len(last.Pix); i += 4 {
		off := 0.0
		for k := range 3 {
			off += math.Abs(float64(last.Pix[i+k]) - float64(screen.Pix[i+k]))
		}
		if sumOff += off; off == 0 {
			exact++
		}
	}
	if n := len(last.Pix) / 4; float64(exact)/float64(n) < 0.97 || sumOff/float64(n) > 1.5 {
		t.Errorf("%.1f %% of the pixels are exact, mean error %.2f", 100*float64(exact)/float64(n), sumOff/float64(n))
	}
}

func TestGIFEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := viz.WriteGIF(ctx, io.Discard, reel(t), func(n, all int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	empty := &viz.Reel{History: trace.NewLive(1, 1)}
	if err := viz.WriteGIF(t.Context(), io.Discard, empty, nil); err == nil || !strings.Contains(err.Error(), "no steps") {
		t.Errorf("error %v of an empty trace", err)
	}
}

// TestVideo stands in for ffmpeg by a script that keeps what it is given.
func TestVideo(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	out := filepath.Join(dir, "x.mp4")
	if err := viz.WriteVideo(t.Context(), out, reel(t), nil); !errors.Is(err, viz.ErrNoFFmpeg) {
		t.Errorf("error %v without ffmpeg", err)
	}
	script := "#!/bin/sh\nfor last; do :; done\necho \"$@\" >" + dir + "/args\nexec /bin/cat >\"$last\"\n"
	if err := os.WriteFile(filepath.Join(dir, "ffmpeg"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	r := reel(t)
	if err := viz.WriteVideo(t.Context(), out, r, nil); err != nil {
		t.Fatal(err)
	}
	cuts, _ := r.Cuts()
	var length time.Duration
	for _, c := range cuts {
		length += c.Hold
	}
	info, err := os.Stat(out)
	if err != nil {
		t.Fatal(err)
	}
	const frame = 480 * 360 * 4
	want := int64(length / (time.Second / viz.VideoFPS))
	if got := info.Size() / frame; info.Size()%frame != 0 || got < want-1 || got > want+1 {
		t.Errorf("%d frames, want %d", got, want)
	}
	if args, _ := os.ReadFile(filepath.Join(dir, "args")); !strings.Contains(string(args), "480x360") || !strings.Contains(string(args), "libx264") {
		t.Errorf("ffmpeg was called with %s", args)
	}
	if err := os.WriteFile(filepath.Join(dir, "ffmpeg"), []byte("#!/bin/sh\necho no such codec >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := viz.WriteVideo(t.Context(), out, r, nil); err == nil || !strings.Contains(err.Error(), "no such codec") {
		t.Errorf("error %v where ffmpeg fails", err)
	}
	if again, err := os.Stat(out); err != nil || again.Size() != info.Size() {
		t.Error("a film that failed replaced the good one")
	}
}

func BenchmarkFrame(b *testing.B) {
	w := &viztest.Wave{Name: "wave", Wall: maze.KindWall, Goal: maze.KindGoal, Reach: 4, MaxSegments: 16}
	s := w.Decision(mazeBoard(b, 31), 0)
	var h trace.Header
	w.Describe(&h)
	v := &viz.View{Header: h, Step: s, Segment: 3, Painter: maze.PaintBoard, Timeline: line()}
	for b.Loop() {
		viz.Frame(viz.Options{}, v)
	}
}

func ExampleFrame() {
	h, s := viztest.Sudoku(5)
	img := viz.Frame(viz.Options{Width: 800, Height: 600, Theme: viz.Light()}, &viz.View{Header: h, Step: s, Segment: 4})
	fmt.Println(img.Bounds().Size())
	// Output: (800,600)
}
