package beside

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"
)

// A Tensor of a .safetensors fixture, as int32 (F32 as bits).
type Tensor struct {
	Shape []int
	Data  []int32
}

// Floats are the bits as numbers.
func (x Tensor) Floats() []float32 {
	f := make([]float32, len(x.Data))
	for i, v := range x.Data {
		f[i] = math.Float32frombits(uint32(v))
	}
	return f
}

// Tensors reads a .safetensors file and its metadata.
func Tensors(t testing.TB, path string) (tensors map[string]Tensor, meta map[string]string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(raw)
	var head map[string]json.RawMessage
	if err := json.Unmarshal(raw[8:8+n], &head); err != nil {
		t.Fatal(err)
	}
	tensors = map[string]Tensor{}
	for name, h := range head {
		if name == "__metadata__" {
			if err := json.Unmarshal(h, &meta); err != nil {
				t.Fatal(err)
			}
			continue
		}
		var info struct {
			Shape   []int `json:"shape"`
			Offsets []int `json:"data_offsets"`
		}
		if err := json.Unmarshal(h, &info); err != nil {
			t.Fatal(err)
		}
		x := Tensor{Shape: info.Shape}
		for b := raw[8+int(n)+info.Offsets[0] : 8+int(n)+info.Offsets[1]]; len(b) > 0; b = b[4:] {
			x.Data = append(x.Data, int32(binary.LittleEndian.Uint32(b)))
		}
		tensors[name] = x
	}
	return tensors, meta
}
