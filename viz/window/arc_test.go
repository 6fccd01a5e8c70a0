package window

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/viz"
)

// A task whose rule is to double the width, with blue for grey: two demonstrations, and a test of 1x2.
const doubled = `{"train":[{"input":[[5]],"output":[[1,1]]},{"input":[[5,0],[0,5]],"output":[[1,0,1,0],[0,1,0,1]]}],
"test":[{"input":[[5,0]],"output":[[1,0,1,0]]}]}`

// arcApp is a window in which a person plays the task of a text.
func arcApp(t *testing.T, text string) *driver {
	t.Helper()
	d := drive(t, Config{
		Open: func(_ context.Context, c session.Choice) (*session.Scene, error) {
			e, err := env.OpenLevel(text)
			if err != nil {
				return nil, err
			}
			return session.OpenScene(e, c, nil)
		},
		Choice: session.Choice{Agent: trace.Human}, Dir: t.TempDir(), Painters: viz.Painters{"arc": arc.PaintBoard},
	})
	d.until("it is open", func() bool { return d.human() })
	return d
}

// tools are the tools at their places in the window.
func (d *driver) tools() []Place { return d.State().Tools }

// pressTool presses the tool of that action, -1 for the one that leads back to the test, out of the drawer if it is there.
func (d *driver) pressTool(action int) {
	d.Helper()
	p := d.pane("actions")
	r, at := d.local(p)
	for range 2 {
		for _, b := range viz.Tools(r, d.view()) {
			if action < 0 && b.Hit.Kind == viz.HitReturn || b.Hit.Kind == viz.HitAction && b.Hit.N == action {
				b.Rect.X, b.Rect.Y = b.Rect.X+float64(at.X)/d.in.Scale, b.Rect.Y+float64(at.Y)/d.in.Scale
				d.clickRect(b.Rect)
				return
			}
		}
		for _, b := range d.tools() {
			if b.ID == "more" {
				d.clickRect(b.At)
				d.tick()
			}
		}
	}
	d.Fatalf("there is no tool for action %d (%s)", action, d.view().Header.Actions[max(action, 0)])
}

// acted presses, and waits until the world has taken a step.
func (d *driver) acted(press func()) {
	d.Helper()
	was := *d.view().Step
	press()
	d.until("the press is taken", func() bool { s := d.view().Step; return s.Index > was.Index && s.Action < 0 })
}

// cellAt is where the cell in row y and column x stands, counted from column skip of the board.
func (d *driver) cellAt(x, y, skip int) (float64, float64) {
	d.Helper()
	at, ok := d.cellRect(d.boards()[0], y*d.view().Step.Board.Cols+skip+x)
	if !ok {
		d.Fatalf("no cell (%d, %d)", x, y)
	}
	return at.X + at.W/2, at.Y + at.H/2
}

// TestARCByMouse: a person tries a demonstration and then solves the task with nothing but clicks.
func TestARCByMouse(t *testing.T) { solveByHand(t, arcApp(t, doubled)) }

// TestARCOnAPhone: the same by a finger, for which all tools are large enough, the drawer open or not.
func TestARCOnAPhone(t *testing.T) {
	d := arcApp(t, doubled)
	d.cfg.Edit, d.edit = true, true // as in the page
	d.in.Width, d.in.Height, d.in.Scale, d.in.Touch = 390, 844, 2, true
	d.tick()
	if d.button("restart"); slices.ContainsFunc(d.buttons(), func(b button) bool { return b.id == "longer" }) {
		t.Error("a person is offered to think longer")
	}
	for _, open := range []bool{false, true} {
		if d.drawer != open {
			d.clickRect(d.tools()[slices.IndexFunc(d.tools(), func(p Place) bool { return p.ID == "more" })].At)
			d.tick()
		}
		pane, all := d.pane("actions").Rect, d.tools()
		if len(all) < 13 || d.drawer != open {
			t.Fatalf("tools %+v", all)
		}
		for i, b := range all {
			if b.At.W < 44 || b.At.H < 44 || !pane.Contains(b.At.X, b.At.Y) || !pane.Contains(b.At.X+b.At.W-1, b.At.Y+b.At.H-1) {
				t.Errorf("%s at %+v in %+v", b.ID, b.At, pane)
			}
			for _, c := range all[:i] {
				if b.At.X < c.At.X+c.At.W && c.At.X < b.At.X+b.At.W && b.At.Y < c.At.Y+c.At.H && c.At.Y < b.At.Y+b.At.H {
					t.Errorf("%s lies on %s", b.ID, c.ID)
				}
			}
		}
	}
	solveByHand(t, d)
}

// solveByHand tries a demonstration of the task doubled, and then solves its test.
func solveByHand(t *testing.T, d *driver) {
	t.Helper()
	if n := len(d.view().Step.Board.Beside); n != 2 {
		t.Fatalf("%d demonstrations beside the canvas", n)
	}

	// The first demonstration as the question: its output is two blue cells.
	p := d.pane("beside")
	d.click(p.Rect.X+30, p.Rect.Y+40)
	d.until("it is asked", func() bool { return d.view().Hand.Tries })
	if n := len(d.view().Step.Board.Beside); n != 1 {
		t.Errorf("%d demonstrations beside the one that is tried", n)
	}
	d.draw(1, [][]int{{1, 1}})
	d.acted(func() { d.pressTool(arc.Submit) })
	d.until("it is right", func() bool { s := d.view().Step; return s.Terminated && s.Return == 1 })
	d.pressTool(-1) // back to the test
	d.until("the test is asked", func() bool { return !d.view().Hand.Tries && !d.view().Step.Terminated })

	// The test, wrong at first.
	d.acted(func() { d.pressTool(arc.Submit) })
	d.until("it says so", func() bool {
		return d.view().Step.Board.Caption == "find the output that belongs to the input: not that; trials left: 1"
	})
	d.draw(2, [][]int{{1, 0, 1, 0}})
	d.acted(func() { d.pressTool(arc.Submit) })
	d.until("it is solved", func() bool { s := d.view().Step; return s.Terminated && s.Return == 1 })

	// All of it is a person's.
	h := d.sides[0].history()
	first, end := h.Range()
	for n := first; n < end; n++ {
		if s, err := h.Step(n); err != nil || s.Person != (s.Action >= 0) {
			t.Errorf("step %d with action %d: by a person: %t, %v", n, s.Action, s.Person, err)
		}
	}
}

// draw makes the canvas, of 3x3 cells at first, of the size of want, and paints it; skip is the columns left of it.
func (d *driver) draw(cols int, want [][]int) {
	d.Helper()
	skip := cols + 1
	size := func() (rows, columns int) {
		rows = 0
		b := d.view().Step.Board
		for y := range b.Rows {
			if b.Cells[y*b.Cols+skip].Kind == arc.KindColor {
				rows++
			}
		}
		return rows, b.Cols - skip
	}
	for {
		rows, columns := size()
		switch {
		case rows > len(want):
			d.acted(func() { d.pressTool(arc.Shorter) })
		case columns > len(want[0]):
			d.acted(func() { d.pressTool(arc.Narrower) })
		case columns < len(want[0]):
			d.acted(func() { d.pressTool(arc.Wider) })
		default:
			for y, row := range want {
				for x, color := range row {
					if color == int(d.view().Step.Board.Cells[y*d.view().Step.Board.Cols+skip+x].Color) {
						continue
					}
					d.pressTool(arc.Paint + color)
					d.tick()
					d.acted(func() { d.click(d.cellAt(x, y, skip)) })
				}
			}
			return
		}
	}
}

// TestARCSelects: a rectangle is selected by dragging, and a colour fills it.
func TestARCSelects(t *testing.T) {
	d := arcApp(t, doubled)
	d.pressTool(arc.Select)
	d.tick()
	d.in.X, d.in.Y = d.cellAt(0, 0, 3)
	d.tick()
	d.in.Down = true
	d.tick()
	d.in.X, d.in.Y = d.cellAt(1, 2, 3)
	d.tick()
	d.in.Down = false
	d.tick()
	selected := func() (n int) {
		for _, c := range d.view().Step.Board.Cells {
			if c.State == arc.StateSelected {
				n++
			}
		}
		return n
	}
	d.until("2x3 cells are selected", func() bool { return selected() == 6 })
	d.pressTool(arc.Paint + 4)
	d.until("they are yellow", func() bool {
		n := 0
		for _, c := range d.view().Step.Board.Cells {
			if c.Kind == arc.KindColor && c.Color == 4 {
				n++
			}
		}
		return n == 6
	})
}

// TestRecordingOfAPerson: what a person did is marked in the recording, what the agent did is not.
func TestRecordingOfAPerson(t *testing.T) {
	d := liveApp(t)
	d.tick("v")
	d.until("it records", func() bool { return d.status().Recording != "" })
	d.tick("right")
	d.until("the agent has acted", func() bool { return d.end() == 1 })
	d.tick("h")
	d.until("a person plays", func() bool { return d.view().Hand.Plays })
	if s := d.view().Words(); s != "You play: arrow keys, digits, or a click on an action. H hands back." {
		t.Errorf("the card says %q", s)
	}
	for k := range 4 { // one of them is no wall
		d.tick([]Key{"up", "down", "left", "right"}[k])
	}
	d.until("a person has acted", func() bool { return d.end() == 5 })
	d.tick("v")
	d.until("it is saved", func() bool { return d.status().Saved != "" })
	files, err := filepath.Glob(filepath.Join(d.cfg.Dir, "*.trace"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if _, err := os.Stat(files[0]); err != nil {
		t.Fatal(err)
	}
	f, err := trace.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var by []bool
	first, end := f.Range()
	for n := first; n < end; n++ {
		s, err := f.Step(n)
		if err != nil {
			t.Fatal(err)
		}
		by = append(by, s.Person)
	}
	if want := []bool{false, true, true, true, true}; !slices.Equal(by, want) {
		t.Errorf("by a person: %v, want %v", by, want)
	}
}
