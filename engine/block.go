package engine

import (
	"fmt"

	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/vec"
)

// blockRows is how many rows of scores attention has at once, so that they stay in the cache.
const blockRows = 48

// apply runs the blocks of l over x, padded [n, hidden], which has the injection added, in place.
func (w *updater) apply(l *level, x []float32) {
	d := w.cfg.Hidden
	for i, b := range l.blocks {
		name := ""
		if w.f != nil {
			name = fmt.Sprintf("%s.layers.%d", l.module, i)
		}
		if l.mixing != arch.Local {
			w.mix(b, x, name, i == len(l.blocks)-1)
		}
		w.feed(b, x, name)
		w.see(name, x, w.n, d)
	}
	if w.f != nil {
		w.see(l.module+".out", x, w.n, d)
	}
}

// mix is the first part of a block: x = rms(x + what it gathers from other positions).
func (w *updater) mix(b *block, x []float32, name string, last bool) {
	c := w.cfg
	n, d := vec.PadRows(w.n), vec.Pad(c.Hidden)
	switch c.Mixing {
	case arch.TokenMLP:
		w.mixTokens(b, x, name)
		return
	case arch.StaticMix:
		vec.Product(w.wide, d, x, d, n, b.qkv)
		w.mixStatic(b, w.wide)
	default:
		vec.Product(w.wide, vec.Pad(3*c.Hidden), x, d, n, b.qkv)
		w.see(name+".self_attn.qkv_proj", w.wide, w.n, 3*c.Hidden)
		w.attend(b, w.wide, last)
	}
	vec.Product(w.y, d, w.mixed, d, n, b.out)
	w.see(name+".self_attn", w.y, w.n, c.Hidden)
	vec.RMSAdd(x, x, w.y, n, d, c.Hidden, float32(c.NormEps))
}

// mixTokens is a SwiGLU over the positions, each channel by itself, and its norm, which also is over the
// positions (TRM's mlp_t).
func (w *updater) mixTokens(b *block, x []float32, name string) {
	c := w.cfg
	n, d := vec.Pad(w.n), vec.Pad(c.Hidden)
	rows, f := vec.PadRows(c.Hidden), vec.Pad(c.Width(w.n))
	for i := range w.n {
		for j := range c.Hidden {
			w.turned[j*n+i] = x[i*d+j]
		}
	}
	vec.Product(w.wide, 2*f, w.turned, n, rows, b.tokenUp)
	vec.SwiGLU(w.act, w.wide, rows, f)
	vec.Product(w.mixed, n, w.act, f, rows, b.tokenDown)
	w.see(name+".mlp_t", w.mixed, c.Hidden, w.n)
	vec.RMSAdd(w.turned, w.turned, w.mixed, rows, n, w.n, float32(c.NormEps))
	for i := range w.n {
		for j := range c.Hidden {
			x[i*d+j] = w.turned[j*n+i]
		}
	}
}

// feed is the second part of a block: x = rms(x + down(swiglu(x))), the convolution before down.
func (w *updater) feed(b *block, x []float32, name string) {
	c := w.cfg
	n, d, f := vec.PadRows(w.n), vec.Pad(c.Hidden), vec.Pad(c.Inner)
	step := feedRows(c.Inner)
	for i := 0; i < n; i += step {
		rows := min(step, n-i)
		vec.Product(w.wide, 2*f, x[i*d:], d, rows, b.gateUp)
		w.activate(i, rows, b.conv != nil)
	}
	if b.conv != nil {
		rows, cols := w.grid[0], w.grid[1]
		for y := range rows {
			out := w.act[(c.Prefix()+y*cols)*f:]
			vec.Convolve3x3(out, w.grid3x3[y*(cols+2)*f:], b.conv, cols, f, (cols+2)*f)
		}
	}
	vec.Product(w.y, d, w.act, f, n, b.down)
	w.see(name+".mlp", w.y, w.n, c.Hidden)
	vec.RMSAdd(x, x, w.y, n, d, c.Hidden, float32(c.NormEps))
}

// activate puts the SwiGLU of rows rows of w.wide, of positions from i on, into act, or, if they are cells
// to be convolved, into the grid.
func (w *updater) activate(i, rows int, conv bool) {
	f := vec.Pad(w.cfg.Inner)
	if !conv {
		vec.SwiGLU(w.act[i*f:], w.wide, rows, f)
		return
	}
	prefix, cols := w.cfg.Prefix(), w.grid[1]
	for k := 0; k < rows; {
		t := i + k - prefix // the cell
		out, run := w.act[(i+k)*f:], min(rows-k, -t)
		if t >= 0 {
			if t >= w.shape.Seq {
				return // padding, which stays 0
			}
			out = w.grid3x3[((t/cols+1)*(cols+2)+t%cols+1)*f:]
			run = min(rows-k, cols-t%cols)
		}
		vec.SwiGLU(out, w.wide[k*2*f:], run, f)
		k += run
	}
}
