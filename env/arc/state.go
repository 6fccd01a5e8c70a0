package arc

import (
	"encoding/binary"
	"fmt"

	"github.com/ponder-agents/ponder/env/rng"
)

// A snapshot is a mark, the stream, live, selecting, trials, cursor and the selection's beginning
// (a byte each), the steps, and canvas, clipboard, input, output and the demonstrations as grids: a
// byte each for rows and columns, then the cells.
const (
	stateMark = 'A'
	stateHead = 1 + rng.RandStateLen + 3 + 4 + 4
)

// AppendState implements env.Snapshotter.
func (w *World) AppendState(dst []byte) []byte {
	dst = append(dst, stateMark)
	dst = w.rng.AppendState(dst)
	dst = append(dst, bit(w.live), bit(w.selecting), byte(w.trials),
		byte(w.row), byte(w.col), byte(w.row0), byte(w.col0))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(w.steps))
	for _, g := range []*Grid{&w.canvas, &w.clip, &w.question, &w.answer} {
		dst = g.appendState(dst)
	}
	dst = append(dst, byte(len(w.demos)))
	for i := range w.demos {
		dst = w.demos[i].Input.appendState(dst)
		dst = w.demos[i].Output.appendState(dst)
	}
	return dst
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func (g *Grid) appendState(dst []byte) []byte {
	return append(append(dst, byte(g.Rows), byte(g.Cols)), g.Cells...)
}

// cutState reads a grid from the front of b and returns the rest.
func (g *Grid) cutState(b []byte) (rest []byte, err error) {
	if len(b) < 2 {
		return nil, fmt.Errorf("cut in a grid")
	}
	rows, cols := int(b[0]), int(b[1])
	n := rows * cols
	if rows > MaxSide || cols > MaxSide || (rows == 0) != (cols == 0) || len(b) < 2+n {
		return nil, fmt.Errorf("grid of %dx%d in %d bytes", rows, cols, len(b))
	}
	g.Resize(rows, cols)
	for i, c := range b[2 : 2+n] {
		if c >= Colors {
			return nil, fmt.Errorf("colour %d", c)
		}
		g.Cells[i] = c
	}
	return b[2+n:], nil
}

// Ended implements env.Ender.
func (w *World) Ended() bool { return !w.live }

// SetState implements env.Snapshotter.
func (w *World) SetState(state []byte) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("arc: not a snapshot of %s: %w", w.spec.ID, fmt.Errorf(format, args...))
	}
	if len(state) < stateHead || state[0] != stateMark {
		return bad("%d bytes, want at least %d that begin with %q", len(state), stateHead, stateMark)
	}
	head := state[1+rng.RandStateLen:]
	steps := int(binary.LittleEndian.Uint32(head[7:]))
	var canvas, clip, question, answer Grid
	rest := state[stateHead:]
	var err error
	for _, g := range []*Grid{&canvas, &clip, &question, &answer} {
		if rest, err = g.cutState(rest); err != nil {
			return bad("%w", err)
		}
	}
	if len(rest) == 0 || rest[0] > maxDemos {
		return bad("demonstrations missing or too many")
	}
	demos := make([]Pair, rest[0])
	rest = rest[1:]
	for i := range demos {
		for _, g := range []*Grid{&demos[i].Input, &demos[i].Output} {
			if rest, err = g.cutState(rest); err != nil {
				return bad("%w", err)
			}
			if g.Rows == 0 {
				return bad("empty demonstration")
			}
		}
	}
	live, selecting, trials := head[0], head[1], int(head[2])
	row, col, row0, col0 := int(head[3]), int(head[4]), int(head[5]), int(head[6])
	switch {
	case len(rest) > 0:
		return bad("%d bytes too many", len(rest))
	case canvas.Rows == 0 || question.Rows == 0 || answer.Rows == 0:
		return bad("an empty grid")
	case live > 1 || selecting > 1 || trials > w.cfg.Trials || live == 1 && trials == 0:
		return bad("live %d, selecting %d, %d trials", live, selecting, trials)
	case row >= canvas.Rows || col >= canvas.Cols,
		selecting == 1 && (row0 >= canvas.Rows || col0 >= canvas.Cols), row0 >= MaxSide || col0 >= MaxSide:
		return bad("cursor (%d, %d) or selection from (%d, %d) outside of %dx%d", row, col, row0, col0, canvas.Rows, canvas.Cols)
	case steps > w.cfg.MaxSteps || live == 1 && steps == w.cfg.MaxSteps:
		return bad("step %d of %d", steps, w.cfg.MaxSteps)
	}
	if err := w.rng.SetState(state[1 : 1+rng.RandStateLen]); err != nil {
		return bad("%w", err)
	}
	w.load(demos, &question, &answer)
	w.canvas.CopyFrom(&canvas)
	w.clip.CopyFrom(&clip)
	w.row, w.col, w.row0, w.col0 = row, col, row0, col0
	w.selecting, w.live, w.trials, w.steps = selecting == 1, live == 1, trials, steps
	w.frame()
	return nil
}
