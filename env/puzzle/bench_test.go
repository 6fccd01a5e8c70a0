package puzzle

import (
	"path/filepath"
	"testing"
)

// BenchmarkNext reads training rows of the recorded ARC set: 900 tokens each, from disk.
func BenchmarkNext(b *testing.B) {
	s := openFixture(b, "arc-tiny", "train")
	src, err := s.Shuffle(Order{})
	if err != nil {
		b.Fatal(err)
	}
	in, label := make([]int32, s.Meta.SeqLen), make([]int32, s.Meta.SeqLen)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := src.Next(in, label); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkCopies augments a task and frames it: what data build does for every task.
func BenchmarkCopies(b *testing.B) {
	tasks, _, err := ReadTasks(filepath.Join(fixtures(b), "arc-tiny", "source"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, c := range tasks[0].Copies(rowRand(1, 0), 100) {
			FramePairs(rowRand(1, 1), c.Train, func(in, label []int32) {})
		}
	}
	b.ReportMetric(float64(101*b.N)/b.Elapsed().Seconds(), "copies/s")
}
