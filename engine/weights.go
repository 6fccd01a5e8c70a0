package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/internal/memory"
	"github.com/ponder-agents/ponder/internal/vec"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A reader takes the tensors of a network out of a file. Every network is read twice by the same code:
// first to compare the names and shapes that it wants with those of the file, then, if all are there and
// the memory is too, to take the numbers. So what a configuration claims costs nothing before the file
// has it.
type reader struct {
	tensors  map[string]safetensors.Tensor
	wanted   map[string][]int // names and shapes
	problems []string
	bytes    float64 // that the numbers will take
	take     bool    // the second time
}

// mostProblems is how many an error names; a file that lacks more lacks all.
const mostProblems = 4

// read makes a network by build, which asks r for every tensor, in both rounds the same.
func read(tensors map[string]safetensors.Tensor, build func(r *reader)) error {
	r := &reader{tensors: tensors, wanted: map[string][]int{}}
	build(r)
	for name := range tensors {
		if _, ok := r.wanted[name]; !ok {
			r.problem("tensor %q is unknown to this network", name)
		}
	}
	if err := r.err(); err != nil {
		return err
	}
	if err := memory.Check("the network", r.bytes); err != nil {
		return err
	}
	r.take = true
	build(r)
	return r.err()
}

func (r *reader) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

func (r *reader) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	p := r.problems
	if !r.take {
		slices.Sort(p)
	}
	if len(p) > mostProblems {
		p = append(p[:mostProblems:mostProblems], fmt.Sprintf("and %d more", len(p)-mostProblems))
	}
	return fmt.Errorf("weights do not fit: %s", strings.Join(p, "; "))
}

// hopeless reports whether enough is missing to say so: a configuration may claim a million layers.
func (r *reader) hopeless() bool { return len(r.problems) > 100 }

// find checks the tensor called name, whose numbers will take as many bytes as a float32 each if they are
// copied.
func (r *reader) find(name string, copied bool, shape ...int) (t safetensors.Tensor, ok bool) {
	if r.take {
		return r.tensors[name], true
	}
	r.wanted[name] = shape
	t, ok = r.tensors[name]
	if !ok {
		r.problem("tensor %q is missing", name)
		return t, false
	}
	same := len(shape) == len(t.Shape)
	n := 1.0
	for i, d := range shape {
		same = same && int64(d) == t.Shape[i]
		n *= float64(d)
	}
	switch {
	case !same:
		r.problem("tensor %q: shape %v, want %v", name, t.Shape, shape)
	case !slices.Contains([]safetensors.DType{safetensors.F32, safetensors.BF16, safetensors.F16, safetensors.F64}, t.DType):
		r.problem("tensor %q: type %s, want F32, BF16, F16 or F64", name, t.DType)
	default:
		if copied {
			r.bytes += 4 * n
		}
		return t, true
	}
	return t, false
}

// floats are the numbers of a tensor as float32, nil the first time.
func (r *reader) floats(name string, shape ...int) []float32 {
	t, _ := r.find(name, true, shape...)
	return r.numbers(name, t)
}

// numbers are those of the tensor called name, nil the first time.
func (r *reader) numbers(name string, t safetensors.Tensor) []float32 {
	if !r.take {
		return nil
	}
	if err := t.CheckFinite(); err != nil {
		r.problem("tensor %q: %v", name, err)
	}
	x, err := t.Float32s()
	if err != nil {
		r.problem("tensor %q: %v", name, err)
		return make([]float32, t.Len())
	}
	return x
}

// A table is a tensor [rows, width] that stays in the file, which may be mapped into memory: puzzle
// embeddings are gigabytes, of which a thought needs one row.
type table struct {
	width int
	t     safetensors.Tensor
}

func (r *reader) table(name string, rows, width int) table {
	t, _ := r.find(name, false, rows, width)
	if r.take {
		if err := t.CheckFinite(); err != nil {
			r.problem("tensor %q: %v", name, err)
		}
	}
	return table{width, t}
}

// row is a copy of row i.
func (t table) row(i int) ([]float32, error) { return t.t.Part(i*t.width, t.width).Float32s() }

// matrix is the tensor w [out, in] as a layer multiplies by it.
func (r *reader) matrix(name string, out, in int) vec.Matrix {
	w := r.floats(name, out, in)
	if w == nil {
		return vec.Matrix{}
	}
	m := vec.NewMatrix(in, out)
	m.SetTransposed(w)
	return m
}

// halves is the tensor w [2·out, in] of a SwiGLU, each half padded by itself, so that both begin at a
// multiple of vec.Lanes.
func (r *reader) halves(name string, out, in int) vec.Matrix {
	w := r.floats(name, 2*out, in)
	if w == nil {
		return vec.Matrix{}
	}
	m := vec.NewMatrix(in, 2*vec.Pad(out))
	for j := range out {
		m.SetColumn(j, w[j*in:(j+1)*in])
		m.SetColumn(vec.Pad(out)+j, w[(out+j)*in:(out+j+1)*in])
	}
	return m
}

// padded are the rows of the tensor x [rows, width], each from a multiple of vec.Lanes on.
func (r *reader) padded(name string, rows, width int) []float32 {
	return pad(r.floats(name, rows, width), rows, rows, width)
}

// pad puts rows rows of x, width numbers each, into as many or more that are padded.
func pad(x []float32, rows, into, width int) []float32 {
	if x == nil {
		return nil
	}
	wide := vec.Pad(width)
	out := make([]float32, into*wide)
	for i := range rows {
		copy(out[i*wide:], x[i*width:(i+1)*width])
	}
	return out
}
