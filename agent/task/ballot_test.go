package task

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ponder-agents/ponder/env/sudoku"
)

func TestBallotOfSymmetricCopies(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s, err := sudoku.NewSolver(9)
	if err != nil {
		t.Fatal(err)
	}
	solution := make([]uint8, 81)
	s.Fill(solution, rng)
	var b Ballot
	turned, back := make([]uint8, 81), make([]uint8, 81)
	for range 5 {
		var y sudoku.Symmetry
		if err := y.Draw(9, rng); err != nil {
			t.Fatal(err)
		}
		y.Apply(turned, solution)
		y.Undo(back, turned)
		b.Add(back, 0)
	}
	best, share := b.Best()
	if diff := cmp.Diff(solution, best.Cells); diff != "" || best.Votes != 5 || share != 0.5 {
		t.Errorf("5 right copies at q 0: %d votes, share %v, (-want +got)\n%s", best.Votes, share, diff)
	}
}

// One sure answer outweighs two unsure ones that agree, and three do not lose to it.
func TestBallotWeighs(t *testing.T) {
	a, c := []uint8{1, 2, 3, 4}, []uint8{4, 3, 2, 1}
	var b Ballot
	b.Add(a, -2)
	b.Add(a, -2)
	b.Add(c, 3)
	if best, _ := b.Best(); best.Votes != 1 {
		t.Errorf("two votes of weight 0.12 beat one of 0.95: %+v", best)
	}
	for range 2 {
		b.Add(a, 3)
	}
	if best, _ := b.Best(); best.Votes != 4 {
		t.Errorf("four votes lose: %+v", best)
	}
}

// TestBallotBestBy: a checked answer beats heavier ones, of two the better, of equals the heavier; where none holds, Best.
func TestBallotBestBy(t *testing.T) {
	var b Ballot
	for i, q := range []float32{3, 0, 1, 2} {
		b.Add([]uint8{uint8(i)}, q)
	}
	for _, tt := range []struct {
		worth map[uint8]float64
		want  uint8
	}{
		{map[uint8]float64{1: -5}, 1},
		{map[uint8]float64{1: -5, 2: -4}, 2},
		{map[uint8]float64{1: -4, 3: -4, 2: -6}, 3},
		{nil, 0},
	} {
		got, share := b.BestBy(func(cells []uint8) (float64, bool) {
			worth, ok := tt.worth[cells[0]]
			return worth, ok
		})
		if got.Cells[0] != tt.want || share != got.Weight/4 {
			t.Errorf("%v: %v with a share of %v", tt.worth, got, share)
		}
	}
}
