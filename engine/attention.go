package engine

import (
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/vec"
)

// headRoom is room for one head of mixing.
type headRoom struct {
	q      []float32  // [n, width of a head], rotated and scaled
	k      vec.Matrix // [width, n], rotated
	v      vec.Matrix // [n, width]
	scores []float32  // padded [blockRows, n]
	out    []float32  // padded [n, width], where a head's width is not a multiple of vec.Lanes
}

func newHeadRoom(c arch.Config, n int) headRoom {
	width := c.Hidden / c.Heads
	var h headRoom
	switch c.Mixing {
	case arch.TokenMLP:
		return h
	case arch.Attention:
		h.q = make([]float32, vec.PadRows(n)*width)
		h.k = vec.NewMatrix(width, n)
		h.scores = make([]float32, blockRows*vec.Pad(n))
	}
	h.v = vec.NewMatrix(n, width)
	if width%vec.Lanes != 0 {
		h.out = make([]float32, vec.PadRows(n)*vec.Pad(width))
	}
	return h
}

// attend puts softmax(q kᵀ / sqrt(width) + bias) v of every head into mixed; qkv is padded [n, 3·hidden].
func (w *updater) attend(b *block, qkv []float32, last bool) {
	c := w.cfg
	h := &w.room
	n, wide, width := vec.PadRows(w.n), vec.Pad(w.n), c.Hidden/c.Heads
	weights := w.weights(last)
	for head := range c.Heads {
		w.split(qkv, head)
		for i := 0; i < n; i += blockRows {
			rows := min(blockRows, n-i)
			s := h.scores[:rows*wide]
			vec.Product(s, wide, h.q[i*width:], width, rows, h.k)
			if w.bias == nil {
				mask(s, w.n)
			} else {
				vec.Add(s, s, w.bias[b][head][i*wide:])
			}
			vec.Softmax(s, rows, wide)
			if weights != nil {
				addWeights(weights, s, i, min(rows, w.n-i), w.n, float32(c.Heads))
			}
			w.gather(s, wide, i, rows, head)
		}
	}
}

// gather puts the product of rows rows of weights and v into the place of a head, from position i on.
func (w *updater) gather(weights []float32, stride, i, rows, head int) {
	h := &w.room
	d, width := vec.Pad(w.cfg.Hidden), h.v.Out
	out := w.mixed[i*d+head*width:]
	if h.out == nil {
		vec.Product(out, d, weights, stride, rows, h.v)
		return
	}
	vec.Product(h.out, vec.Pad(width), weights, stride, rows, h.v)
	for r := range rows {
		copy(out[r*d:r*d+width], h.out[r*vec.Pad(width):])
	}
}

// split takes a head's q, k and v out of qkv, q and k rotated, q scaled too.
func (w *updater) split(qkv []float32, head int) {
	c := w.cfg
	h := &w.room
	d, width, by := c.Hidden, c.Hidden/c.Heads, scaleOf(c)
	for t := range w.n {
		x := qkv[t*vec.Pad(3*d)+head*width:]
		q, k := x[:width], x[d:d+width]
		out, to := h.q[t*width:(t+1)*width], h.k.Panels[t/vec.Lanes*vec.Lanes*width+t%vec.Lanes:]
		if w.cos == nil {
			for j, v := range q {
				out[j] = v * by
				to[j*vec.Lanes] = k[j]
			}
		} else {
			half := width / 2
			cos, sin := w.cos[t*width:][:half], w.sin[t*width:][:half] // both halves of the tables are equal
			for j, co := range cos {
				si := sin[j]
				out[j] = (q[j]*co - q[j+half]*si) * by
				out[j+half] = (q[j+half]*co + q[j]*si) * by
				to[j*vec.Lanes] = k[j]*co - k[j+half]*si
				to[(j+half)*vec.Lanes] = k[j+half]*co + k[j]*si
			}
		}
		h.v.SetRow(t, x[2*d:2*d+width])
	}
}

// weights is where attention weights are to be added up, nil if nobody asked for those of this update.
func (w *updater) weights(last bool) []float32 {
	if w.maps == nil || !last || !w.last {
		return nil
	}
	w.maps[w.level] = make([]float32, w.n*w.n)
	return w.maps[w.level]
}

// addWeights adds a head's share of rows rows of weights, from position i on.
func addWeights(dst, s []float32, i, rows, n int, heads float32) {
	for r := range rows {
		for j := range n {
			dst[(i+r)*n+j] += s[r*vec.Pad(n)+j] / heads
		}
	}
}

// mixStatic puts the product of every head's trained matrix and its values into mixed; values is padded
// [n, hidden].
func (w *updater) mixStatic(b *block, values []float32) {
	c := w.cfg
	d, width := vec.Pad(c.Hidden), c.Hidden/c.Heads
	for head := range c.Heads {
		for t := range w.n {
			w.room.v.SetRow(t, values[t*d+head*width:][:width])
		}
		w.gather(b.mix[head], vec.Pad(w.n), 0, vec.PadRows(w.n), head)
	}
}
