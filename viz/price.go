package viz

import (
	"fmt"
	"math"
	"strconv"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// A Price is what a segment costs, where a right answer is worth 1.
type Price struct {
	Of []float64 // what it may cost, rising from 0, at which halting follows the agent's own rule; nil where it has no price
	At int       // index of what it costs now
}

// now is what it costs.
func (p Price) now() float64 { return p.Of[p.At] }

// words are the price in a few letters.
func (p Price) words() string {
	if p.now() == 0 {
		return "free"
	}
	return strconv.FormatFloat(p.now(), 'g', -1, 64)
}

// pricePane is the slider of what a segment costs.
func pricePane() Pane {
	return Pane{
		ID: "price",
		Place: func(r *Room) []canvas.Rect {
			height, least := 36.0, leastCurve
			if r.Touch {
				height = fingerTool
			}
			r.Column()
			if r.below {
				least = leastBelow
			}
			if !r.Priced || r.Human || r.Views > 1 || r.Column().H-height-gap < least {
				return nil
			}
			return []canvas.Rect{r.ColumnTop(height)}
		},
		Draw:  drawPrice,
		Shows: func(v *View) any { return v.Price.At },
		Hit: func(r canvas.Rect, _ float64, v *View, x, _ float64) Hit {
			if len(v.Price.Of) < 2 {
				return Hit{}
			}
			a := priceTrack(r)
			last := len(v.Price.Of) - 1
			return hit(HitPrice, min(max(int(math.Round((x-a.X)/a.W*float64(last))), 0), last))
		},
		Drag: true,
	}
}

// leastBelow is the height that the curve keeps under a board.
const leastBelow = 96.0

// priceTrack is what the knob moves along.
func priceTrack(r canvas.Rect) canvas.Rect {
	_, r = r.Left(1.5*gap + 116)
	_, r = r.Right(1.5*gap + 44)
	return canvas.Rect{X: r.X, Y: r.Y + r.H/2 - 2, W: r.W, H: 4}
}

func drawPrice(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	panel(c, r, t, "")
	c.Mark(r, "price")
	if len(v.Price.Of) < 2 {
		return
	}
	_, in := r.Left(1.5 * gap)
	_, in = in.Right(1.5 * gap)
	c.TextIn(in, "A segment costs", fontBody, canvas.Left, t.Muted)
	c.TextIn(in, v.Price.words(), fontHead, canvas.Right, t.Text)
	a := priceTrack(r)
	c.RoundRect(a, 2, t.Raise)
	each := a.W / float64(len(v.Price.Of)-1)
	for i := range v.Price.Of {
		c.Disc(a.X+each*float64(i), a.Y+2, 2, t.Faint)
	}
	done := a
	done.W = each * float64(v.Price.At)
	c.RoundRect(done, 2, t.Continue)
	c.Disc(a.X+done.W, a.Y+2, 7, t.Continue)
}

// priceValue says what the price comes to.
func priceValue(v *View) string {
	if len(v.Price.Of) == 0 {
		return ""
	}
	if p := v.Price.now(); p > 0 {
		return fmt.Sprintf("%s of a right answer: it stops when more than %s %% sure", v.Price.words(), strconv.FormatFloat(100*(1-p), 'g', 4, 64))
	}
	return "free: it stops by its own rule"
}
