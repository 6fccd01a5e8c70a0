package libtch

// #include <stdlib.h>
// #include "torch_api.h"
//
// #cgo noescape ponder_shape
// #cgo noescape at_run_backward
// #cgo noescape at_copy_data
// #cgo noescape at_tensor_of_data
// #cgo nocallback ponder_shape
// #cgo nocallback ponder_assign
// #cgo nocallback get_and_reset_last_err
// #cgo nocallback at_free
import "C"

import "unsafe"

// PonderAssign gives dst the value of src and frees src.
func PonderAssign(dst, src Ctensor) { C.ponder_assign(dst, src) }

// PonderShape stores the sizes of t in dims and returns their number, -1 on failure.
func PonderShape(t Ctensor, dims []int64) int {
	return int(C.ponder_shape(t, (*C.int64_t)(unsafe.SliceData(dims)), C.int(len(dims))))
}

// PonderRunBackward stores the gradients of the tensors with respect to the inputs in outputs.
func PonderRunBackward(tensors, inputs, outputs []Ctensor, keepGraph, createGraph bool) {
	C.at_run_backward(unsafe.SliceData(tensors), C.int(len(tensors)), unsafe.SliceData(inputs), C.int(len(inputs)),
		unsafe.SliceData(outputs), cbool(keepGraph), cbool(createGraph))
}

// PonderGradSetEnabled returns the mode before, -1 on failure.
func PonderGradSetEnabled(on bool) int { return int(C.at_grad_set_enabled(cbool(on))) }

func cbool(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// AtoGetLearningRates returns the learning rate of every parameter group.
func AtoGetLearningRates(coptimizer Coptimizer) []float64 {
	n := max(0, int(C.ato_param_group_num(coptimizer)))
	rates := make([]float64, n+1) // never empty: its address is taken
	var groups C.int
	C.ato_get_learning_rates(coptimizer, (*C.double)(&rates[0]), &groups)
	return rates[:n]
}

// AtToString prints the tensor in lines of at most lineSize characters.
func AtToString(ts Ctensor, lineSize int64) string {
	return takeString(C.at_to_string(ts, C.int(lineSize)))
}

// AtsToString prints the scalar.
func AtsToString(s Cscalar) string { return takeString(C.ats_to_string(s)) }

// AtiToString returns the string of an IValue.
func AtiToString(i Civalue) string { return takeString(C.ati_to_string(i)) }

func takeString(s *C.char) string {
	if s == nil {
		return ""
	}
	defer C.free(unsafe.Pointer(s))
	return C.GoString(s)
}
