package puzzle

import "testing"

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
