package window

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/sudoku"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
	"github.com/ponder-agents/ponder/viz/viztest"
)

// phoneApp is an app on a phone, of whose page a person can pick a file and share a run.
func phoneApp(t *testing.T, env string) (d *driver, used *[]string) {
	t.Helper()
	used = new([]string)
	d = drive(t, Config{
		Open: open, Choice: session.Choice{Env: env, Agent: "hrm", Seed: 3}, Edit: true,
		Envs:     []string{"maze/9x9-v0", "sudoku", "maze/11x11-v0"},
		Agents:   Agents([]Model{{Name: "maze"}, {Name: "maze-path"}, {Name: "sudoku"}, {Name: "sudoku-groups"}, {Name: "doorkey-5x5"}}),
		Painters: viz.Painters{"maze": maze.PaintBoard, "sudoku": sudoku.PaintBoard},
		PickFile: func() { *used = append(*used, "file") }, Share: func() { *used = append(*used, "share") },
	})
	d.in.Width, d.in.Height, d.in.Scale, d.in.Touch = 390, 844, 2, true
	d.in.X, d.in.Y = -1, -1
	d.tick()
	return d, used
}

func (d *driver) tap(r canvas.Rect) {
	d.in.X, d.in.Y, d.in.Down = r.X+r.W/2, r.Y+r.H/2, true
	d.tick()
	d.in.Down = false
	d.tick()
	d.in.X, d.in.Y = -1, -1
	d.tick()
}

func (d *driver) button(id string) button {
	d.Helper()
	for _, b := range d.buttons() {
		if b.id == id {
			return b
		}
	}
	d.Fatalf("there is no button %s", id)
	return button{}
}

// TestPhone: on a phone every control is large enough for a finger, has an effect or is not there, and lies on no other;
// the card of the thought and the curve stand under the board.
func TestPhone(t *testing.T) {
	d, used := phoneApp(t, "maze/9x9-v0")
	d.thinkOn(3)
	all := d.buttons()
	for i, b := range all {
		if b.r.W < 44 || b.r.H < 44 {
			t.Errorf("%s is %.0f x %.0f points, want 44 or more", b.id, b.r.W, b.r.H)
		}
		if b.r.X < 0 || b.r.X+b.r.W > 390 || b.r.Y < 0 || b.r.Y+b.r.H > 844 {
			t.Errorf("%s is not in the window: %+v", b.id, b.r)
		}
		if !b.enabled(d.App) {
			t.Errorf("%s has no effect", b.id)
		}
		for _, c := range all[:i] {
			if b.r.X < c.r.X+c.r.W && c.r.X < b.r.X+b.r.W && b.r.Y < c.r.Y+c.r.H && c.r.Y < b.r.Y+b.r.H {
				t.Errorf("%s lies on %s", b.id, c.id)
			}
		}
	}
	board, thought, curve := d.pane("board").Rect, d.pane("thought").Rect, d.pane("curve").Rect
	if thought.Y < board.Y+board.W || curve.Y < thought.Y+thought.H || curve.H < 96 || curve.Y+curve.H > 844-60 {
		t.Errorf("board %+v, thought %+v, curve %+v", board, thought, curve)
	}
	// What has no button is in a list, which is pulled to its end and tapped.
	d.tap(d.button("more").r)
	if d.list == nil || d.sizes().row < 44 {
		t.Fatal("no list, or of rows too small")
	}
	r, rows := d.listArea()
	for range len(d.list.items) {
		d.in.X, d.in.Y, d.in.Down = r.X+r.W/2, r.Y+r.H-30, true
		d.tick()
		d.in.Y = r.Y + listHead
		d.tick()
		d.in.Down = false
		d.tick()
	}
	if d.list == nil || d.list.scroll != max(len(d.list.items)-rows, 0) {
		t.Fatalf("pulled to %+v", d.list)
	}
	at := func(title string) canvas.Rect {
		t.Helper()
		d.list.scroll = max(slices.IndexFunc(d.list.items, func(it item) bool { return strings.HasPrefix(it.title, title) }), 0) // pulled there
		for _, p := range d.State().List {
			if strings.HasPrefix(p.ID, title) {
				return p.At
			}
		}
		t.Fatalf("no %q in the list %+v", title, d.list.items)
		return canvas.Rect{}
	}
	d.tap(at("Share this run"))
	d.tap(d.button("more").r)
	d.tap(at("Open a trace"))
	if strings.Join(*used, " ") != "share file" {
		t.Errorf("used %q", *used)
	}
	// A tap on a wall opens it, and it thinks again.
	wall := wallOf(d.view().Step)
	cell, _ := d.cellRect(d.boards()[0], wall)
	d.tap(cell)
	d.until("the wall is gone", func() bool {
		return d.view().Step.Board.Cells[wall].Kind == maze.KindFloor && len(d.view().Step.Thought) > 0
	})
	if c, ok := d.Choice(); !ok || c.Edits == "" {
		t.Errorf("choice %+v does not say the edit", c)
	}
}

// wallOf is an inner wall of a maze.
func wallOf(s *trace.Step) int {
	b := &s.Board
	for i, c := range b.Cells {
		if x, y := i%b.Cols, i/b.Cols; c.Kind == maze.KindWall && x > 0 && y > 0 && x < b.Cols-1 && y < b.Rows-1 {
			return i
		}
	}
	return -1
}

// digits is a wave whose answer is of digits.
type digits struct{ *viztest.Wave }

// Describe implements session.Agent.
func (w digits) Describe(h *trace.Header) {
	w.Wave.Describe(h)
	h.Answer = trace.AnswerDigit
}

// edited is a window in which the digits of a sudoku are edited.
func edited(t *testing.T, env string) *driver {
	return drive(t, Config{
		Open: func(ctx context.Context, c session.Choice) (*session.Scene, error) {
			s, err := open(ctx, c)
			if err == nil {
				s.Agent = digits{s.Agent.(*viztest.Wave)}
			}
			return s, err
		},
		Choice: session.Choice{Env: env, Agent: "hrm", Seed: 3}, Edit: true, Painters: viz.Painters{"sudoku": sudoku.PaintBoard},
	})
}

// TestPad: a finger edits digits by tapping a cell and then a key of the pad, which a second tap on the cell takes away.
func TestPad(t *testing.T) {
	d := edited(t, "sudoku")
	d.in.Width, d.in.Height, d.in.Scale, d.in.Touch = 390, 844, 2, true
	d.tick()
	b := d.view().Step.Board
	cell := slices.IndexFunc(b.Cells, func(c grid.Cell) bool { return c.Flags&grid.FlagGiven != 0 })
	at, ok := d.cellRect(d.boards()[0], cell)
	if !ok || d.boards()[0].Rect.W < 380 {
		t.Fatalf("cell %d at %+v", cell, at)
	}
	if len(d.State().Keys) != 0 {
		t.Error("a pad before a cell was tapped")
	}
	d.tap(at)
	keys := d.State().Keys
	if len(keys) != 10 || keys[8].ID != "9" || keys[9].ID != "empty" || keys[0].At.W < 44 || keys[0].At.H < 44 {
		t.Fatalf("keys %+v", keys)
	}
	d.Draw() // of all keys and the frame of the cell
	d.tap(keys[9].At)
	d.until("the cell is empty", func() bool { return d.view().Step.Board.Cells[cell].Flags&grid.FlagGiven == 0 })
	d.tap(keys[b.Cells[cell].Kind-1].At)
	d.until("the digit is back", func() bool { return d.view().Step.Board.Cells[cell] == b.Cells[cell] })
	d.tap(at)
	if len(d.State().Keys) != 0 {
		t.Error("the pad stays")
	}
}

// TestLetters: on a board with more than nine digits capital letters are those above 9, typed and on the pad.
func TestLetters(t *testing.T) {
	d := edited(t, "sudoku/16x16-v0")
	d.tick()
	b := d.view().Step.Board
	cell := slices.IndexFunc(b.Cells, func(c grid.Cell) bool { return c.Flags&grid.FlagGiven != 0 && c.Kind > 10 })
	if cell < 0 {
		t.Fatalf("a board of %d cells has no given above 10", len(b.Cells))
	}
	at, ok := d.cellRect(d.boards()[0], cell)
	if !ok {
		t.Fatalf("cell %d is not shown", cell)
	}
	d.edit = true
	d.in.X, d.in.Y = at.X+at.W/2, at.Y+at.H/2
	d.tick("0")
	d.until("the cell is empty", func() bool { return d.view().Step.Board.Cells[cell].Flags&grid.FlagGiven == 0 })
	d.tick(Key(string(rune('A' + b.Cells[cell].Kind - 10))))
	d.until("the digit is back", func() bool { return d.view().Step.Board.Cells[cell] == b.Cells[cell] })
	if _, ok := d.digit("H"); ok {
		t.Error("H is 17")
	}

	d.in.Width, d.in.Height, d.in.Scale, d.in.Touch = 390, 844, 2, true
	d.tick()
	at, _ = d.cellRect(d.boards()[0], cell)
	d.tap(at)
	keys := d.State().Keys
	if len(keys) != 17 || keys[8].ID != "9" || keys[9].ID != "A" || keys[15].ID != "G" || keys[16].ID != "empty" || keys[16].At.W < 44 {
		t.Fatalf("keys %+v", keys)
	}
	d.Draw()
	d.tap(keys[16].At)
	d.until("the cell is empty", func() bool { return d.view().Step.Board.Cells[cell].Flags&grid.FlagGiven == 0 })
	d.tap(keys[b.Cells[cell].Kind-1].At)
	d.until("the digit is back", func() bool { return d.view().Step.Board.Cells[cell] == b.Cells[cell] })
}

// TestDrawingIsSpread: where there is no time, a frame draws one picture, and after some frames all are there.
func TestDrawingIsSpread(t *testing.T) {
	d := liveApp(t)
	d.Budget = time.Nanosecond
	drawn := func() (n int) {
		for _, p := range d.pictures {
			n += p.version
			if p.drawn { // and not in view yet
				n++
			}
		}
		return n
	}
	shown := 0
	for range 40 {
		before := drawn()
		shown = len(d.Draw())
		if n := drawn() - before; n > 1 {
			t.Fatalf("a frame draws %d pictures", n)
		}
		d.tick()
	}
	d.Budget = 0
	if all := len(d.Draw()); shown != all {
		t.Errorf("%d pictures after 40 frames, want %d", shown, all)
	}
}
