package viz

import (
	"fmt"
	"math"
	"strconv"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// A Timeline is what the timeline shows: all steps kept, and the one shown.
type Timeline struct {
	First int                               // number of the first step kept
	End   int                               // one past the last
	Info  func(step int) (trace.Info, bool) // of a step
	Step  int                               // the step shown
}

// timelinePane is all steps of the history and the one shown.
func timelinePane() Pane {
	return Pane{
		ID: "timeline",
		Place: func(r *Room) (place []canvas.Rect) {
			if r.Page.H < 320 || !r.spare(68+gap) {
				return nil
			}
			place = make([]canvas.Rect, 1)
			place[0], r.Page = r.Page.Bottom(68)
			_, r.Page = r.Page.Bottom(gap)
			return place
		},
		Draw: drawTimeline,
		Shows: func(v *View) any {
			type shown struct {
				end, step int
				speed     string
			}
			if v.Timeline == nil {
				return nil
			}
			return shown{v.Timeline.End, v.Timeline.Step, v.Speed}
		},
		Hit: func(r canvas.Rect, _ float64, v *View, x, _ float64) Hit {
			return hit(HitStep, timelineStepAt(r, v.Timeline, x))
		},
		Drag: true, Wheel: true,
	}
}

// timelineArea is the part of the pane in which the bars stand.
func timelineArea(r canvas.Rect) canvas.Rect {
	_, r = r.Left(2 * gap)
	_, r = r.Right(2 * gap)
	_, r = r.Top(20)
	_, r = r.Bottom(6)
	return r
}

// columns is the number of bars, their width, and how many steps each stands for: one, or where not all fit as many
// more as needed, the same number in every bar.
func (l *Timeline) columns(width float64) (n int, bar float64, per int) {
	const least, most = 5.0, 14.0
	steps := max(l.End-l.First, 0)
	if steps == 0 {
		return 0, 0, 1
	}
	fit := max(int(width/least), 1)
	per = (steps + fit - 1) / fit
	n = (steps + per - 1) / per
	return n, min(width/float64(n), most), per
}

// timelineStepAt is the step at x in the pane r, bounded to those kept; -1 without any.
func timelineStepAt(r canvas.Rect, l *Timeline, x float64) int {
	if l == nil {
		return -1
	}
	a := timelineArea(r)
	n, bar, per := l.columns(a.W)
	if n == 0 {
		return -1
	}
	return l.First + min(max(int(math.Floor((x-a.X)/bar*float64(per))), 0), l.End-l.First-1)
}

// drawTimeline draws a bar for every step, as high as the segments it took, with the ends of episodes
// and rewards marked, and over it where v's step stands.
func drawTimeline(c *canvas.Canvas, r canvas.Rect, v *View) {
	l := v.Timeline
	if l == nil {
		return
	}
	t := v.theme()
	c.Fill(r, t.Back)
	c.Mark(r, "timeline")
	a := timelineArea(r)
	head := canvas.Rect{X: a.X, Y: r.Y, W: a.W, H: 16}
	x := head.X
	for _, p := range status(v) {
		c.Mark(canvas.Rect{X: x, Y: r.Y, W: canvas.Width(p[0]+" "+p[1], fontSmall) + gap, H: 18}, p[0])
		x += c.Text(x, head.Y+12, p[0]+" ", fontSmall, canvas.Left, t.Muted)
		x += c.Text(x, head.Y+12, p[1], fontSmall, canvas.Left, t.Text) + 2*gap
	}
	columns, bar, per := l.columns(a.W)
	if columns == 0 {
		return
	}
	most := 1.0
	for n := l.First; n < l.End; n++ {
		if info, ok := l.Info(n); ok {
			most = max(most, float64(info.Segments))
		}
	}
	steps := l.End - l.First
	label := fmt.Sprintf("%d of %d", l.Step-l.First+1, steps)
	if l.First > 0 {
		label += fmt.Sprintf(" kept, %d dropped", l.First)
	}
	if most > 1 {
		label += fmt.Sprintf(", highest bar %.0f segments", most)
	}
	if per > 1 {
		label += fmt.Sprintf(", a bar for %d", per)
	}
	_, head = head.Left(x - head.X)
	c.TextIn(head, label, fontSmall, canvas.Right, t.Muted)
	space := min(bar/4, 2)
	episode := -1
	for k := range columns {
		from, to := l.First+k*per, min(l.First+(k+1)*per, l.End)
		info, ok := l.Info(from)
		if !ok {
			continue
		}
		begins := info.Episode != episode && episode >= 0
		for n := from + 1; n < to; n++ {
			// The bar shows the most of its steps, and every end and reward.
			next, _ := l.Info(n)
			begins = begins || next.Episode != info.Episode
			info.Segments = max(info.Segments, next.Segments)
			info.Truncated = info.Truncated || next.Truncated
			info.Terminated = info.Terminated || next.Terminated
			if next.Reward != 0 {
				info.Reward = next.Reward
			}
			info.Return, info.Episode = next.Return, next.Episode
		}
		x := a.X + float64(k)*bar
		if begins {
			c.Fill(canvas.Rect{X: x - space/2 - 0.5, Y: a.Y, W: 1, H: a.H}, t.Faint)
		}
		episode = info.Episode
		h := max((a.H-6)*min(float64(info.Segments)/most, 1), 2)
		col := t.Faint
		if from <= l.Step && l.Step < to {
			col = t.Halt
			c.Fill(canvas.Rect{X: x, Y: a.Y, W: bar - space, H: a.H}, mix(t.Back, t.Halt, 0.22))
		}
		c.Fill(canvas.Rect{X: x, Y: a.Y + a.H - h, W: bar - space, H: h}, col)
		mid := x + (bar-space)/2
		d := min(max((bar-space)/2, 1.5), 3)
		switch {
		case info.Action < 0 && info.Segments == 0:
			// The state in which an episode ended; the step before it has the mark.
		case info.Reward > 0:
			c.Disc(mid, a.Y+3, d, t.Good)
		case info.Reward < 0 || info.Terminated && info.Return <= 0:
			c.Line(1.4, t.Bad, canvas.Point{X: mid - d, Y: a.Y + 3 - d}, canvas.Point{X: mid + d, Y: a.Y + 3 + d})
			c.Line(1.4, t.Bad, canvas.Point{X: mid - d, Y: a.Y + 3 + d}, canvas.Point{X: mid + d, Y: a.Y + 3 - d})
		case info.Truncated:
			c.Fill(canvas.Rect{X: mid - d, Y: a.Y + 2, W: 2 * d, H: 2}, t.Bad)
		}
	}
}

// status is where v's step stands in its episode, as pairs of a name and a value.
func status(v *View) [][2]string {
	if v.Step == nil {
		return nil
	}
	s := v.Step
	number := func(x float64) string { return strconv.FormatFloat(x+0, 'g', 3, 64) } // +0 turns -0 into 0
	p := [][2]string{
		{"seed", strconv.FormatUint(s.Seed, 10)},
		{"episode", strconv.Itoa(s.Episode + 1)},
		{"step", strconv.Itoa(s.Index + 1)},
		{"reward", number(s.Reward)},
		{"return", number(s.Return)},
	}
	if v.Speed != "" {
		p = append(p, [2]string{"speed", v.Speed})
	}
	return p
}
