package safetensors

import (
	"fmt"
	"math"
)

// A DType names the type of a tensor's elements, as it stands in the file.
type DType string

// The types that convert to Go slices.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	I64  DType = "I64"
	I32  DType = "I32"
	I16  DType = "I16"
	I8   DType = "I8"
	U64  DType = "U64"
	U32  DType = "U32"
	U16  DType = "U16"
	U8   DType = "U8"
	Bool DType = "BOOL"
)

// Types that are carried as raw bytes only.
const (
	C64   DType = "C64"
	F8E4  DType = "F8_E4M3"
	F8E5  DType = "F8_E5M2"
	F8E8  DType = "F8_E8M0"
	F6E2  DType = "F6_E2M3"
	F6E3  DType = "F6_E3M2"
	F4    DType = "F4"
	F8E4Z DType = "F8_E4M3FNUZ"
	F8E5Z DType = "F8_E5M2FNUZ"
)

// kinds lists the types in the order of the reference's enumeration (tensor.rs, Dtype), by whose
// reverse a file is sorted: widest first, so that each tensor is aligned to its own element.
var kinds = []struct {
	dtype DType
	bits  uint64
}{
	{Bool, 8},
	{F4, 4},
	{F6E2, 6},
	{F6E3, 6},
	{U8, 8},
	{I8, 8},
	{F8E5, 8},
	{F8E4, 8},
	{F8E8, 8},
	{F8E4Z, 8},
	{F8E5Z, 8},
	{I16, 16},
	{U16, 16},
	{F16, 16},
	{BF16, 16},
	{I32, 32},
	{U32, 32},
	{F32, 32},
	{C64, 64},
	{F64, 64},
	{I64, 64},
	{U64, 64},
}

// rank is d's place in kinds, -1 if it is none of them.
func (d DType) rank() int {
	for i, k := range kinds {
		if k.dtype == d {
			return i
		}
	}
	return -1
}

// bits is the size of an element, 0 if d is not known.
func (d DType) bits() uint64 {
	if i := d.rank(); i >= 0 {
		return kinds[i].bits
	}
	return 0
}

// Size is the number of bytes of one element; 0 for types not known here and for those of less
// than a byte.
func (d DType) Size() int { return int(d.bits() / 8) }

func float16To32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch {
	case exp == 0x1f: // infinite or not a number
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp == 0: // zero or subnormal: a multiple of 2^-24, which float32 holds exactly
		return math.Float32frombits(math.Float32bits(float32(frac)*0x1p-24) | sign)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// float32To16 rounds to nearest, ties to even.
func float32To16(f float32) uint16 {
	b := math.Float32bits(f)
	sign, abs := uint16(b>>16&0x8000), b&0x7fffffff
	switch {
	case abs > 0x7f800000:
		return sign | 0x7e00 | uint16(abs>>13&0x1ff)
	case abs >= 0x477ff000: // rounds beyond 65504
		return sign | 0x7c00
	case abs < 0x38800000: // below 2^-14: the hardware rounds to multiples of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(abs))*0x1p24))
	}
	abs += 0xfff + abs>>13&1 - 112<<23
	return sign | uint16(abs>>13)
}

func bfloat16To32(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// float32ToB16 rounds to nearest, ties to even.
func float32ToB16(f float32) uint16 {
	b := math.Float32bits(f)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40 // stays not a number
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// maxDims is the largest number of dimensions; PyTorch itself allows 64.
const maxDims = 255

// count is the product of shape, an error if a dimension is negative or it overflows int64.
func count(shape []int64) (int64, error) {
	if len(shape) > maxDims {
		return 0, fmt.Errorf("shape of %d dimensions, at most %d allowed", len(shape), maxDims)
	}
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v: negative dimension", shape)
		}
		if d != 0 && n > math.MaxInt64/d {
			return 0, fmt.Errorf("shape %v: more than 2^63-1 elements", shape)
		}
		n *= d
	}
	return n, nil
}

// byteLen is the size of a tensor; known is false if dtype is not one of ours.
func byteLen(dtype DType, shape []int64) (n uint64, known bool, err error) {
	c, err := count(shape)
	if err != nil {
		return 0, false, err
	}
	bits := dtype.bits()
	if bits == 0 {
		return 0, false, nil
	}
	if uint64(c) > math.MaxInt64/bits {
		return 0, true, fmt.Errorf("shape %v of %s: more than 2^63-1 bits", shape, dtype)
	}
	if uint64(c)*bits%8 != 0 {
		return 0, true, fmt.Errorf("shape %v of %s: not a whole number of bytes", shape, dtype)
	}
	return uint64(c) * bits / 8, true, nil
}
