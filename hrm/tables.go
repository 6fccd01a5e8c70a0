//go:build cgo && !notorch

package hrm

import (
	"sync"

	"github.com/ponder-agents/ponder/torch"
)

// tables are what a segment needs to know of the positions of one grid shape.
type tables struct {
	rows, cols                int
	cos, sin                  *torch.Tensor // [n, head width]; nil without rope
	rowIDs, colIDs, regionIDs *torch.Tensor // [seq] int64; nil without GridEmbed, or Regions
	pairs                     *torch.Tensor // [n·n] int64, entry of the relative table; nil without
}

func (t *tables) close() {
	for _, x := range []*torch.Tensor{t.cos, t.sin, t.rowIDs, t.colIDs, t.regionIDs, t.pairs} {
		if x != nil {
			x.Drop()
		}
	}
}

// A tableCache has the tables of every grid shape that was thought about.
type tableCache struct {
	mu  sync.Mutex
	all map[[2]int]*tables // by rows and cols
}

func (k *tableCache) close() {
	for _, t := range k.all {
		t.close()
	}
	k.all = nil
}

// of is the tables of a grid shape, rows 0 standing for c's own, made at its first use.
func (k *tableCache) of(s *torch.Scope, c *Config, dev torch.Device, seq, rows, cols int) *tables {
	sp := c.Spec()
	if err := sp.Fits(seq, rows, cols); err != nil {
		panic(torch.Error{Op: "segment", Msg: err.Error()})
	}
	rows, cols = sp.Grid(seq, rows, cols)
	key := [2]int{rows, cols}
	k.mu.Lock()
	defer k.mu.Unlock()
	if t := k.all[key]; t != nil {
		return t
	}
	t := &tables{rows: rows, cols: cols}
	n, hd := c.Prefix()+seq, c.Hidden/c.Heads
	if c.Mixing == Attention && (c.Positions == Rope || c.Positions == Rope2D) {
		cos, sin := c.RopeTable(n, cols)
		t.cos = s.Keep(torch.From(s, dev, cos, int64(n), int64(hd)))
		t.sin = s.Keep(torch.From(s, dev, sin, int64(n), int64(hd)))
	}
	if c.GridEmbed {
		ids := func(of func(i int) int) *torch.Tensor {
			x := make([]int64, seq)
			for i := range x {
				x[i] = int64(of(i))
			}
			return s.Keep(torch.From(s, dev, x, int64(seq)))
		}
		t.rowIDs = ids(func(i int) int { return i / cols })
		t.colIDs = ids(func(i int) int { return i % cols })
		if region, n := c.Region(); n > 0 {
			t.regionIDs = ids(func(i int) int { return region[i] })
		}
	}
	if c.Bias == RelativeBias {
		t.pairs = s.Keep(torch.From(s, dev, c.RelativePairs(n, cols), int64(n*n)))
	}
	if k.all == nil {
		k.all = map[[2]int]*tables{}
	}
	k.all[key] = t
	return t
}
