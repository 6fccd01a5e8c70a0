package logit

import (
	"math"
	"testing"
)

func TestP(t *testing.T) {
	inf := float32(math.Inf(1))
	// ln 3 stands for odds of 3 to 1; its float32 is off by 2e-8.
	for q, want := range map[float32]float64{0: 0.5, -1000: 0, 1000: 1, float32(math.Log(3)): 0.75, -inf: 0, inf: 1} {
		if got := P(q); math.Abs(got-want) > 1e-7 {
			t.Errorf("P(%v) = %v, want %v", q, got, want)
		}
	}
}

func TestSoftmax(t *testing.T) {
	got := make([]float32, 3)
	// Odds of 1 to 2 to 1, beside a number that is none of them, however large they are.
	ln2 := float32(math.Ln2)
	for _, by := range []float32{0, 1000, -1000} {
		Softmax(got, []float32{by, 9, by + ln2, 9, by}, 2)
		for i, want := range []float64{0.25, 0.5, 0.25} {
			if d := math.Abs(float64(got[i]) - want); d > 1e-4 { // 1000 + ln 2 is rounded to 6e-5
				t.Errorf("%v above: number %d is %v, want %v", by, i, got[i], want)
			}
		}
	}
}
