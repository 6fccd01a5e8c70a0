//go:build cgo && !notorch && unix

package learn

import (
	"syscall"
	"testing"
	"time"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/torch"
)

// BenchmarkStep is one training step of the small recipes on one thread; bench/hrm_torch.py is the
// same of the maze's network in PyTorch.
func BenchmarkStep(b *testing.B) {
	torch.SetThreads(1)
	for _, bb := range []struct {
		data   string
		recipe Recipe
	}{
		{"maze-directions:9", preset("maze")}, {"maze-directions:13", preset("maze")}, {"maze-directions:15", preset("maze")}, {"sudoku:30-36", preset("sudoku")},
	} {
		b.Run(bb.data, func(b *testing.B) {
			bb.recipe.Stages = []Stage{{Data: bb.data, Until: 1}}
			t, err := NewTrainer(bb.recipe, task.Open, torch.CPU)
			if err != nil {
				b.Fatal(err)
			}
			defer t.Close()
			for range 3 { // the first steps make the tables
				if err := t.Step(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			begin, least := cpu(), time.Hour
			for b.Loop() {
				before := cpu()
				if err := t.Step(b.Context()); err != nil {
					b.Fatal(err)
				}
				least = min(least, cpu()-before)
			}
			b.ReportMetric(float64((cpu()-begin).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(least.Microseconds())/1000, "least-cpu-ms")
		})
	}
}

// cpu is the CPU time of the process so far, which says more than the clock on a machine with neighbours.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
