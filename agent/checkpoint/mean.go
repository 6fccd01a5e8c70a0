package checkpoint

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

// Mean is the tensors of models, each number the sum of share times theirs, rounded once. Of networks that learned on
// from one another it is often better than each (Wortsman et al., arXiv 2203.05482). Their names, shapes and types are the
// same; numbers that are not of floating point are too. There is one share a model.
func Mean(models []*safetensors.File, shares []float64) (map[string]safetensors.Tensor, error) {
	all := map[string]safetensors.Tensor{}
	for i, m := range models {
		if a, b := models[0].Names(), m.Names(); !slices.Equal(a, b) {
			return nil, fmt.Errorf("model %d has other tensors than the first: %d, not %d, or of other names", i+1, len(b), len(a))
		}
	}
	for _, name := range models[0].Names() {
		t, err := meanOf(models, shares, name)
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		all[name] = t
	}
	return all, nil
}

func meanOf(models []*safetensors.File, shares []float64, name string) (mean safetensors.Tensor, err error) {
	var sum []float64
	for i, m := range models {
		t, err := m.Tensor(name)
		switch {
		case err != nil:
			return mean, err
		case i == 0:
			mean, sum = t, make([]float64, t.Len())
		case t.DType != mean.DType || !slices.Equal(t.Shape, mean.Shape):
			return mean, fmt.Errorf("%s%d in the first model, %s%d in model %d", mean.DType, mean.Shape, t.DType, t.Shape, i+1)
		}
		v, err := t.Float64s()
		if err != nil { // of whole numbers or booleans
			if !bytes.Equal(t.Data, mean.Data) {
				return mean, fmt.Errorf("%s that are not the same in the first model and model %d, and have no mean", t.DType, i+1)
			}
			sum = nil
			continue
		}
		for k := range sum {
			sum[k] += shares[i] * v[k]
		}
	}
	if sum == nil {
		return mean, nil
	}
	return safetensors.OfFloat64s(mean.Shape, sum).Convert(mean.DType)
}
