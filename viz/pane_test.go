package viz_test

import (
	"fmt"
	"image"
	"image/color"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
	"github.com/ponder-agents/ponder/viz/viztest"
)

// TestPanesKeepTheirPlaces: panes lie within the picture and do not cover each other, at any size and
// with any of them left out.
func TestPanesKeepTheirPlaces(t *testing.T) {
	for w := 100.0; w < 2000; w += 133 {
		for h := 100.0; h < 1400; h += 77 {
			for k := range 1 << 4 {
				a := viz.Arrangement{Views: 1 + k&1, Thinks: k&2 != 0, Human: k&4 != 0}
				if k&8 != 0 {
					a.Panes = slices.DeleteFunc(viz.Panes(), func(p viz.Pane) bool { return p.Key != "" })
				}
				all := viz.Layout(canvas.Rect{W: w, H: h}, a)
				boards := 0
				for i, p := range all {
					if p.ID == "board" {
						boards++
					}
					r := p.Rect
					if r.X < 0 || r.Y < 0 || r.X+r.W > w+0.5 || r.Y+r.H > h+0.5 || p.View >= a.Views {
						t.Fatalf("%vx%v, %+v: %s %d at %+v", w, h, k, p.ID, p.View, r)
					}
					for _, q := range all[:i] {
						if s := q.Rect; r.X < s.X+s.W && s.X < r.X+r.W && r.Y < s.Y+s.H && s.Y < r.Y+r.H {
							t.Fatalf("%vx%v, %+v: %s at %+v covers %s at %+v", w, h, k, p.ID, r, q.ID, s)
						}
					}
				}
				if boards != a.Views || all[0].ID != "board" {
					t.Fatalf("%vx%v, %+v: %d boards, first of all %s", w, h, k, boards, all[0].ID)
				}
			}
		}
	}
}

// TestPlacesAndBack: what is drawn at a place is found at that place.
func TestPlacesAndBack(t *testing.T) {
	v, _ := mazeView(t, false)
	v.Timeline = line()
	for _, size := range [][3]float64{{800, 600, 1}, {1280, 800, 1.25}, {1920, 1080, 2}} {
		places := make(map[string]viz.Placed)
		for _, p := range viz.Layout(canvas.Rect{W: size[0], H: size[1]}, viz.Arrangement{Views: 1, Thinks: true}) {
			places[p.ID] = p
		}
		hit := func(id string, x, y float64) viz.Hit {
			p := places[id]
			return p.Hit(p.Rect, size[2], v, x, y)
		}
		// Every cell is found in its own part of the board, which has all of them.
		board, cells := places["board"].Rect, make(map[int]canvas.Rect)
		for y := board.Y; y < board.Y+board.H; y += 2 {
			for x := board.X; x < board.X+board.W; x += 2 {
				h := hit("board", x, y)
				if h.Kind != viz.HitCell {
					continue
				}
				if !h.Rect.Contains(x, y) {
					t.Fatalf("size %v: cell %d at (%v, %v) is said to lie at %+v", size, h.N, x, y, h.Rect)
				}
				cells[h.N] = h.Rect
			}
		}
		first := cells[0]
		for i := range 121 {
			want := canvas.Rect{X: first.X + float64(i%11)*first.W, Y: first.Y + float64(i/11)*first.H, W: first.W, H: first.H}
			if !near(cells[i], want) {
				t.Fatalf("size %v: cell %d lies at %+v, want %+v", size, i, cells[i], want)
			}
		}
		if h := hit("board", first.X-1, first.Y+1); len(cells) != 121 || h.Kind != viz.HitNone {
			t.Errorf("%d cells, and %+v beside the board", len(cells), h)
		}
		// From left to right the curve and the timeline go through all segments and steps in order.
		for _, tt := range []struct {
			id   string
			kind viz.HitKind
			n    int
		}{
			{"curve", viz.HitSegment, len(v.Step.Thought)},
			{"timeline", viz.HitStep, 60},
		} {
			r, last, seen := places[tt.id].Rect, -1, make(map[int]bool)
			for x := r.X; x < r.X+r.W; x++ {
				h := hit(tt.id, x, r.Y)
				if h.Kind != tt.kind || h.N < last {
					t.Fatalf("the %s goes from %d to %+v", tt.id, last, h)
				}
				last, seen[h.N] = h.N, true
			}
			if len(seen) != tt.n {
				t.Errorf("%d of %d can be reached in the %s", len(seen), tt.n, tt.id)
			}
		}
	}
}

func near(a, b canvas.Rect) bool {
	close := func(x, y float64) bool { return max(x-y, y-x) < 1e-6 } // points, of sums of float64
	return close(a.X, b.X) && close(a.Y, b.Y) && close(a.W, b.W) && close(a.H, b.H)
}

// TestPaneOfOnesOwn puts a pane into the picture that viz knows nothing of.
func TestPaneOfOnesOwn(t *testing.T) {
	red := color.RGBA{200, 0, 0, 255}
	own := viz.Pane{
		ID:    "own",
		Place: func(r *viz.Room) []canvas.Rect { return []canvas.Rect{r.ColumnBottom(60)} },
		Draw:  func(c *canvas.Canvas, r canvas.Rect, v *viz.View) { c.Fill(r, red) },
	}
	panes := viz.Panes()
	panes = slices.Insert(panes, len(panes)-2, own) // after the column's, before curve and board
	v, _ := mazeView(t, false)
	count := func(o viz.Options) (n int) {
		img := viz.Frame(o, v)
		for i := 0; i < len(img.Pix); i += 4 {
			if p := img.Pix[i:]; p[0] == red.R && p[1] == red.G && p[2] == red.B {
				n++
			}
		}
		return n
	}
	var place canvas.Rect
	for _, p := range viz.Layout(canvas.Rect{W: 1280, H: 1000}, viz.Arrangement{Panes: panes, Views: 1, Thinks: true}) {
		if p.ID == "own" {
			place = p.Rect
		}
	}
	if got, want := count(viz.Options{Height: 1000, Panes: panes}), int(place.W*place.H); place.H != 60 || got != want {
		t.Errorf("%d pixels of the pane are seen, its place %+v has %d", got, place, want)
	}
	if n := count(viz.Options{Height: 1000}); n != 0 {
		t.Errorf("%d pixels of a pane that is not there", n)
	}
}

// TestProgress: the curve of a run has its place beside the others, is drawn anew when it grows, and says from where what acts
// comes.
func TestProgress(t *testing.T) {
	p := &viz.Progress{Name: "mean_return"}
	pane := viz.ProgressPane(func() *viz.Progress { return p })
	panes := slices.Insert(viz.Panes(), 3, pane)
	placed := map[string]canvas.Rect{}
	for _, p := range viz.Layout(canvas.Rect{W: 1280, H: 800}, viz.Arrangement{Panes: panes, Views: 1, Thinks: true}) {
		placed[p.ID] = p.Rect
	}
	if placed["progress"].H != 132 || placed["curve"].H < 144 {
		t.Errorf("its place is %+v, that of the curve of halting %+v", placed["progress"], placed["curve"])
	}
	v, _ := mazeView(t, false)
	draw := func() *image.RGBA { return viz.Frame(viz.Options{Width: 1280, Height: 800, Panes: panes}, v) }
	was, shows := draw(), pane.Shows(v)
	for _, next := range []*viz.Progress{
		{Name: "mean_return", Steps: []int64{100}, Values: []float64{0}},
		{Name: "mean_return", Steps: []int64{100, 2000}, Values: []float64{0, 0.75}},
		{Name: "mean_return", Steps: []int64{100, 2000}, Values: []float64{0, 0.75}, Shown: 2000},
		{Name: "loss", Steps: []int64{100, 2000, 3000}, Values: []float64{-3, 7, 12345}, Shown: 9000},
	} {
		p = next
		now := draw()
		if slices.Equal(now.Pix, was.Pix) {
			t.Errorf("%+v looks as what was before", next)
		}
		if pane.Shows(v) == shows {
			t.Errorf("%+v is not drawn anew", next)
		}
		was, shows = now, pane.Shows(v)
	}
}

// TestLayers are made of the levels' names.
func TestLayers(t *testing.T) {
	ids := func(h trace.Header) (ids []string) {
		for _, l := range viz.Layers(h) {
			ids = append(ids, l.ID)
		}
		return ids
	}
	for _, tt := range []struct {
		levels []string
		want   []string
	}{
		{nil, []string{"answer", "confidence", "none"}},
		{[]string{"S"}, []string{"answer", "confidence", "change-s", "attention-s", "none"}},
		{[]string{"H", "M", "L"}, []string{"answer", "confidence", "change-h", "change-m", "change-l", "attention-h", "attention-m", "attention-l", "none"}},
	} {
		h := trace.Header{Levels: tt.levels}
		if d := cmp.Diff(tt.want, ids(h)); d != "" {
			t.Errorf("levels %v: %s", tt.levels, d)
		}
		for i, id := range tt.want {
			if l, ok := viz.LayerOf(h, id); !ok || l.ID != id || l.Cell != (i > 1+len(tt.levels) && id != "none") {
				t.Errorf("%s is found as %+v, %v", id, l, ok)
			}
		}
	}
	if l, ok := viz.LayerOf(trace.Header{}, ""); !ok || l.ID != "answer" {
		t.Errorf("no layer is %+v, %v", l, ok)
	}
	if l, ok := viz.LayerOf(trace.Header{}, "change-h"); ok || l.Title == "" {
		t.Errorf("a layer that is not there is %+v, %v", l, ok)
	}
}

// TestLevels: the state of each level is drawn in a part of its own, as wide as the others.
func TestLevels(t *testing.T) {
	draw := func(levels int, change int) []byte {
		v := &viz.View{Step: &trace.Step{Board: grid.Board{Cols: 1, Rows: 1, Cells: make([]grid.Cell, 1)}}, Segment: 1}
		for k := range 2 {
			g := trace.Segment{}
			for i := range levels {
				v.Header.Levels = append(v.Header.Levels[:i], fmt.Sprint(i))
				l := trace.Level{Path: [2]float32{float32(k), float32(i)}, Change: []float32{1}}
				if i == change {
					l.Change[0], l.Path[0] = 2, float32(3*k*k)
				}
				g.Levels = append(g.Levels, l)
			}
			v.Step.Thought = append(v.Step.Thought, g)
		}
		c := canvas.New(600, 120, 1)
		drawPane(t, "latent", c, v)
		return c.Img.Pix
	}
	for levels := 1; levels <= 4; levels++ {
		plain := draw(levels, -1)
		for change := range levels {
			// The inner 576 of 600 points are shared out with 16 between two.
			part := (576 - 16*float64(levels-1)) / float64(levels)
			from := 12 + float64(change)*(part+16)
			for i, b := range draw(levels, change) {
				if x := float64(i / 4 % 600); b != plain[i] && (x < from-1 || x > from+part+1) {
					t.Fatalf("level %d of %d is drawn at x %v, want %v to %v", change, levels, x, from, from+part)
				}
			}
			if slices.Equal(plain, draw(levels, change)) {
				t.Errorf("level %d of %d is not seen", change, levels)
			}
		}
	}
}

// TestStripKeepsUp: what the strip kept from before is drawn as if it was drawn for the first time,
// also where a later segment has changed the scale of all.
func TestStripKeepsUp(t *testing.T) {
	w := &viztest.Wave{Name: "wave", Reach: 2, MaxSegments: 16}
	s := w.Decision(mazeBoard(t, 9), 3)
	for i := range s.Thought {
		for j := range s.Thought[i].Levels[0].Change {
			s.Thought[i].Levels[0].Change[j] *= float32(1 + i)
		}
	}
	var h trace.Header
	w.Describe(&h)
	kept := &viz.Cache{}
	for _, layer := range []string{"", "change-h", "confidence", "attention-l", "change-h"} {
		for n := range len(s.Thought) + 1 {
			part := *s
			part.Thought = s.Thought[:n]
			v := &viz.View{Header: h, Step: &part, Segment: n - 1, Layer: layer, Pick: -1, Cache: kept}
			a, b := canvas.New(900, 80, 1), canvas.New(900, 80, 1)
			drawPane(t, "strip", a, v)
			v.Cache = nil
			drawPane(t, "strip", b, v)
			if !slices.Equal(a.Img.Pix, b.Img.Pix) {
				t.Fatalf("layer %q, %d segments: what was kept is not what is to be seen", layer, n)
			}
		}
	}
}

// TestComparedBoardsAreLarge: in windows of usual shapes two boards have 70 % of the height each, bars of the window
// counted, or as much as the width allows.
func TestComparedBoardsAreLarge(t *testing.T) {
	v, _ := mazeView(t, false)
	for _, size := range [][2]float64{{1280, 800}, {1920, 1080}, {2560, 1440}, {1024, 768}, {800, 600}} {
		const bars = 40 + 48
		seen, remembers := 0, 0
		for _, p := range viz.Layout(canvas.Rect{W: size[0], H: size[1] - bars}, viz.Arrangement{Views: 2, Thinks: true, Panes: viz.Panes()[1:]}) {
			if p.ID == "curve" {
				seen++
			}
			if p.ID == "latent" {
				remembers++
			}
			if p.ID != "board" {
				continue
			}
			first, ok := viz.CellRect(p.Rect, 1, v, 0)
			if side := 11 * first.W; !ok || side < 0.70*size[1] && side < size[0]/2-64-11 {
				t.Errorf("%v: a board of %v points, want 70 %% of the height", size, side)
			}
		}
		if seen != 2 || size[0] >= 1280 && remembers != 2 {
			t.Errorf("%v: %d curves, %d hidden states", size, seen, remembers)
		}
	}
}

// TestAxesFit: whatever the limit, a thought fills half of the curve or more, and a timeline of many steps has bars
// that can be hit, each for as many steps as the others.
func TestAxesFit(t *testing.T) {
	thought := make([]trace.Segment, 64)
	for _, tt := range []struct{ segments, most int }{{1, 2}, {3, 16}, {3, 32}, {5, 64}, {17, 32}, {33, 64}, {64, 64}, {20, 16}} {
		v := &viz.View{Header: trace.Header{MaxSegments: tt.most}, Step: &trace.Step{Thought: thought[:tt.segments]}, Segment: -1}
		r := canvas.Rect{W: 400, H: 200}
		count := make(map[int]int) // points of the width, by segment
		for x := range 400 {
			count[pane(t, "curve").Hit(r, 1, v, float64(x), 100).N]++
		}
		// All but the first and the last, which have the margins too, are as wide as a segment, to a point.
		if tt.segments < 3 {
			continue
		}
		inner := 0
		for k := 1; k < tt.segments-1; k++ {
			inner += count[k]
		}
		width := float64(inner) / float64(tt.segments-2)
		const plot = 400 - 2*12 - 24 - 86 // chartArea
		if filled := width * float64(tt.segments) / plot; filled < 0.49 || filled > 1.2 {
			t.Errorf("%d of %d segments fill %.2f of the plot", tt.segments, tt.most, filled)
		}
	}
	l := &viz.Timeline{End: 500, Info: line().Info}
	v := &viz.View{Timeline: l}
	seen, last := make(map[int]bool), 0
	for x := range 800 {
		h := pane(t, "timeline").Hit(canvas.Rect{W: 800, H: 68}, 1, v, float64(x), 30)
		if h.N < last {
			t.Fatalf("at %d the timeline goes back from %d to %d", x, last, h.N)
		}
		last, seen[h.N] = h.N, true
	}
	if len(seen) != 500 {
		t.Errorf("%d of 500 steps can be reached", len(seen))
	}
}
