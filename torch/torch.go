//go:build cgo && !notorch

package torch

// #cgo CFLAGS: -I${SRCDIR}/native/src
// #include "ponder.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/sugarme/gotch"
	"github.com/sugarme/gotch/ts"
)

// Tensor is gotch's tensor.
type Tensor = ts.Tensor

// DType is the type of a tensor's elements.
type DType = gotch.DType

// The element types that ponder uses.
const (
	Float32  = gotch.Float
	Float64  = gotch.Double
	Float16  = gotch.Half
	BFloat16 = gotch.BFloat16
	Int64    = gotch.Int64
	Int32    = gotch.Int
	Int8     = gotch.Int8
	Uint8    = gotch.Uint8
	Bool     = gotch.Bool
)

// Mode says whether operations record what a gradient needs.
type Mode int

const (
	NoGrad Mode = iota // values only
	Grad               // record for Scope.Gradients
)

// An Error is a failure of libtorch: a shape that does not fit, memory that ran out.
type Error struct {
	Op  string // the operation, if known
	Msg string // libtorch's message
}

// Error leaves out the C++ frames that libtorch adds to some messages; Msg has them.
func (e Error) Error() string {
	msg := e.Msg
	for _, frames := range []string{"\nException raised from", "\nframe #"} {
		msg, _, _ = strings.Cut(msg, frames)
	}
	if e.Op == "" {
		return "libtorch: " + msg
	}
	return "libtorch: " + e.Op + ": " + msg
}

// Do runs f with tensors. It locks the goroutine to its thread, sets the grad mode and restores it,
// frees every tensor of the scope that was not kept, and returns f's first libtorch failure, which
// ends f at that operation. Calls nest. Other panics of f pass through.
func Do(mode Mode, f func(*Scope)) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer func() {
		switch e := recover().(type) {
		case nil:
		case Error:
			err = e
		default:
			panic(e)
		}
	}()
	new(Scope).Do(mode, f)
	return nil
}

// A Scope owns the tensors made in it. It belongs to one goroutine and ends with its Do.
type Scope struct {
	mode  Mode
	owned []*Tensor
}

// Mode is the grad mode of the scope.
func (s *Scope) Mode() Mode { return s.mode }

// Do runs f in a scope of its own, inside this one: for temporary tensors that should die early, or
// for another grad mode.
func (s *Scope) Do(mode Mode, f func(*Scope)) {
	before := C.ponder_grad_enabled()
	if want := C.int(mode); want != before {
		C.ponder_set_grad_enabled(want)
		defer C.ponder_set_grad_enabled(before)
	}
	inner := Scope{mode: mode}
	defer inner.free()
	f(&inner)
}

func (s *Scope) free() {
	for _, t := range s.owned {
		t.Drop() // frees; a tensor that was dropped by hand is skipped
	}
	s.owned = nil
}

// Own gives the result of a gotch operation to the scope, or ends the enclosing Do with its error.
func (s *Scope) Own(t *Tensor, err error) *Tensor {
	if err != nil {
		var e Error
		if errors.As(err, &e) {
			panic(e)
		}
		panic(Error{Msg: err.Error()})
	}
	s.owned = append(s.owned, t)
	return t
}

// OwnAll is Own for operations with several results.
func (s *Scope) OwnAll(ts []*Tensor, err error) []*Tensor {
	if err != nil {
		s.Own(nil, err)
	}
	s.owned = append(s.owned, ts...)
	return ts
}

// Keep takes t out of the scope: the caller frees it with Drop. It panics if the scope does not own t.
func (s *Scope) Keep(t *Tensor) *Tensor {
	for i := len(s.owned) - 1; i >= 0; i-- {
		if s.owned[i] == t {
			s.owned = append(s.owned[:i], s.owned[i+1:]...)
			return t
		}
	}
	panic(fmt.Sprintf("torch: Keep of a tensor that the scope does not own: %v", t))
}

// Lend moves t from this scope to outer, where it lives on.
func (s *Scope) Lend(outer *Scope, t *Tensor) *Tensor {
	outer.owned = append(outer.owned, s.Keep(t))
	return t
}

// own wraps the result of one of our C functions.
func (s *Scope) own(op string, p C.ponder_tensor) *Tensor {
	if p == nil {
		panic(lastError(op))
	}
	t := ts.FromCtensor(unsafe.Pointer(p))
	s.owned = append(s.owned, t)
	return t
}

func (s *Scope) ownAll(op string, ps []C.ponder_tensor) []*Tensor {
	out := make([]*Tensor, len(ps))
	for i, p := range ps {
		out[i] = s.own(op, p)
	}
	return out
}

// check ends the enclosing Do if a C function failed.
func check(op string, code C.int) {
	if code != 0 {
		panic(lastError(op))
	}
}

func lastError(op string) Error { return Error{Op: op, Msg: C.GoString(C.ponder_error())} }

// handle is t for our C functions; nil stays nil.
func handle(t *Tensor) C.ponder_tensor {
	if t == nil {
		return nil
	}
	return C.ponder_tensor(t.Ctensor())
}

// handles are ts for our C functions.
func handles(ts []*Tensor) []C.ponder_tensor {
	hs := make([]C.ponder_tensor, len(ts))
	for i, t := range ts {
		hs[i] = handle(t)
	}
	return hs
}
