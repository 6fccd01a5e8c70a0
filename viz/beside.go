package viz

import (
	"image"
	"math"

	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// besidePane is what stands beside the board: the demonstrations of a task, or what the agent sees.
func besidePane() Pane {
	return Pane{
		ID: "beside",
		Place: func(r *Room) []canvas.Rect {
			if r.Beside == 0 || r.Views != 1 {
				return nil
			}
			r.Column()
			if r.Page.W < leastBoard+leastLeft {
				switch {
				case r.Human && r.below && palette(r.Actions) != nil: // on a phone, over the tools
					return []canvas.Rect{r.ColumnTop(r.Column().H - toolsHeight(r.Actions, r.Touch) - gap)}
				case r.Human && r.below: // in the place of the card
					return []canvas.Rect{r.ColumnTop(min(r.Column().H*0.42, 180))}
				}
				return nil
			}
			place, rest := r.Page.Left(min(max(r.Page.W*0.28, leastLeft), 320))
			r.Page = rest
			_, place = place.Left(2 * gap)
			_, place = place.Bottom(gap)
			_, place = place.Top(gap)
			return []canvas.Rect{place}
		},
		Draw: drawBeside,
		Hit: func(r canvas.Rect, _ float64, v *View, x, y float64) Hit {
			for i, p := range besidePlaces(r, v) {
				if p.Contains(x, y) {
					return hit(HitBeside, i)
				}
			}
			return Hit{}
		},
	}
}

// The least widths of what stands left of the board, and of the board then.
const (
	leastLeft  = 160.0
	leastBoard = 360.0
)

// besideTitle is the height of the line over each board.
const besideTitle = 18.0

// besidePlaces are the places of the boards in the pane r, in rows and columns of which the cells are the largest.
func besidePlaces(r canvas.Rect, v *View) []canvas.Rect {
	if v.Step == nil || len(v.Step.Board.Beside) == 0 {
		return nil
	}
	all := v.Step.Board.Beside
	in := r.Inset(1.5 * gap)
	best, cols := 0.0, 1
	for k := 1; k <= len(all); k++ {
		rows := (len(all) + k - 1) / k
		least := math.Inf(1)
		for i := range all {
			least = min(least, besideCell(canvas.Rect{W: in.W/float64(k) - gap, H: in.H/float64(rows) - gap}, &all[i].Board))
		}
		if least > best {
			best, cols = least, k
		}
	}
	rows := (len(all) + cols - 1) / cols
	w, h := in.W/float64(cols), in.H/float64(rows)
	// No higher than the highest needs, so that they stand together.
	tall := 0
	for i := range all {
		tall = max(tall, all[i].Board.Rows)
	}
	h = min(h, besideTitle+gap+float64(tall)*min(best, mostCell))
	places := make([]canvas.Rect, len(all))
	for i := range all {
		places[i] = canvas.Rect{X: in.X + float64(i%cols)*w, Y: in.Y + float64(i/cols)*h, W: w - gap, H: h - gap}
	}
	return places
}

// mostCell is the largest side of a cell of what stands beside.
const mostCell = 40.0

// besideCell is the side of the cells of b under its title in r.
func besideCell(r canvas.Rect, b *grid.Board) float64 {
	return max(min(r.W/float64(max(b.Cols, 1)), (r.H-besideTitle)/float64(max(b.Rows, 1)), mostCell), 0)
}

func drawBeside(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	places := besidePlaces(r, v)
	c.Fill(r, t.Back)
	if len(places) == 0 {
		return
	}
	ground := r
	ground.H = places[len(places)-1].Y + places[len(places)-1].H + 1.5*gap - r.Y
	c.RoundRect(ground, 6, t.Panel)
	c.Mark(ground, "beside")
	for i, p := range places {
		b := &v.Step.Board.Beside[i]
		title, in := p.Top(besideTitle)
		c.TextIn(title, b.Title, fontSmall, canvas.Left, t.Muted)
		cell := int(math.Floor(besideCell(p, &b.Board) * c.Scale))
		if cell < 1 {
			continue
		}
		img := image.NewRGBA(image.Rect(0, 0, b.Board.Cols*cell, b.Board.Rows*cell))
		v.painter()(b.Board, img)
		c.Image(in.X, in.Y, img)
	}
}
