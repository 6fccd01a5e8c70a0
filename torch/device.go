//go:build cgo && !notorch

package torch

// #include "ponder.h"
import "C"

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sugarme/gotch"
)

// A Device is CPU or the index of a CUDA device.
type Device int

// CPU is the processor.
const CPU Device = -1

// ParseDevice reads "cpu", "cuda" or "cuda:N". It is an error to ask for CUDA where libtorch has none:
// nothing falls back in silence.
func ParseDevice(name string) (Device, error) {
	kind, index, _ := strings.Cut(name, ":")
	n, err := strconv.Atoi("0" + index)
	switch {
	case name == "cpu":
		return CPU, nil
	case kind != "cuda" || err != nil || name == "cuda:":
		return 0, fmt.Errorf("device %q: want cpu, cuda or cuda:N", name)
	case C.ponder_cuda_available() == 0:
		return 0, fmt.Errorf("device %q: libtorch %s sees no CUDA device (ponder doctor shows why)", name, Version())
	}
	return Device(n), nil
}

func (d Device) String() string {
	if d < 0 {
		return "cpu"
	}
	return fmt.Sprintf("cuda:%d", int(d))
}

// Gotch is the device for gotch's own functions.
func (d Device) Gotch() gotch.Device {
	if d < 0 {
		return gotch.CPU
	}
	return gotch.CudaBuilder(uint(d))
}

// DeviceOf is where t lives.
func DeviceOf(t *Tensor) Device {
	d, err := t.Device()
	if err != nil {
		panic(Error{Op: "device", Msg: err.Error()})
	}
	if !d.IsCuda() {
		return CPU
	}
	return Device(d.Value)
}

// Synchronize waits until the device has done what it was given; a CPU always has.
func (d Device) Synchronize() {
	if d >= 0 {
		check("synchronize", C.ponder_synchronize(C.int(d)))
	}
}

// Version is libtorch's version.
func Version() string { return C.GoString(C.ponder_torch_version()) }

// Build is libtorch's description of itself: BLAS, threads, instruction sets.
func Build() string { return C.GoString(C.ponder_build()) }

// SetThreads sets the number of threads of one operation, for the whole process.
func SetThreads(n int) { C.ponder_set_threads(C.int(n)) }

func libtorchThreads() int { return int(C.ponder_threads()) }
