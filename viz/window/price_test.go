package window

import (
	"testing"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/viz"
)

// TestPriceSlider: what a segment costs is dragged, and when it stops moves with it at once, by mouse and by finger; the text under the
// pointer says what it comes to.
func TestPriceSlider(t *testing.T) {
	for _, size := range [][2]float64{{1200, 800}, {390, 844}} {
		d := liveApp(t)
		d.in.Width, d.in.Height, d.in.Touch = size[0], size[1], size[0] < narrow
		d.tick()
		p := d.pane("price")
		if d.in.Touch && p.Rect.H < 44 {
			t.Errorf("%.0f points high for a finger", p.Rect.H)
		}
		halts := func(price int) (n int) {
			t.Helper()
			d.until("it has thought at the price", func() bool {
				n = viz.HaltedAt(d.view().Step) + 1
				return d.status().Price == price && d.status().Busy == "" && n > 0 && n == d.view().Segment+1
			})
			return n
		}
		d.in.X, d.in.Y, d.in.Down = p.Rect.X+118, p.Rect.Y+p.Rect.H/2, true // of the knob at the left end
		d.tick()
		d.in.X += 60 // some notches on
		d.tick()
		cheap := d.view().Price.At
		d.until("it costs something", func() bool { cheap = d.status().Price; return cheap > 0 })
		long := halts(cheap)
		d.in.X = size[0] // as far as it goes, beyond the pane
		d.tick()
		last := len(session.Prices) - 1
		short := halts(last)
		d.in.Down = false
		d.tick()
		if short >= long {
			t.Errorf("%d segments at %v, %d at %v", short, session.Prices[last], long, session.Prices[cheap])
		}
		if _, value, _ := viz.Explain("price", d.view()); value != "0.7 of a right answer: it stops when more than 30 % sure" {
			t.Errorf("it is explained by %q", value)
		}
		if d.message != "" {
			t.Errorf("message %q", d.message)
		}
		d.tick("<")
		halts(last - 1)
		d.click(p.Rect.X+118, p.Rect.Y+p.Rect.H/2)
		d.until("it is free", func() bool { return d.status().Price == 0 })
		if _, value, _ := viz.Explain("price", d.view()); value != "free: it stops by its own rule" {
			t.Errorf("it is explained by %q", value)
		}
	}
}
