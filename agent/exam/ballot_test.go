package exam

import (
	"math"
	"testing"
)

// TestDisputedBallot: of two answers that thoughts are content with at most one is right, so neither has more than half.
func TestDisputedBallot(t *testing.T) {
	b := &ballot{}
	b.Add([]uint8{1, 2}, 10)
	if a, p := b.best(); a.Cells[0] != 1 || math.Abs(p-1) > 1e-4 {
		t.Errorf("answer %v, confidence %v, want near 1", a.Cells, p)
	}
	b.disputed = true
	if a, p := b.best(); a.Cells[0] != 1 || math.Abs(p-0.5) > 1e-4 {
		t.Errorf("disputed: answer %v, confidence %v, want near a half", a.Cells, p)
	}
}
