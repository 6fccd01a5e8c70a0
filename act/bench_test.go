package act

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkStep(b *testing.B) {
	const rows = 384
	h, err := New(Config{MaxSegments: 16, ExplorationProb: 0.1}, rows, FromRand(rand.New(rand.NewPCG(1, 2))))
	if err != nil {
		b.Fatal(err)
	}
	q := Q{Halt: make([]float32, rows), Continue: make([]float32, rows)}
	for b.Loop() {
		h.Step(q)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
