//go:build cgo && !notorch

package torch

// #include "ponder.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// Number is what the elements of a tensor are copied from and to.
type Number interface {
	~float32 | ~float64 | ~int64 | ~int32 | ~uint8
}

// dtypeOf is the element type that matches T.
func dtypeOf[T Number]() DType {
	switch any(*new(T)).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	case int64:
		return Int64
	case int32:
		return Int32
	case uint8:
		return Uint8
	}
	panic(fmt.Sprintf("torch: no element type for %T", *new(T)))
}

// From copies data, in row-major order, into a new tensor of the same element type on dev. It panics
// if len(data) is not the product of shape.
func From[T Number](s *Scope, dev Device, data []T, shape ...int64) *Tensor {
	checkLen(len(data), shape)
	return s.FromBytes(dev, bytesOf(data), dtypeOf[T](), shape...)
}

// FromBytes is From for the raw little-endian bytes of elements of any type.
func (s *Scope) FromBytes(dev Device, data []byte, dtype DType, shape ...int64) *Tensor {
	return s.own("copy to tensor", C.ponder_from(pointer(data), C.int(dtype.CInt()), dims(shape), C.int(len(shape)), C.int(dev)))
}

// Floats copies data into a float32 tensor on the CPU.
func (s *Scope) Floats(data []float32, shape ...int64) *Tensor { return From(s, CPU, data, shape...) }

// Ints copies data into an int64 tensor on the CPU.
func (s *Scope) Ints(data []int64, shape ...int64) *Tensor { return From(s, CPU, data, shape...) }

// Read copies t, in row-major order and converted to T, into dst, which it grows if needed.
func Read[T Number](dst []T, t *Tensor) []T {
	n := int(t.Numel())
	if cap(dst) < n {
		dst = make([]T, n)
	}
	dst = dst[:n]
	check("read tensor", C.ponder_read(handle(t), pointer(bytesOf(dst)), C.int(dtypeOf[T]().CInt()), C.int64_t(n)))
	return dst
}

// ReadFloats copies t into dst as float32.
func (s *Scope) ReadFloats(dst []float32, t *Tensor) []float32 { return Read(dst, t) }

// ReadInts copies t into dst as int64.
func (s *Scope) ReadInts(dst []int64, t *Tensor) []int64 { return Read(dst, t) }

// Write copies data into t in place, converted to t's type, without recording it for gradients.
func Write[T Number](t *Tensor, data []T) {
	check("write tensor", C.ponder_write(handle(t), pointer(bytesOf(data)), C.int(dtypeOf[T]().CInt()), C.int64_t(len(data))))
}

// Copy copies src into dst in place, which has its shape, without recording it for gradients.
func Copy(dst, src *Tensor) { check("copy tensor", C.ponder_copy(handle(dst), handle(src))) }

// Clone is a copy of t on dev, without history of gradients.
func (s *Scope) Clone(t *Tensor, dev Device) *Tensor {
	return s.own("clone", C.ponder_clone(handle(t), C.int(dev)))
}

// Shape is the length of each axis of t.
func Shape(t *Tensor) []int64 {
	shape, err := t.Size()
	if err != nil {
		panic(Error{Op: "shape", Msg: err.Error()})
	}
	return shape
}

func checkLen(n int, shape []int64) {
	want := int64(1)
	for _, d := range shape {
		want *= d
	}
	if int64(n) != want {
		panic(fmt.Sprintf("torch: %d elements for shape %v", n, shape))
	}
}

func bytesOf[T Number](data []T) []byte {
	if len(data) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), len(data)*int(unsafe.Sizeof(data[0])))
}

func pointer(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func dims(shape []int64) *C.int64_t { return (*C.int64_t)(unsafe.Pointer(unsafe.SliceData(shape))) }
