package checkpoint

import (
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

func fileOf(t *testing.T, tensors map[string]safetensors.Tensor) *safetensors.File {
	t.Helper()
	var b strings.Builder
	if err := safetensors.Encode(&b, nil, tensors); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestMean(t *testing.T) {
	type tensors = map[string]safetensors.Tensor
	f32 := safetensors.OfFloat32s
	a := tensors{"w": f32([]int64{3}, []float32{1, 2, -4}), "n": safetensors.OfInt64s([]int64{1}, []int64{7})}
	b := tensors{"w": f32([]int64{3}, []float32{3, 2, 4}), "n": a["n"]}
	mean, err := Mean([]*safetensors.File{fileOf(t, a), fileOf(t, b)}, []float64{0.25, 0.75})
	if err != nil {
		t.Fatal(err)
	}
	if w, err := mean["w"].Float32s(); err != nil || !slices.Equal(w, []float32{2.5, 2, 2}) {
		t.Errorf("mean %v, error %v", w, err)
	}
	if n, err := mean["n"].Int64s(); err != nil || !slices.Equal(n, []int64{7}) {
		t.Errorf("what all have the same became %v, error %v", n, err)
	}
	half, err := b["w"].Convert(safetensors.BF16)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		other tensors
		want  string
	}{
		{tensors{"w": a["w"]}, "model 2 has other tensors than the first"},
		{tensors{"w": f32([]int64{2}, []float32{1, 2}), "n": a["n"]}, "tensor w: F32[3] in the first model, F32[2] in model 2"},
		{tensors{"w": half, "n": a["n"]}, "BF16[3] in model 2"},
		{tensors{"w": a["w"], "n": safetensors.OfInt64s([]int64{1}, []int64{8})}, "have no mean"},
	} {
		_, err := Mean([]*safetensors.File{fileOf(t, a), fileOf(t, x.other)}, []float64{0.5, 0.5})
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("error %v, want %q", err, x.want)
		}
	}
}
