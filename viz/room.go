package viz

import (
	"slices"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// A Room is what is left of a picture while panes take their places.
type Room struct {
	Arrangement
	Page canvas.Rect // what no pane has taken; in the end the board's

	opened bool        // the column was cut off Page,
	below  bool        // under the board
	beside canvas.Rect // what is left of it
	free   float64     // its height under what stands at its top

	tall   float64       // height of the page of two views, before anything but the header took of it
	boards []canvas.Rect // of two views
	under  []canvas.Rect // what is left under each of them
	low    bool          // and that it has room for the curve only
}

// leastCurve is the height that the panes of the column leave to the curve.
const leastCurve = 144.0

// has reports whether there is a pane of that ID.
func (r *Room) has(id string) bool {
	return slices.ContainsFunc(r.Panes, func(p Pane) bool { return p.ID == id })
}

// Across divides a rectangle as wide as the picture among the views.
func (r *Room) Across(all canvas.Rect) []canvas.Rect {
	parts := make([]canvas.Rect, r.Views)
	for i := range parts {
		parts[i] = all
		parts[i].W /= float64(r.Views)
		parts[i].X += float64(i) * parts[i].W
	}
	return parts
}

// leastBeside is the width from which a picture has the column beside the board.
const leastBeside = 560.0

// leastUnder is the height that a square board leaves to the column of a narrow picture.
const leastUnder = 128.0

// Column is what is left of the column beside the board, or in a picture that is narrower than 560 points
// of the one under it, as on a phone. It is empty where there is none: with two boards, and where a narrow
// picture is not high enough.
func (r *Room) Column() canvas.Rect {
	if !r.opened && r.Views == 1 {
		under := r.Page.H - r.Page.W - captionHeight - legendHeight
		if r.Human && palette(r.Actions) != nil { // the tools need it more than the board
			under = max(under, r.Page.H-r.Page.W*min(r.Aspect, 1)-captionHeight-legendHeight)
		}
		switch {
		case r.Page.W >= leastBeside:
			r.beside, r.Page = r.Page.Right(min(max(r.Page.W*0.3, 256), 420))
			_, r.beside = r.beside.Right(2 * gap)
		case under >= leastUnder:
			r.below = true
			r.beside, r.Page = r.Page.Bottom(under)
			_, r.beside = r.beside.Left(gap)
			_, r.beside = r.beside.Right(gap)
		}
		_, r.beside = r.beside.Bottom(gap)
		r.free = r.beside.H
	}
	r.opened = true
	return r.beside
}

// Of two views the boards have the most of the height, so that what differs is seen: boardShare of the page, as far as
// the width allows. leastPair is the height under them for what was thought.
const (
	boardShare = 0.81
	leastPair  = 82.0
)

// pairSide is the side that each of two boards is to have.
func (r *Room) pairSide() float64 {
	if r.tall == 0 {
		r.tall = r.Page.H
	}
	return min(boardShare*r.tall, r.Page.W/2-8*gap)
}

// spare reports whether a picture has h points besides the boards and what was thought, or besides the board and, if that stands under the board, a column with
// thought and curve.
func (r *Room) spare(h float64) bool {
	if r.Views > 1 {
		return r.Page.H-h-captionHeight-legendHeight-2*gap-leastPair >= r.pairSide()
	}
	under := r.Page.H - r.Page.W - captionHeight - legendHeight
	return r.Page.W >= leastBeside || under < leastUnder || under-h >= leastUnder+leastCurve
}

// ColumnTop takes the upper h points of the column, or what there is of them.
func (r *Room) ColumnTop(h float64) (place canvas.Rect) {
	place, r.beside = r.Column().Top(h)
	_, r.beside = r.beside.Top(gap)
	r.free = r.beside.H
	return place
}

// ColumnBottom takes the lower h points of the column if that leaves enough to the curve, else nothing.
func (r *Room) ColumnBottom(h float64) (place canvas.Rect) {
	if r.Column().H-h-gap < leastCurve {
		return canvas.Rect{}
	}
	place, r.beside = r.beside.Bottom(h)
	_, r.beside = r.beside.Bottom(gap)
	return place
}

// ColumnRest takes all that is left of the column.
func (r *Room) ColumnRest() (place canvas.Rect) {
	place, r.beside = r.Column(), canvas.Rect{}
	return place
}

// Boards are the places of the boards: what is left of the page, or of each half of it for two views.
func (r *Room) Boards() []canvas.Rect {
	switch {
	case r.Views == 1:
		return []canvas.Rect{r.Page}
	case r.boards == nil:
		_, page := r.Page.Bottom(gap / 2)
		left, _ := page.Left(page.W / 2)
		right, _ := page.Right(page.W / 2)
		for _, half := range []canvas.Rect{left, right} {
			_, half = half.Left(2 * gap)
			_, half = half.Right(2 * gap)
			r.boards = append(r.boards, half)
		}
	}
	return r.boards
}

// cutUnder cuts what stands under it off each of two boards, where there is thought to show.
func (r *Room) cutUnder() {
	if r.Views == 1 || !r.Thinks || r.under != nil {
		return
	}
	r.under = slices.Clone(r.Boards())
	for i, half := range r.boards {
		h := min(max(half.H-captionHeight-legendHeight-r.pairSide()-gap, leastPair), 180)
		if r.low = half.H < 420; r.low {
			h = min(half.H*0.42, 130)
		}
		r.under[i], half = half.Bottom(h)
		_, r.boards[i] = half.Bottom(gap)
	}
}

// UnderLeft takes the left part of what stands under each of two boards, a share of its width and at
// most w points; nothing under a single board, or where there is room for the curve only.
func (r *Room) UnderLeft(share, w float64) []canvas.Rect {
	r.cutUnder()
	if r.low {
		return nil
	}
	places := slices.Clone(r.under)
	for i := range places {
		places[i], r.under[i] = r.under[i].Left(min(r.under[i].W*share, w))
		_, r.under[i] = r.under[i].Left(gap)
	}
	return places
}

// UnderRight takes the right part of what is left under each of two boards, at most twice as wide as it is high; nothing where
// there is no room for that.
func (r *Room) UnderRight() []canvas.Rect {
	r.cutUnder()
	if r.low || len(r.under) == 0 {
		return nil
	}
	w := min(2*r.under[0].H, r.under[0].W-leastRest)
	if r.under[0].H < leastPicture || w < 2*leastPicture {
		return nil
	}
	places := slices.Clone(r.under)
	for i := range places {
		places[i], r.under[i] = r.under[i].Right(w)
		_, r.under[i] = r.under[i].Right(gap)
	}
	return places
}

// leastPicture is the height from which UnderRight has room, leastRest the width that it leaves to the curve.
const (
	leastPicture = 80.0
	leastRest    = 240.0
)

// UnderRest takes all that is left there.
func (r *Room) UnderRest() (places []canvas.Rect) {
	r.cutUnder()
	places, r.under = r.under, nil
	return places
}
