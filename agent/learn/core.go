//go:build cgo && !notorch

package learn

import (
	"fmt"
	"slices"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// A Core is a network of libtorch for package think. The states of its rows stay on the network's
// device: a segment uploads tokens only if it is about others than the one before, and downloads
// logits and Q values alone.
type Core struct {
	net *hrm.Core
}

// NewCore is c for package think.
func NewCore(c *hrm.Core) *Core { return &Core{c} }

// Close frees the network.
func (c *Core) Close() error { return c.net.Close() }

// Spec implements think.Core.
func (c *Core) Spec() think.Spec { return open.Spec(c.net.Spec()) }

// Readout implements think.Reader.
func (c *Core) Readout() []float32 { return c.net.Readout() }

// Open implements think.Core. What it returns is a think.Attender if the network has attention.
func (c *Core) Open(rows int, shape think.Shape) (think.Rows, error) {
	if err := c.net.Spec().Fits(shape.Seq, shape.Rows, shape.Cols); err != nil {
		return nil, err
	}
	r := &coreRows{core: c.net, shape: shape, rows: make([]coreRow, rows), chosen: make([]bool, rows)}
	if c.net.Attends() {
		return &coreAttender{r}, nil
	}
	return r, nil
}

// coreRows are the rows of a Core. Rows that thought together have their states together, in a group;
// while the same rows think in the same order, the state that a segment begins with is the very tensor
// that the one before ended with.
type coreRows struct {
	core   *hrm.Core
	shape  think.Shape
	rows   []coreRow
	chosen []bool    // of rows, during Segment
	in     hrm.Input // kept: what the rows asked think about
	asked  []int     // rows of in, in their order; none if a row has changed since
}

type coreRow struct {
	begun  bool
	tokens []int32
	id     int32
	group  *group // of its state; nil is the network's start
	at     int    // its place in the group
}

// A group is a batch of states, kept for as long as rows have theirs in it.
type group struct {
	carry hrm.Carry
	size  int // rows of carry
	used  int // of them in use
}

// Begin implements think.Rows.
func (r *coreRows) Begin(row int, in think.Input) error {
	if err := r.set(row, in); err != nil {
		return err
	}
	r.move(row, nil, 0)
	r.rows[row].begun = true
	return nil
}

// Turn implements think.Rows.
func (r *coreRows) Turn(row int, in think.Input) error {
	if err := r.started(row); err != nil {
		return err
	}
	return r.set(row, in)
}

func (r *coreRows) set(row int, in think.Input) error {
	if len(in.Tokens) != r.shape.Seq {
		return fmt.Errorf("row %d: %d tokens, want %d", row, len(in.Tokens), r.shape.Seq)
	}
	if err := checkInput(r.core.Spec(), in.Tokens, in.ID); err != nil {
		return fmt.Errorf("row %d: %w", row, err)
	}
	w := &r.rows[row]
	w.tokens, w.id = append(w.tokens[:0], in.Tokens...), in.ID
	r.asked = r.asked[:0]
	return nil
}

func (r *coreRows) started(row int) error {
	if !r.rows[row].begun {
		return fmt.Errorf("row %d has not begun", row)
	}
	return nil
}

// move says that the state of row is the one at place at of g.
func (r *coreRows) move(row int, g *group, at int) {
	w := &r.rows[row]
	if old := w.group; old != nil {
		if old.used--; old.used == 0 {
			old.carry.Drop()
		}
	}
	if g != nil {
		g.used++
	}
	w.group, w.at = g, at
}

// Segment implements think.Rows.
func (r *coreRows) Segment(rows []int, out *think.Output) error {
	if err := r.choose(rows); err != nil {
		return err
	}
	if len(rows) == 0 {
		out.Logits, out.QHalt, out.QContinue = out.Logits[:0], out.QHalt[:0], out.QContinue[:0]
		return nil
	}
	next := &group{size: len(rows)}
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		r.upload(s, rows)
		c, o := r.core.Segment(s, r.gather(s, rows), r.in)
		out.Logits = s.ReadFloats(out.Logits, o.Logits)
		out.QHalt = s.ReadFloats(out.QHalt, o.QHalt)
		out.QContinue = s.ReadFloats(out.QContinue, o.QContinue)
		next.carry = c.Keep(s)
	})
	if err != nil {
		return err
	}
	for i, row := range rows {
		r.move(row, next, i)
	}
	return r.tidy()
}

// choose checks that rows have begun and are different.
func (r *coreRows) choose(rows []int) error {
	clear(r.chosen)
	for _, row := range rows {
		if err := r.started(row); err != nil {
			return err
		}
		if r.chosen[row] {
			return fmt.Errorf("row %d twice in one segment", row)
		}
		r.chosen[row] = true
	}
	return nil
}

// upload puts into r.in what rows think about, if it is not there.
func (r *coreRows) upload(s *torch.Scope, rows []int) {
	if slices.Equal(rows, r.asked) {
		return
	}
	r.forget()
	in := r.about(s, rows)
	s.Keep(in.Tokens)
	if in.PuzzleIDs != nil {
		s.Keep(in.PuzzleIDs)
	}
	r.in, r.asked = in, append(r.asked, rows...)
}

// about is what rows think about.
func (r *coreRows) about(s *torch.Scope, rows []int) hrm.Input {
	b := puzzle.Batch{Rows: len(rows), Seq: r.shape.Seq}
	for _, row := range rows {
		b.Inputs, b.IDs = append(b.Inputs, r.rows[row].tokens...), append(b.IDs, r.rows[row].id)
	}
	return input(s, r.core.Device(), r.core.Spec(), &b, [2]int{r.shape.Rows, r.shape.Cols})
}

// forget frees what upload made.
func (r *coreRows) forget() {
	for _, t := range []*torch.Tensor{r.in.Tokens, r.in.PuzzleIDs} {
		if t != nil {
			t.Drop()
		}
	}
	r.in, r.asked = hrm.Input{}, r.asked[:0]
}

// gather is the states of rows in their order.
func (r *coreRows) gather(s *torch.Scope, rows []int) hrm.Carry {
	var parts []hrm.Carry
	var places []int64 // of the rows of one part
	for i := 0; i < len(rows); {
		g := r.rows[rows[i]].group
		places = places[:0]
		rising := true
		for ; i < len(rows) && r.rows[rows[i]].group == g; i++ {
			at := int64(r.rows[rows[i]].at)
			rising = rising && (len(places) == 0 || at == places[len(places)-1]+1)
			places = append(places, at)
		}
		n := len(places)
		switch {
		case g == nil:
			parts = append(parts, r.core.Start(s, n, r.shape.Seq))
		case rising && n == g.size:
			parts = append(parts, g.carry)
		case rising:
			parts = append(parts, g.carry.Narrow(s, int(places[0]), n))
		default:
			parts = append(parts, g.carry.Pick(s, torch.From(s, r.core.Device(), places, int64(n))))
		}
	}
	return hrm.Join(s, parts...)
}

// tidy gives the states of rows that did not think along a place of their own where they are the
// smaller part of what is kept for them, so that what is kept is at most twice what is in use.
func (r *coreRows) tidy() error {
	for first, w := range r.rows {
		g := w.group
		if g == nil || 2*g.used >= g.size {
			continue
		}
		var rows []int
		for i := first; i < len(r.rows); i++ {
			if r.rows[i].group == g {
				rows = append(rows, i)
			}
		}
		own := &group{size: len(rows)}
		err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
			at := make([]int64, len(rows))
			for i, row := range rows {
				at[i] = int64(r.rows[row].at)
			}
			own.carry = g.carry.Pick(s, torch.From(s, r.core.Device(), at, int64(len(at)))).Keep(s)
		})
		if err != nil {
			return err
		}
		for i, row := range rows {
			r.move(row, own, i)
		}
	}
	return nil
}

// Save implements think.Rows.
func (r *coreRows) Save(row int) (m think.Memory, err error) {
	if err := r.started(row); err != nil {
		return nil, err
	}
	err = torch.Do(torch.NoGrad, func(s *torch.Scope) {
		m = r.gather(s, []int{row}).Floats(s)
	})
	return m, err
}

// Load implements think.Rows.
func (r *coreRows) Load(row int, m think.Memory) error {
	if err := r.started(row); err != nil {
		return err
	}
	states := r.core.Spec().States
	if len(m) != len(states) {
		return fmt.Errorf("row %d: a memory of %d levels, want %d", row, len(m), len(states))
	}
	for i, st := range states {
		if want := st.Len(r.shape.Seq); len(m[i]) != want {
			return fmt.Errorf("row %d: a memory of %d numbers in level %s, want %d", row, len(m[i]), st.Name, want)
		}
	}
	g := &group{size: 1}
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		g.carry = r.core.CarryOf(s, r.shape.Seq, m).Keep(s)
	})
	if err != nil {
		return err
	}
	r.move(row, g, 0)
	return nil
}

// Close implements think.Rows.
func (r *coreRows) Close() error {
	for row := range r.rows {
		r.move(row, nil, 0)
		r.rows[row].begun = false
	}
	r.forget()
	return nil
}

// coreAttender are coreRows of a network with attention.
type coreAttender struct{ *coreRows }

// Attention implements think.Attender.
func (r *coreAttender) Attention(row int) (maps [][]float32, err error) {
	if err := r.started(row); err != nil {
		return nil, err
	}
	err = torch.Do(torch.NoGrad, func(s *torch.Scope) {
		maps = r.core.AttentionMaps(s, r.gather(s, []int{row}), r.about(s, []int{row}))
	})
	return maps, err
}
