package safetensors_test

import (
	"bytes"
	"fmt"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

func Example() {
	var b bytes.Buffer
	err := safetensors.Encode(&b, map[string]string{"format": "pt"}, map[string]safetensors.Tensor{
		"weight": safetensors.OfFloat32s([]int64{2, 2}, []float32{1, 2, 3, 4}),
		"steps":  safetensors.OfInt64s(nil, []int64{7}),
	})
	if err != nil {
		panic(err)
	}
	f, err := safetensors.Parse(b.Bytes()) // safetensors.Open for a file
	if err != nil {
		panic(err)
	}
	for _, name := range f.Names() {
		t, _ := f.Tensor(name)
		fmt.Println(name, t.DType, t.Shape)
	}
	w, _ := f.Tensor("weight")
	fmt.Println(w.Float32s())
	// Output:
	// steps I64 []
	// weight F32 [2 2]
	// [1 2 3 4] <nil>
}
