package safetensors

import (
	"io"
	"testing"
)

// million is a tensor of 2^20 elements.
func million(d DType) Tensor {
	return Tensor{d, []int64{1 << 20}, make([]byte, d.Size()<<20)}
}

func BenchmarkFloat32s(b *testing.B) {
	for _, d := range []DType{F32, BF16, F16} {
		b.Run(string(d), func(b *testing.B) {
			t := million(d)
			b.SetBytes(int64(len(t.Data)))
			for b.Loop() {
				if _, err := t.Float32s(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOfFloat32s(b *testing.B) {
	v := make([]float32, 1<<20)
	b.SetBytes(4 << 20)
	for b.Loop() {
		OfFloat32s([]int64{1 << 20}, v)
	}
}

func BenchmarkEncode(b *testing.B) {
	t := map[string]Tensor{"a": million(F32)}
	b.SetBytes(4 << 20)
	for b.Loop() {
		if err := Encode(io.Discard, nil, t); err != nil {
			b.Fatal(err)
		}
	}
}
