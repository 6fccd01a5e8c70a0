package window

import (
	"context"
	"image"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/ponder-agents/ponder/agent/session"
)

// ink counts the pixels of img that differ from their neighbour to the left: there is something to see.
func ink(img *image.RGBA) (n int) {
	for y := range img.Rect.Dy() {
		row := img.Pix[y*img.Stride:][:4*img.Rect.Dx()]
		for i := 4; i < len(row); i += 4 {
			if [3]byte(row[i:i+3]) != [3]byte(row[i-4:i-1]) {
				n++
			}
		}
	}
	return n
}

// load keeps every core busy until the test ends.
func load(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for x := 1.0; ctx.Err() == nil; {
				for range 10_000 {
					x = x*1.0000001 + 1e-9
				}
				runtime.Gosched()
			}
		})
	}
	t.Cleanup(func() { cancel(); work.Wait() })
}

// TestNothingBlinks looks at 200 frames of one agent, and of two, that play as fast as they can while the machine is
// busy and a frame has time for one picture only: all panes tell of one step and one segment, no pane is empty once
// something was thought, and two agents are shown at the same moment.
func TestNothingBlinks(t *testing.T) {
	for _, views := range []int{1, 2} {
		t.Run([]string{"", "one", "compared"}[views], func(t *testing.T) {
			d := liveApp(t)
			d.in.Width, d.in.Height = 800, 600
			if views == 2 {
				d.tick("c")
				d.tick("down", "enter")
				d.until("both are there", func() bool { return len(d.sides) == 2 && d.sides[1].view.Step != nil && d.end() == 0 })
			}
			d.send(session.Command{Op: session.OpSpeed, Value: len(session.Speeds) - 2})
			d.tick("space")
			d.until("something is thought", func() bool { return d.view().Segment >= 0 && d.sides[views-1].view.Segment >= 0 })
			d.Draw()
			load(t)
			d.Budget = time.Nanosecond
			least := make(map[string]int) // ink of each pane with a segment
			moments, dim := make(map[scene]bool), 0
			// Frames go by until both kinds were seen often enough, at least 200.
			deadline := time.Now().Add(2 * time.Minute)
			for frame := 0; frame < 200 || dim < 3 || len(moments) < 12; frame++ {
				if time.Now().After(deadline) {
					t.Fatalf("%d moments, %d of them before a segment, in %d frames", len(moments), dim, frame)
				}
				time.Sleep(2 * time.Millisecond)
				d.tick()
				blits := d.Draw()
				var seen [2]scene
				for _, p := range d.inView.placed {
					id := p.ID + sideName[p.View]
					var img *image.RGBA
					for _, b := range blits {
						if b.ID == id {
							img = b.Image
						}
					}
					if img == nil {
						t.Fatalf("frame %d: no %s", frame, id)
					}
					k := d.pictures[id].key.(pictureKey).key.(scene)
					k.own = nil
					if seen[p.View].step == nil {
						seen[p.View] = k
					}
					if k != seen[p.View] {
						t.Fatalf("frame %d: %s shows segment %d of step %d, another pane %d of %d", frame, id, k.segment, k.step.Index, seen[p.View].segment, seen[p.View].step.Index)
					}
					switch n := ink(img); {
					case p.ID == "board" || p.ID == "timeline" || p.ID == "actions":
					case k.segment >= 0:
						if least[p.ID] == 0 || n < least[p.ID] {
							least[p.ID] = n
						}
					case n < least[p.ID]/3: // what is dimmed has less ink, what is blank nearly none
						t.Fatalf("frame %d: %s is empty: %d pixels, %d with a segment", frame, id, n, least[p.ID])
					}
				}
				if k := seen[0]; !moments[k] {
					moments[k] = true
					if k.segment < 0 {
						dim++
					}
				}
				if p, q := seen[0], seen[1]; views == 2 {
					// One may need fewer segments, or steps, than the other, and rests at their end.
					ended := func(k scene) bool { return k.step.Terminated || k.step.Truncated }
					over := func(k scene) bool { return ended(k) || k.segment >= 0 && k.step.Thought[k.segment].Halted }
					switch same := p.step.Episode == q.step.Episode && p.step.Index == q.step.Index; {
					case p.step.Episode != q.step.Episode, p.step.Index < q.step.Index && !ended(p), q.step.Index < p.step.Index && !ended(q):
						t.Fatalf("frame %d: steps %d and %d of episodes %d and %d", frame, p.step.Index, q.step.Index, p.step.Episode, q.step.Episode)
					case same && (p.segment < q.segment && !over(p) || q.segment < p.segment && !over(q)):
						t.Fatalf("frame %d: segments %d and %d", frame, p.segment+1, q.segment+1)
					}
				}
			}
		})
	}
}
