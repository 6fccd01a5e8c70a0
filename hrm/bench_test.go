//go:build cgo && !notorch && unix

package hrm_test

import (
	"fmt"
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// BenchmarkSegment is one segment of sudoku without gradients, on one thread.
func BenchmarkSegment(b *testing.B) {
	torch.SetThreads(1)
	small := hrm.Config{Vocab: 11, Seq: 81, Hidden: 128, Heads: 4, Levels: hrm.HL(2, 2, 2, 2), PuzzleIDs: 1, PuzzleDim: 128}
	for _, bb := range []struct {
		name    string
		cfg     hrm.Config
		batches []int
	}{{"27M", hrm.Base27M(), []int{1, 8}}, {"128", small, []int{1, 32}}} {
		params := torch.NewParams(torch.CPU)
		defer params.Close()
		m, err := hrm.New(bb.cfg, params, 1)
		if err != nil {
			b.Fatal(err)
		}
		defer m.Close()
		for _, batch := range bb.batches {
			b.Run(fmt.Sprintf("%s/batch=%d", bb.name, batch), func(b *testing.B) {
				tokens := make([]int64, batch*bb.cfg.Seq)
				for i := range tokens {
					tokens[i] = int64(1 + i%10)
				}
				err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
					c := m.Start(s, batch, bb.cfg.Seq)
					in := hrm.Input{Tokens: s.Ints(tokens, int64(batch), int64(bb.cfg.Seq)), PuzzleIDs: s.Ints(make([]int64, batch), int64(batch))}
					segment := func() { s.Do(torch.NoGrad, func(inner *torch.Scope) { m.Segment(inner, c, in) }) }
					segment() // makes the tables
					least := time.Duration(math.MaxInt64)
					for b.Loop() {
						before := cpu()
						segment()
						least = min(least, cpu()-before)
					}
					b.ReportMetric(float64(least.Microseconds())/1000, "least-cpu-ms")
				})
				if err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

// cpu is the CPU time of the process so far, which says more than the clock on a machine with neighbours.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
