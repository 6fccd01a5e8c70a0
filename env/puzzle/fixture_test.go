package puzzle

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// fixtures is the folder of the recorded datasets beside the checkout; see its README.md.
func fixtures(t testing.TB) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "hrm", "dataset")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the reference's dataset fixtures are not beside the checkout (shared/hrm/dataset)")
	}
	return dir
}

// A tensor of a .safetensors fixture, as int32 (F32 as bits).
type tensor struct {
	shape []int
	data  []int32
}

func (x tensor) floats() []float32 {
	f := make([]float32, len(x.data))
	for i, v := range x.data {
		f[i] = math.Float32frombits(uint32(v))
	}
	return f
}

func readTensors(t testing.TB, path string) (tensors map[string]tensor, meta map[string]string) {
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
	tensors = map[string]tensor{}
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
		x := tensor{shape: info.Shape}
		for b := raw[8+int(n)+info.Offsets[0] : 8+int(n)+info.Offsets[1]]; len(b) > 0; b = b[4:] {
			x.data = append(x.data, int32(binary.LittleEndian.Uint32(b)))
		}
		tensors[name] = x
	}
	return tensors, meta
}
