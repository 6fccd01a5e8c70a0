package window

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// TestEveryNumberIsExplained: whatever number a pane shows, the pointer over it finds a term of the table, and every
// term of the table is found somewhere.
func TestEveryNumberIsExplained(t *testing.T) {
	d := liveApp(t)
	d.in.Height = 1250 // with all panes
	run := &viz.Progress{Name: "mean_return", Steps: []int64{1000, 2000}, Values: []float64{0.1, 0.5}, Shown: 1000}
	d.cfg.Panes = slices.Insert(slices.Clone(d.cfg.Panes), 3, viz.ProgressPane(func() *viz.Progress { return run }))
	d.thinkOn(3)
	d.tick("right")
	d.until("the first step is over", func() bool { return d.end() >= 1 })
	d.thinkOn(2)
	number := regexp.MustCompile(`[0-9]`)
	found := make(map[string]bool)
	look := func(d *driver) {
		for _, p := range d.layout() {
			r, _ := d.local(p)
			c := canvas.New(r.W, r.H, 1)
			type text struct {
				s string
				r canvas.Rect
			}
			var texts []text
			c.Said = func(s string, r canvas.Rect) { texts = append(texts, text{s, r}) }
			p.Draw(c, c.Bounds(), d.view())
			for _, m := range c.Marks {
				if found[m.ID] = true; !slices.ContainsFunc(viz.Terms(), func(t viz.Term) bool { return t.ID == m.ID }) {
					t.Errorf("%s marks %q, which the table lacks", p.ID, m.ID)
				}
			}
			for _, s := range texts {
				x, y := s.r.X+s.r.W/2, s.r.Y+s.r.H/2
				if number.MatchString(s.s) && !slices.ContainsFunc(c.Marks, func(m canvas.Mark) bool { return m.Rect.Contains(x, y) }) {
					t.Errorf("%s shows %q at (%.0f, %.0f) without an explanation", p.ID, s.s, x, y)
				}
			}
		}
	}
	look(d)
	d.tick("Q")
	d.until("what else would have come is known", func() bool { return d.view().Branches != nil })
	look(d)
	look(arcApp(t, doubled)) // in which a person plays
	for _, term := range viz.Terms() {
		if !found[term.ID] {
			t.Errorf("no pane shows %s", term.ID)
		}
		if term.Name == "" || term.Means == "" || strings.Contains(term.Means, "z_") {
			t.Errorf("%s is not said in a user's words: %q", term.ID, term.Means)
		}
	}
}

// TestHoverText: the pointer that rests on a number is told what it is and what it comes to now, and the values are
// those that the panes write.
func TestHoverText(t *testing.T) {
	d := liveApp(t)
	d.thinkOn(3)
	d.Draw()
	shown := make(map[string]string)
	for id := range map[string]bool{"halt": true, "continue": true, "confidence": true, "moved": true, "segments": true, "seed": true} {
		_, value, ok := viz.Explain(id, d.view())
		if !ok || value == "" {
			t.Errorf("%s has no value", id)
		}
		shown[id] = value
	}
	if v := d.view(); !strings.HasPrefix(shown["segments"], "3 of 3 thought") || shown["seed"] != "3" ||
		!strings.Contains(viz.QWords(v.Step, v.Segment), shown["continue"]) || !strings.Contains(shown["halt"], " > "+shown["continue"]+" (think on)") {
		t.Errorf("values %q beside %q", shown, viz.QWords(v.Step, v.Segment))
	}
	p := d.pane("curve")
	pic := d.pictures["curve"]
	i := slices.IndexFunc(pic.marks, func(m canvas.Mark) bool { return m.ID == "halt" })
	if i < 0 {
		t.Fatalf("the curve marks %+v", pic.marks)
	}
	d.in.X, d.in.Y = p.Rect.X+pic.marks[i].Rect.X+4, p.Rect.Y+pic.marks[i].Rect.Y+4
	for range 2 {
		d.tick()
		d.Draw()
		d.in.Now = d.in.Now.Add(time.Second)
	}
	tip := func() bool { return slices.ContainsFunc(d.Draw(), func(b Blit) bool { return b.ID == "tip" }) }
	if id, _ := d.termAt(d.in.X, d.in.Y); id != "halt" || !tip() {
		t.Errorf("the pointer rests on %q without being told", id)
	}
	d.in.X, d.in.Y = 2, 60
	d.tick()
	if tip() {
		t.Error("the text stays when the pointer is gone")
	}
}

// TestTour: it comes at the first start with an agent that thinks, is gone through by its button, and can be left at any step.
func TestTour(t *testing.T) {
	cfg := Config{Open: open, Choice: liveApp(t).cfg.Choice, Painters: testPainters, Tour: true}
	person := cfg
	person.Choice.Agent = trace.Human
	d := drive(t, person)
	d.until("a person plays", d.human)
	if _, _, _, _, ok := d.tourArea(); ok {
		t.Error("it tells a person about a network that does not play")
	}
	d = drive(t, cfg)
	d.until("it thinks", func() bool { return viz.Thinks(d.view().Header) })
	for n := range len(stations) {
		for _, size := range [][2]float64{{390, 844}, {640, 480}, {1200, 800}} {
			d.in.Width, d.in.Height, d.in.Touch = size[0], size[1], size[0] < narrow
			d.tick()
			card, next, leave, _, ok := d.tourArea()
			if !ok || card.X < 0 || card.Y < 0 || card.X+card.W > size[0] || card.Y+card.H > size[1] || !card.Contains(next.X+1, next.Y+1) || !card.Contains(leave.X+1, leave.Y+1) {
				t.Errorf("step %d at %v: %+v, %v", n+1, size, card, ok)
			}
			d.Draw()
		}
		if d.tour != n+1 {
			t.Fatalf("step %d, want %d", d.tour, n+1)
		}
		_, next, _, _, _ := d.tourArea()
		d.clickRect(next)
	}
	if !d.Toured() || d.tour != 0 {
		t.Error("it does not end")
	}
	d.tick("j")
	d.tick("j")
	if d.tick("esc"); d.tour != 0 {
		t.Error("it cannot be left")
	}
}
