//go:build cgo && !notorch

package torch

// #include "ponder.h"
import "C"

import "unsafe"

// A Recording is what a function did on a GPU, which runs again as one launch (a CUDA graph): the same operations on the
// memory that they had, so that what they read is written there first, and what they made is to be copied before the next
// run.
type Recording struct {
	r unsafe.Pointer
}

// Records reports whether d can make recordings: a GPU, and a libtch that was compiled with CUDA's headers.
func (d Device) Records() bool { return d >= 0 && C.ponder_cuda_compiled() != 0 }

// Record runs f once, in a scope of its own, and then records it, in s, which owns what it makes there: f is called twice.
// It must do the same both times, must not read a tensor, and must not upload one. Close what it returns before s ends, or
// keep what f made.
func (s *Scope) Record(d Device, f func(*Scope)) *Recording {
	r := &Recording{C.ponder_recording_begin(C.int(d))}
	if r.r == nil {
		panic(lastError("record"))
	}
	done := false
	defer func() {
		if !done {
			C.ponder_recording_end(r.r) // f's error is told
			r.Close()
		}
	}()
	s.Do(s.mode, f)
	check("record", C.ponder_recording_capture(r.r))
	f(s)
	done = true
	if C.ponder_recording_end(r.r) != 0 {
		err := lastError("record")
		r.Close()
		panic(err)
	}
	return r
}

// Replay runs it, after what the device was given before.
func (r *Recording) Replay() { check("replay", C.ponder_recording_replay(r.r)) }

// Close frees it.
func (r *Recording) Close() {
	C.ponder_recording_free(r.r)
	r.r = nil
}

// AllowTF32 lets products of float32 on a GPU round what they multiply to the 10 bits of TF32, or no longer: for the whole
// process, as libtorch has it.
func AllowTF32(on bool) {
	n := 0
	if on {
		n = 1
	}
	C.ponder_allow_tf32(C.int(n))
}
