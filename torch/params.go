//go:build cgo && !notorch

package torch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

// Params holds the named tensors of a network in the order in which they were added, which is the
// order in which optimisers see them. It owns them until Close.
type Params struct {
	dev     Device
	names   []string
	tensors map[string]*Tensor
	fixed   map[string]bool // buffers and tables: saved, not trained as a whole
}

// NewParams returns an empty set on dev.
func NewParams(dev Device) *Params {
	return &Params{dev: dev, tensors: map[string]*Tensor{}, fixed: map[string]bool{}}
}

// Device is where the parameters live.
func (p *Params) Device() Device { return p.dev }

// Add takes over init, moved to the device, as the trained parameter called name. It panics if the
// name is taken.
func (p *Params) Add(s *Scope, name string, init *Tensor) *Tensor {
	t := p.add(s, name, init)
	s.Own(t.SetRequiresGrad(true, false)) // another handle of the same tensor
	return t
}

// AddFixed is Add for what is saved with the parameters and not trained as they are: a buffer, or a
// table [rows, width] of which Lookup trains the rows that occur.
func (p *Params) AddFixed(s *Scope, name string, init *Tensor) *Tensor {
	p.fixed[name] = true
	return p.add(s, name, init)
}

func (p *Params) add(s *Scope, name string, init *Tensor) *Tensor {
	if _, ok := p.tensors[name]; ok {
		panic(fmt.Sprintf("torch: parameter %q added twice", name))
	}
	var t *Tensor
	s.Do(NoGrad, func(in *Scope) {
		t = in.Keep(in.Clone(init, p.dev))
	})
	p.names = append(p.names, name)
	p.tensors[name] = t
	return t
}

// Get is the tensor called name; it panics if there is none.
func (p *Params) Get(name string) *Tensor {
	t, ok := p.tensors[name]
	if !ok {
		panic(fmt.Sprintf("torch: no parameter %q", name))
	}
	return t
}

// A Lookup is what a batch takes from a table of Params.
type Lookup struct {
	Table string  // its name
	IDs   *Tensor // [n] int64: which rows; one may occur more than once
	Rows  *Tensor // [n, width]: a leaf that records gradients
}

// Lookup copies the rows ids [n] of a table, so that they can be differentiated by in place of all of it.
func (p *Params) Lookup(s *Scope, table string, ids *Tensor) Lookup {
	var rows *Tensor
	s.Do(NoGrad, func(in *Scope) { rows = in.Lend(s, in.Embedding(p.Get(table), ids)) })
	return Lookup{table, ids, s.Own(rows.SetRequiresGrad(true, false))}
}

// Names are the names of all tensors in the order of Add.
func (p *Params) Names() []string { return slices.Clone(p.names) }

// Trained are the names and tensors of the trained parameters in the order of Add.
func (p *Params) Trained() (names []string, tensors []*Tensor) {
	for _, n := range p.names {
		if !p.fixed[n] {
			names = append(names, n)
			tensors = append(tensors, p.tensors[n])
		}
	}
	return names, tensors
}

// Count is the number of trained numbers.
func (p *Params) Count() int {
	n := 0
	_, tensors := p.Trained()
	for _, t := range tensors {
		n += int(t.Numel())
	}
	return n
}

// Close frees the tensors.
func (p *Params) Close() {
	for _, t := range p.tensors {
		t.Drop()
	}
	*p = Params{dev: p.dev, tensors: map[string]*Tensor{}, fixed: map[string]bool{}}
}

// Load copies the tensors of src, whose names and shapes must be those of p, all of them; it names
// what is missing, unknown, of another shape or no finite number, and changes nothing then.
func (p *Params) Load(src map[string]safetensors.Tensor) error {
	var bad []string
	for _, n := range p.names {
		t, ok := src[n]
		switch want := Shape(p.tensors[n]); {
		case !ok:
			bad = append(bad, fmt.Sprintf("tensor %q is missing", n))
		case !slices.Equal(t.Shape, want):
			bad = append(bad, fmt.Sprintf("tensor %q: shape %v, want %v", n, t.Shape, want))
		default:
			if err := t.CheckFinite(); err != nil {
				bad = append(bad, fmt.Sprintf("tensor %q: %v", n, err))
			}
		}
	}
	for n := range src {
		if p.tensors[n] == nil {
			bad = append(bad, fmt.Sprintf("tensor %q is unknown to this network", n))
		}
	}
	if len(bad) > 0 {
		slices.Sort(bad)
		if len(bad) > 4 {
			bad = append(bad[:4], fmt.Sprintf("and %d more", len(bad)-4))
		}
		return fmt.Errorf("weights do not fit: %s", strings.Join(bad, "; "))
	}
	return Do(NoGrad, func(s *Scope) {
		for _, n := range p.names {
			x, err := src[n].Float32s()
			if err != nil {
				panic(Error{Op: "load " + n, Msg: err.Error()})
			}
			Write(p.tensors[n], x)
		}
	})
}

// Save copies the tensors as float32.
func (p *Params) Save() (map[string]safetensors.Tensor, error) {
	out := map[string]safetensors.Tensor{}
	err := Do(NoGrad, func(s *Scope) {
		for _, n := range p.names {
			out[n] = safetensors.OfFloat32s(Shape(p.tensors[n]), Read[float32](nil, p.tensors[n]))
		}
	})
	return out, err
}
