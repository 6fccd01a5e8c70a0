package run

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/internal/shell"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A Diverged is the error of a learner whose loss or gradient is no number to go down from.
type Diverged struct {
	What  string  // "loss", "gradient"
	Value float64 // NaN or an infinity
	Batch map[string]safetensors.Tensor
}

func (e *Diverged) Error() string {
	return fmt.Sprintf("the %s is %v: training has diverged", e.What, e.Value)
}

// CheckFinite is a Diverged if x, which is of the loss or the gradient of a batch, is no number.
func CheckFinite(what string, x float64, batch func() map[string]safetensors.Tensor) error {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return &Diverged{What: what, Value: x, Batch: batch()}
	}
	return nil
}

// BatchFile is where a run that diverged leaves the batch in which it did.
const BatchFile = "diverged.safetensors"

// diverged saves the batch and says where it and the last checkpoint are.
func (r *run) diverged(d *Diverged, err error) error {
	path := filepath.Join(r.dir, BatchFile)
	if bad := safetensors.Write(path, nil, d.Batch); bad != nil {
		return errors.Join(err, bad)
	}
	last := "no step was saved before"
	if steps, _ := checkpoint.Steps(filepath.Join(r.dir, checkpoint.RunSeries)); len(steps) > 0 {
		last = fmt.Sprintf("step %d, saved before, is whole: go on from its weights with --begin %s and a lower learning rate", steps[len(steps)-1], shell.Quote(r.dir))
	}
	return fmt.Errorf("%w; the batch is in %s; %s", err, path, last)
}
