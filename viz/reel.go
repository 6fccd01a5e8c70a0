package viz

import (
	"fmt"
	"image"
	"time"

	"github.com/ponder-agents/ponder/agent/trace"
)

// A History is steps that can be looked up: a file or the live ring.
type History interface {
	Range() (first, end int)
	Info(step int) (trace.Info, bool)
	Step(step int) (*trace.Step, error)
}

var (
	_ History = (*trace.File)(nil)
	_ History = (*trace.Live)(nil)
)

// A Reel turns a history into the frames of a film. Its fields are not to be changed once one was
// drawn.
type Reel struct {
	History  History
	Header   trace.Header
	Painters Painters
	Options  Options
	Layer    string  // as in View
	Speed    float64 // 0 is 1

	cache struct {
		n    int
		step *trace.Step
		from *trace.Step
	}
	mean []float64 // of the segments up to each step
	most []int
}

// A Cut is one frame of a film.
type Cut struct {
	Step    int
	Segment int     // -1 before thought
	Glide   float64 // how far the agent has come from where it was before, 1 is there
	Hold    time.Duration
}

// How long the frames are held at speed 1.
const (
	holdSegment = 220 * time.Millisecond
	holdAction  = 400 * time.Millisecond
	holdEnd     = 1600 * time.Millisecond
	holdGlide   = 40 * time.Millisecond
	glides      = 4
)

// maxFrames bounds a film: three hours at speed 1.
const maxFrames = 50_000

// Cuts are the frames of the film in order: the agent glides to where it is, thinks segment by
// segment, and rests a moment before it acts.
func (r *Reel) Cuts() ([]Cut, error) {
	speed := r.Speed
	if speed <= 0 {
		speed = 1
	}
	hold := func(d time.Duration) time.Duration { return max(time.Duration(float64(d)/speed), 20*time.Millisecond) }
	first, end := r.History.Range()
	if first == end {
		return nil, fmt.Errorf("nothing to show: the trace has no steps")
	}
	var cuts []Cut
	var last trace.Info
	for n := first; n < end; n++ {
		info, ok := r.History.Info(n)
		if !ok {
			return nil, fmt.Errorf("step %d is gone", n)
		}
		if n > first && info.Episode == last.Episode {
			for k := 1; k < glides; k++ {
				cuts = append(cuts, Cut{n, -1, float64(k) / glides, hold(holdGlide)})
			}
		}
		last = info
		for k := range info.Segments {
			cuts = append(cuts, Cut{n, k, 1, hold(holdSegment)})
		}
		if info.Segments == 0 {
			cuts = append(cuts, Cut{n, -1, 1, hold(holdSegment)})
		}
		if len(cuts) > maxFrames {
			return nil, fmt.Errorf("a film of more than %d frames: %d of %d steps have as many; record fewer", maxFrames, n-first, end-first)
		}
		p := &cuts[len(cuts)-1]
		p.Hold = hold(holdAction)
		if n+1 == end || info.Action < 0 {
			p.Hold = hold(holdEnd)
		}
	}
	return cuts, nil
}

// sum counts the segments up to each step.
func (r *Reel) sum() {
	_, end := r.History.Range()
	r.mean, r.most = make([]float64, end), make([]int, end)
	sum, count, most := 0, 0, 0
	for n := range end {
		if info, ok := r.History.Info(n); ok && info.Segments > 0 {
			sum, count, most = sum+info.Segments, count+1, max(most, info.Segments)
		}
		if r.most[n] = most; count > 0 {
			r.mean[n] = float64(sum) / float64(count)
		}
	}
}

// View is what c shows.
func (r *Reel) View(c Cut) (*View, error) {
	if r.mean == nil {
		r.sum()
	}
	if r.cache.n != c.Step || r.cache.step == nil {
		first, _ := r.History.Range()
		s, err := r.History.Step(c.Step)
		if err != nil {
			return nil, err
		}
		r.cache.from = nil
		if c.Step > first {
			if b, err := r.History.Step(c.Step - 1); err == nil && b.Episode == s.Episode {
				r.cache.from = b
			}
		}
		r.cache.n, r.cache.step = c.Step, s
	}
	v := &View{
		Header: r.Header, Step: r.cache.step, Segment: c.Segment, Layer: r.Layer, Theme: r.Options.Theme,
		Painter: r.Painters.Of(r.cache.step.Board), Pick: -1, Glide: c.Glide,
		Timeline: NewTimeline(r.History, c.Step),
	}
	if r.cache.from != nil {
		v.From = &r.cache.from.Board
		if c.Segment < 0 {
			v.Last = r.cache.from
		}
	}
	if c.Step < len(r.mean) {
		v.Mean, v.Most = r.mean[c.Step], r.most[c.Step]
	}
	return v, nil
}

// NewTimeline is the timeline of h at the step.
func NewTimeline(h History, step int) *Timeline {
	first, end := h.Range()
	return &Timeline{First: first, End: end, Info: h.Info, Step: step}
}

// Draw draws the frame of c.
func (r *Reel) Draw(c Cut) (*image.RGBA, error) {
	v, err := r.View(c)
	if err != nil {
		return nil, err
	}
	return Frame(r.Options, v), nil
}
