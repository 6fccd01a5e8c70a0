//go:build cgo && !notorch && unix

package torch_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/ponder-agents/ponder/torch"
)

// cpu is the CPU time of the process so far, which says more than the clock on a machine with neighbours.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAdd is the cost of a whole call on 8 elements, result made and freed; bench/ops.py is the
// same from Python.
func BenchmarkAdd(b *testing.B) {
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		x := s.Floats(make([]float32, 8), 8)
		begin := cpu()
		for b.Loop() {
			s.Do(torch.NoGrad, func(in *torch.Scope) { in.Add(x, x) })
		}
		b.ReportMetric(float64(cpu()-begin)/float64(b.N), "cpu-ns/op")
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRMSAdd is the same for an operation of our own.
func BenchmarkRMSAdd(b *testing.B) {
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		x := s.Floats(make([]float32, 8), 1, 8)
		begin := cpu()
		for b.Loop() {
			s.Do(torch.NoGrad, func(in *torch.Scope) { in.RMSAdd(x, x, 1e-5) })
		}
		b.ReportMetric(float64(cpu()-begin)/float64(b.N), "cpu-ns/op")
	})
	if err != nil {
		b.Fatal(err)
	}
}
