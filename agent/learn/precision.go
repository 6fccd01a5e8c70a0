//go:build cgo && !notorch

package learn

import (
	"context"
	"slices"
	"time"

	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// A Timing is what training in one number format costs.
type Timing struct {
	Precision hrm.Precision
	Step      time.Duration // median of a step
}

// precisionSteps is how many steps of each format are timed, after two that are not.
const precisionSteps = 5

// MeasurePrecision times steps of r's last stage in float32 and in bfloat16 on dev, and returns the
// faster first. Nothing of it stays.
func MeasurePrecision(r Recipe, open Open, dev torch.Device) ([]Timing, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	last := r.Stages[len(r.Stages)-1]
	r.Stages = []Stage{{Data: last.Data, MaxSegments: last.MaxSegments, Batch: last.Batch, Until: 1}}
	var all []Timing
	for _, p := range []hrm.Precision{hrm.Float32, hrm.BFloat16} {
		r.Precision = p
		step, err := timeSteps(r, open, dev)
		if err != nil {
			return nil, err
		}
		all = append(all, Timing{p, step})
	}
	slices.SortStableFunc(all, func(a, b Timing) int { return int(a.Step - b.Step) })
	return all, nil
}

// timeSteps is the median duration of a step of r.
func timeSteps(r Recipe, open Open, dev torch.Device) (time.Duration, error) {
	t, err := NewTrainer(r, open, dev)
	if err != nil {
		return 0, err
	}
	defer t.Close()
	var times []time.Duration
	for k := range precisionSteps + 2 {
		begin := time.Now()
		if err := t.Step(context.Background()); err != nil {
			return 0, err
		}
		dev.Synchronize()
		if k >= 2 {
			times = append(times, time.Since(begin))
		}
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}
