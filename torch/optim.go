//go:build cgo && !notorch

package torch

// #include "ponder.h"
import "C"

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unsafe"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

// Gradients are the derivatives of the scalar loss with respect to each of params, zeros for those
// that it does not depend on. It needs Do(Grad, …) around what made loss, and frees its graph.
func (s *Scope) Gradients(loss *Tensor, params []*Tensor) []*Tensor {
	hs, out := handles(params), make([]C.ponder_tensor, len(params))
	check("gradients", C.ponder_gradients(handle(loss), unsafe.SliceData(hs), C.int(len(hs)), unsafe.SliceData(out)))
	return s.ownAll("gradients", out)
}

// Norm is the root of the sum of the squares of all elements, in float64.
func (s *Scope) Norm(xs []*Tensor) float64 {
	hs := handles(xs)
	n := float64(C.ponder_norm(unsafe.SliceData(hs), C.int(len(hs))))
	if n < 0 {
		panic(lastError("norm"))
	}
	return n
}

// Adam holds the state of AdamATan2 or AdamW for a list of parameters.
type Adam struct {
	cfg    AdamConfig
	names  []string
	params []*Tensor
	m, v   []*Tensor
	t      int64 // steps done
}

// NewAdam starts with zero moments for the trained parameters of p, which stay p's.
func NewAdam(p *Params, cfg AdamConfig) (*Adam, error) {
	a := &Adam{cfg: cfg.withDefaults()}
	a.names, a.params = p.Trained()
	return a, Do(NoGrad, func(s *Scope) {
		for _, x := range a.params {
			a.m = append(a.m, s.Keep(s.Own(x.ZerosLike(false))))
			a.v = append(a.v, s.Keep(s.Own(x.ZerosLike(false))))
		}
	})
}

// Step moves every parameter by scale times its gradient at learning rate lr; grads are in the order of
// Params.Trained. Weight decay multiplies all parameters, without exception.
func (a *Adam) Step(grads []*Tensor, lr, scale float64) {
	if len(grads) != len(a.params) {
		panic(fmt.Sprintf("torch: %d gradients for %d parameters", len(grads), len(a.params)))
	}
	a.t++
	p, g, m, v := handles(a.params), handles(grads), handles(a.m), handles(a.v)
	n, t := C.int(len(p)), C.int64_t(a.t)
	b1, b2, wd := C.double(a.cfg.Beta1), C.double(a.cfg.Beta2), C.double(a.cfg.WeightDecay)
	switch a.cfg.Rule {
	case ATan2:
		check("adam_atan2", C.ponder_step_atan2(unsafe.SliceData(p), unsafe.SliceData(g), unsafe.SliceData(m), unsafe.SliceData(v), n, t, C.double(lr), C.double(scale), b1, b2, wd))
	case AdamW:
		check("adamw", C.ponder_step_adamw(unsafe.SliceData(p), unsafe.SliceData(g), unsafe.SliceData(m), unsafe.SliceData(v), n, t, C.double(lr), C.double(scale), b1, b2, C.double(a.cfg.Eps), wd))
	}
}

// Steps is the number of steps done.
func (a *Adam) Steps() int64 { return a.t }

// Save copies the moments, named m.NAME and v.NAME.
func (a *Adam) Save() (map[string]safetensors.Tensor, error) {
	out := map[string]safetensors.Tensor{}
	err := Do(NoGrad, func(s *Scope) {
		for i, n := range a.names {
			out["m."+n] = safetensors.OfFloat32s(Shape(a.m[i]), Read[float32](nil, a.m[i]))
			out["v."+n] = safetensors.OfFloat32s(Shape(a.v[i]), Read[float32](nil, a.v[i]))
		}
	})
	return out, err
}

// Load restores what Save copied after the given number of steps.
func (a *Adam) Load(src map[string]safetensors.Tensor, steps int64) error {
	for i, n := range a.names {
		for prefix, t := range map[string]*Tensor{"m.": a.m[i], "v.": a.v[i]} {
			if err := loadInto(t, src, prefix+n); err != nil {
				return err
			}
		}
	}
	a.t = steps
	return nil
}

// Close frees the moments.
func (a *Adam) Close() {
	for i := range a.m {
		a.m[i].Drop()
		a.v[i].Drop()
	}
	a.m, a.v = nil, nil
}

// SignSGD moves the rows of table that occur in ids: the gradients of equal ids are summed, then
// w = w (1 - lr·decay) - lr·sign(sum). table [rows, width], grads [batch, width], ids int64 [batch].
func (s *Scope) SignSGD(table, grads, ids *Tensor, lr, decay float64) {
	check("sign_sgd", C.ponder_sign_sgd(handle(table), handle(grads), handle(ids), C.double(lr), C.double(decay)))
}

// EMA is an exponential moving average of the trained parameters: shadow = mu·shadow + (1 - mu)·p.
type EMA struct {
	names          []string
	params, shadow []*Tensor
}

// NewEMA starts from a copy of p's trained parameters.
func NewEMA(p *Params) (*EMA, error) {
	e := &EMA{}
	e.names, e.params = p.Trained()
	return e, Do(NoGrad, func(s *Scope) {
		for _, x := range e.params {
			e.shadow = append(e.shadow, s.Keep(s.Clone(x, p.Device())))
		}
	})
}

// Update averages the parameters in.
func (e *EMA) Update(mu float64) {
	sh, p := handles(e.shadow), handles(e.params)
	check("ema", C.ponder_ema(unsafe.SliceData(sh), unsafe.SliceData(p), C.int(len(p)), C.double(mu)))
}

// Swap exchanges the parameters' values with the averages: call it before and after an evaluation.
func (e *EMA) Swap() error {
	return Do(NoGrad, func(s *Scope) {
		for i, x := range e.params {
			hold := Read[float32](nil, x)
			Write(x, Read[float32](nil, e.shadow[i]))
			Write(e.shadow[i], hold)
		}
	})
}

// Save copies the averages under the parameters' names.
func (e *EMA) Save() (map[string]safetensors.Tensor, error) {
	out := map[string]safetensors.Tensor{}
	err := Do(NoGrad, func(s *Scope) {
		for i, n := range e.names {
			out[n] = safetensors.OfFloat32s(Shape(e.shadow[i]), Read[float32](nil, e.shadow[i]))
		}
	})
	return out, err
}

// Load restores what Save copied.
func (e *EMA) Load(src map[string]safetensors.Tensor) error {
	for i, n := range e.names {
		if err := loadInto(e.shadow[i], src, n); err != nil {
			return err
		}
	}
	return nil
}

// liveName begins the names of the parameters beside their averages.
const liveName = "live."

// Divide puts the averages in the place of weights, the parameters as they are, and these under live.NAME into state: what a checkpoint
// has of both.
func (e *EMA) Divide(weights, state map[string]safetensors.Tensor) error {
	for n, x := range weights {
		state[liveName+n] = x
	}
	averages, err := e.Save()
	maps.Copy(weights, averages)
	return err
}

// Unite restores the averages from what Divide made, and gives back the parameters as they were.
func (e *EMA) Unite(weights, state map[string]safetensors.Tensor) (live map[string]safetensors.Tensor, err error) {
	live = map[string]safetensors.Tensor{}
	for n, x := range state {
		if name, ok := strings.CutPrefix(n, liveName); ok {
			live[name] = x
		}
	}
	return live, e.Load(weights)
}

// WarmEMA is the rate mu of an average after so many steps, the last included: at first less, so that it does not remember its start.
func WarmEMA(mu float64, steps int64) float64 { return min(mu, float64(1+steps)/float64(10+steps)) }

// Close frees the averages.
func (e *EMA) Close() {
	for _, t := range e.shadow {
		t.Drop()
	}
	e.shadow = nil
}

func loadInto(t *Tensor, src map[string]safetensors.Tensor, name string) error {
	x, ok := src[name]
	if !ok {
		return fmt.Errorf("tensor %q is missing", name)
	}
	if want := Shape(t); !slices.Equal(x.Shape, want) {
		return fmt.Errorf("tensor %q: shape %v, want %v", name, x.Shape, want)
	}
	data, err := x.Float32s()
	if err != nil {
		return fmt.Errorf("tensor %q: %w", name, err)
	}
	return Do(NoGrad, func(*Scope) { Write(t, data) })
}
