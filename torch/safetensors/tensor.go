package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A Tensor is an array of Shape in row-major order. A scalar has an empty Shape.
type Tensor struct {
	DType DType
	Shape []int64
	Data  []byte // little-endian elements
}

// Len is the number of elements; it panics if Shape is not valid, which it is in every tensor that
// this package made.
func (t Tensor) Len() int {
	n, err := count(t.Shape)
	if err != nil {
		panic("safetensors: " + err.Error())
	}
	return int(n)
}

// Float32s returns the elements of a floating-point tensor: F32, F16 and BF16 exactly, F64 rounded
// to nearest.
func (t Tensor) Float32s() ([]float32, error) {
	n, err := t.elements("float32", F64, F32, F16, BF16)
	if err != nil {
		return nil, err
	}
	out := make([]float32, n)
	switch d := t.Data; t.DType {
	case F64:
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(d[8*i:])))
		}
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(d[4*i:]))
		}
	case F16:
		for i := range out {
			out[i] = float16To32(binary.LittleEndian.Uint16(d[2*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = bfloat16To32(binary.LittleEndian.Uint16(d[2*i:]))
		}
	}
	return out, nil
}

// Part is the n elements from the one at from, in a row; they share t's memory.
func (t Tensor) Part(from, n int) Tensor {
	size := t.DType.Size()
	return Tensor{t.DType, []int64{int64(n)}, t.Data[from*size : (from+n)*size]}
}

// CheckFinite reports the first element of a floating-point tensor that is infinite or not a number.
func (t Tensor) CheckFinite() error {
	const most = 1 << 16 // elements at a time: t may be larger than the memory
	for from := 0; from < t.Len(); from += most {
		x, err := t.Part(from, min(most, t.Len()-from)).Float32s()
		if err != nil {
			return err
		}
		for i, v := range x {
			if v-v != 0 {
				return fmt.Errorf("number %d is %v, want a finite one", from+i, v)
			}
		}
	}
	return nil
}

// Float64s returns the elements of a floating-point tensor, all exactly.
func (t Tensor) Float64s() ([]float64, error) {
	n, err := t.elements("float64", F64, F32, F16, BF16)
	if err != nil {
		return nil, err
	}
	out := make([]float64, n)
	if t.DType == F64 {
		for i := range out {
			out[i] = math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:]))
		}
		return out, nil
	}
	f, err := t.Float32s()
	for i := range f {
		out[i] = float64(f[i])
	}
	return out, err
}

// Int64s returns the elements of an integer or boolean tensor. An element of U64 above 2^63-1 is an
// error.
func (t Tensor) Int64s() ([]int64, error) {
	n, err := t.elements("int64", I64, I32, I16, I8, U64, U32, U16, U8, Bool)
	if err != nil {
		return nil, err
	}
	out := make([]int64, n)
	switch d := t.Data; t.DType {
	case I64:
		for i := range out {
			out[i] = int64(binary.LittleEndian.Uint64(d[8*i:]))
		}
	case I32:
		for i := range out {
			out[i] = int64(int32(binary.LittleEndian.Uint32(d[4*i:])))
		}
	case I16:
		for i := range out {
			out[i] = int64(int16(binary.LittleEndian.Uint16(d[2*i:])))
		}
	case I8:
		for i := range out {
			out[i] = int64(int8(d[i]))
		}
	case U64:
		for i := range out {
			u := binary.LittleEndian.Uint64(d[8*i:])
			if u > math.MaxInt64 {
				return nil, fmt.Errorf("element %d of U64 tensor: %d does not fit int64", i, u)
			}
			out[i] = int64(u)
		}
	case U32:
		for i := range out {
			out[i] = int64(binary.LittleEndian.Uint32(d[4*i:]))
		}
	case U16:
		for i := range out {
			out[i] = int64(binary.LittleEndian.Uint16(d[2*i:]))
		}
	default: // U8, Bool
		for i := range out {
			out[i] = int64(d[i])
		}
	}
	return out, nil
}

// Bools returns the elements of a Bool or U8 tensor; anything but 0 is true.
func (t Tensor) Bools() ([]bool, error) {
	n, err := t.elements("bool", Bool, U8)
	if err != nil {
		return nil, err
	}
	out := make([]bool, n)
	for i := range out {
		out[i] = t.Data[i] != 0
	}
	return out, nil
}

// elements checks that t is whole and of one of the given types, and returns Len.
func (t Tensor) elements(as string, from ...DType) (int, error) {
	for _, d := range from {
		if d == t.DType {
			if err := t.check(); err != nil {
				return 0, err
			}
			return t.Len(), nil
		}
	}
	return 0, fmt.Errorf("tensor of %s does not convert to %s", t.DType, as)
}

// check reports whether Data is as long as DType and Shape say.
func (t Tensor) check() error {
	n, known, err := byteLen(t.DType, t.Shape)
	switch {
	case err != nil:
		return err
	case known && uint64(len(t.Data)) != n:
		return fmt.Errorf("%d bytes of data, but %s of shape %v has %d", len(t.Data), t.DType, t.Shape, n)
	}
	return nil
}

// Convert returns t with elements of another floating-point type, rounded to nearest, ties to even;
// F64 goes by way of float32. Converting to t's own type returns t itself.
func (t Tensor) Convert(to DType) (Tensor, error) {
	if to == t.DType {
		return t, nil
	}
	switch to {
	case F64:
		f, err := t.Float64s()
		if err != nil {
			return Tensor{}, err
		}
		return OfFloat64s(t.Shape, f), nil
	case F32, F16, BF16:
		f, err := t.Float32s()
		if err != nil {
			return Tensor{}, err
		}
		if to == F32 {
			return OfFloat32s(t.Shape, f), nil
		}
		round := float32To16
		if to == BF16 {
			round = float32ToB16
		}
		data := make([]byte, 0, 2*len(f))
		for _, v := range f {
			data = binary.LittleEndian.AppendUint16(data, round(v))
		}
		return Tensor{to, t.Shape, data}, nil
	}
	return Tensor{}, fmt.Errorf("tensor of %s does not convert to %s", t.DType, to)
}

// OfFloat32s makes an F32 tensor; like the other Of functions it copies v and panics if shape does
// not have len(v) elements.
func OfFloat32s(shape []int64, v []float32) Tensor {
	data := make([]byte, 0, 4*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return of(F32, shape, data)
}

// OfFloat64s makes an F64 tensor.
func OfFloat64s(shape []int64, v []float64) Tensor {
	data := make([]byte, 0, 8*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(x))
	}
	return of(F64, shape, data)
}

// OfInt64s makes an I64 tensor.
func OfInt64s(shape []int64, v []int64) Tensor {
	data := make([]byte, 0, 8*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint64(data, uint64(x))
	}
	return of(I64, shape, data)
}

// OfInt32s makes an I32 tensor.
func OfInt32s(shape []int64, v []int32) Tensor {
	data := make([]byte, 0, 4*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint32(data, uint32(x))
	}
	return of(I32, shape, data)
}

// OfUint8s makes a U8 tensor.
func OfUint8s(shape []int64, v []uint8) Tensor {
	return of(U8, shape, append([]byte(nil), v...))
}

// OfBools makes a Bool tensor.
func OfBools(shape []int64, v []bool) Tensor {
	data := make([]byte, len(v))
	for i, x := range v {
		if x {
			data[i] = 1
		}
	}
	return of(Bool, shape, data)
}

func of(dtype DType, shape []int64, data []byte) Tensor {
	t := Tensor{dtype, append([]int64{}, shape...), data}
	if err := t.check(); err != nil {
		panic("safetensors: " + err.Error())
	}
	return t
}
