package engine

import (
	"fmt"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/vec"
)

// Eyes make a vector of an observation, as package rl's encoder: the grid of numbers through embeddings and
// convolutions of 2x2, whatever else there is through embeddings of its own, summed.
type eyes struct {
	spec env.Spec

	rows, cols, channels int // of the grid; 0 without
	gridAt               int // its first byte
	cells                []float32
	convs                []affine // [out, 4·in]: the four cells row by row
	filmed               bool
	mission              field    // that scales and shifts, if filmed
	films                []affine // of the cells and of each convolution: of mission, [2·channels, ·]
	others               []field
	seen                 int // numbers that come out of all
	out                  affine
}

// A field is a part of an observation that is no grid.
type field struct {
	at, n, width int
	table        []float32 // [n·vocab, width], a part for each place
}

// checkSpec reports what no observation can be.
func checkSpec(s env.Spec) error {
	if s.Vocab < 1 || s.Vocab > 256 || s.ObsLen < 1 || len(s.Actions) == 0 {
		return fmt.Errorf("spec: vocab is %d, obs_len %d, %d actions; want 1 to 256, 1 or more and 1 or more", s.Vocab, s.ObsLen, len(s.Actions))
	}
	if f, ok := s.Board(); ok && f.Symbols >= s.Vocab {
		return fmt.Errorf("spec: %s has %d symbols, want fewer than vocab %d", f.Name, f.Symbols, s.Vocab)
	}
	all := 0
	for _, f := range s.Layout {
		if f.Real {
			return fmt.Errorf("spec: %s has real numbers, which libtorch's engine reads and this one does not", f.Name)
		}
		n := 1
		for _, d := range f.Shape {
			if d < 1 || d > s.ObsLen || n*d > s.ObsLen {
				return fmt.Errorf("spec: %s has the shape %v in an observation of %d bytes", f.Name, f.Shape, s.ObsLen)
			}
			n *= d
		}
		all += n
	}
	if all != s.ObsLen {
		return fmt.Errorf("spec: the layout has %d bytes, obs_len is %d", all, s.ObsLen)
	}
	return nil
}

// isGrid reports whether f is one, if no field before it was.
func isGrid(f env.Field) bool {
	s := f.Shape
	return (len(s) == 3 && s[2] <= 4 || len(s) == 2) && min(s[0], s[1]) > 1
}

// isMission reports whether f is one that can be a film, if it is no grid.
func isMission(f env.Field) bool { return f.Name == "mission" && f.Len() > 4 }

// checkFilm reports worlds of spec s in which nothing can scale and shift what is seen.
func checkFilm(s env.Spec) error {
	grid, mission := false, false
	for _, f := range s.Layout {
		if !grid && isGrid(f) {
			grid = true
		} else {
			mission = mission || isMission(f)
		}
	}
	if !grid || !mission {
		return fmt.Errorf("policy: film, and an observation of %s has no grid and mission", s.ID)
	}
	return nil
}

// build asks r for the tensors of eyes that make width numbers.
func (e *eyes) build(r *reader, width int) {
	*e = eyes{spec: e.spec, filmed: e.filmed}
	at := 0
	for _, f := range e.spec.Layout {
		n, s := f.Len(), f.Shape
		if e.rows == 0 && isGrid(f) {
			e.rows, e.cols, e.channels, e.gridAt = s[0], s[1], 1, at
			if len(s) == 3 {
				e.channels = s[2]
			}
			e.convolutions(r)
		} else {
			wide := width
			if n <= 4 {
				wide = arch.PolicyEmbedding
			} else if f.Name == "mission" {
				wide = arch.PolicyMission
			}
			x := field{at, n, wide, r.floats("encoder."+f.Name, n*e.spec.Vocab, wide)}
			if e.filmed && isMission(f) {
				e.mission = x
			} else {
				e.others = append(e.others, x)
			}
			e.seen += wide
		}
		at += n
	}
	if e.filmed {
		channels := []int{arch.PolicyEmbedding, 16, 32, 64}
		for i, c := range channels[:1+len(e.convs)] {
			e.films = append(e.films, r.affine(fmt.Sprintf("encoder.film.%d", i), 2*c, arch.PolicyMission))
		}
	}
	e.out = r.affine("encoder.out", width, e.seen)
}

// convolutions asks for those of the grid.
func (e *eyes) convolutions(r *reader) {
	e.cells = r.floats("encoder.cells", e.channels*e.spec.Vocab, arch.PolicyEmbedding)
	rows, cols, in := e.rows, e.cols, arch.PolicyEmbedding
	for i, out := range []int{16, 32, 64} {
		if min(rows, cols) < 2 || min(e.rows, e.cols) < 5 {
			break
		}
		name := fmt.Sprintf("encoder.conv.%d", i)
		w := r.floats(name+".weight", out, in, 2, 2)
		c := affine{b: r.floats(name+".bias", out)}
		if w != nil {
			c.w = vec.NewMatrix(4*in, out)
			column := make([]float32, 4*in)
			for o := range out {
				for k := range 4 * in { // [in, 2, 2] to [2, 2, in]
					column[k%4*in+k/4] = w[o*4*in+k]
				}
				c.w.SetColumn(o, column)
			}
		}
		e.convs = append(e.convs, c)
		if rows, cols, in = rows-1, cols-1, out; i == 0 {
			rows, cols = rows/2, cols/2
		}
	}
	e.seen += rows * cols * in
}

// A look is eyes with room for one observation.
type look struct {
	*eyes
	image, next, patch []float32 // [rows·cols, channels], by rows: of a convolution's input, its output, four cells each
	all                vector
	told, by           vector // a mission; what it makes of a layer's channels
}

func (e *eyes) open() *look {
	const widest = 64 // channels
	n := vec.PadRows(e.rows*e.cols) * widest
	return &look{e, make([]float32, n), make([]float32, n), make([]float32, 4*n), newVector(e.seen), newVector(arch.PolicyMission), newVector(2 * widest)}
}

// encode puts the vector of obs into dst.
func (l *look) encode(dst vector, obs []int32) {
	at := 0
	if l.filmed {
		m := l.mission
		clear(l.told)
		for j, v := range obs[m.at : m.at+m.n] {
			if v > 0 { // a word
				sum(l.told[:m.width], m.table[(j*l.spec.Vocab+int(v))*m.width:])
			}
		}
		at = copy(l.all, l.told[:m.width])
	}
	if l.rows > 0 {
		at += l.grid(l.all[at:], obs[l.gridAt:])
	}
	for _, f := range l.others {
		x := l.all[at : at+f.width]
		clear(x)
		for j, v := range obs[f.at : f.at+f.n] {
			sum(x, f.table[(j*l.spec.Vocab+int(v))*f.width:])
		}
		at += f.width
	}
	l.out.apply(dst, l.all)
}

// film scales and shifts the channels of n cells x by the mission, as a layer does.
func (l *look) film(x []float32, n, channels, layer int) {
	if !l.filmed {
		return
	}
	l.films[layer].apply(l.by, l.told)
	for i := range n {
		for k := range channels {
			x[i*channels+k] = x[i*channels+k]*(1+l.by[k]) + l.by[channels+k]
		}
	}
}

// grid puts what comes out of the convolutions into dst, channel by channel, and says how much it is.
func (l *look) grid(dst []float32, obs []int32) int {
	rows, cols, in := l.rows, l.cols, arch.PolicyEmbedding
	x, y := l.image, l.next
	for i := range rows * cols {
		cell := x[i*in : (i+1)*in]
		clear(cell)
		for k := range l.channels {
			sum(cell, l.cells[(k*l.spec.Vocab+int(obs[i*l.channels+k]))*in:])
		}
	}
	l.film(x, rows*cols, in, 0)
	for i, c := range l.convs {
		out := c.w.Out
		x, y = l.convolve(y, x, rows, cols, in, i), x
		if rows, cols, in = rows-1, cols-1, out; i == 0 {
			x, y = pool(y, x, rows, cols, in), x
			rows, cols = rows/2, cols/2
		}
	}
	n := rows * cols
	for i := range n {
		for k := range in {
			dst[k*n+i] = x[i*in+k]
		}
	}
	return n * in
}

// convolve puts relu(conv(x)) of a layer into y, which it returns.
func (l *look) convolve(y, x []float32, rows, cols, in, layer int) []float32 {
	c, n := l.convs[layer], 0
	for r := range rows - 1 {
		for at := range cols - 1 {
			four := l.patch[n*4*in:]
			copy(four, x[(r*cols+at)*in:][:2*in])
			copy(four[2*in:], x[((r+1)*cols+at)*in:][:2*in])
			n++
		}
	}
	out := c.w.Out // a multiple of vec.Lanes
	vec.Product(y, out, l.patch, 4*in, vec.PadRows(n), c.w)
	for i := range n {
		sum(y[i*out:(i+1)*out], c.b)
	}
	l.film(y, n, out, layer+1)
	for i, v := range y[:n*out] {
		y[i] = max(0, v)
	}
	return y
}

// pool puts the largest of every 2x2 of x into y, which it returns.
func pool(y, x []float32, rows, cols, channels int) []float32 {
	n := 0
	for r := range rows / 2 {
		for at := range cols / 2 {
			for k := range channels {
				i := (2*r*cols+2*at)*channels + k
				j := i + cols*channels
				y[n] = max(x[i], x[i+channels], x[j], x[j+channels])
				n++
			}
		}
	}
	return y
}
