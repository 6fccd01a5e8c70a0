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
