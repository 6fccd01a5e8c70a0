package grid

import (
	"slices"
	"testing"
)

func TestSymmetries(t *testing.T) {
	// A 2x3 grid under each symmetry, from shared/hrm/dataset/transforms.json ("dihedral").
	want := [8][]int{
		{0, 1, 2, 3, 4, 5},
		{2, 5, 1, 4, 0, 3},
		{5, 4, 3, 2, 1, 0},
		{3, 0, 4, 1, 5, 2},
		{2, 1, 0, 5, 4, 3},
		{3, 4, 5, 0, 1, 2},
		{0, 3, 1, 4, 2, 5},
		{5, 2, 4, 1, 3, 0},
	}
	for k := range 8 {
		s := SymmetryOf(2, 3, k)
		var got, back []int
		for i := range 6 {
			got = append(got, s.At(i/s.Cols, i%s.Cols))
		}
		if !slices.Equal(got, want[k]) {
			t.Errorf("symmetry %d: %v, want %v", k, got, want[k])
		}
		u := SymmetryOf(s.Rows, s.Cols, Inverse(k))
		for i := range 6 {
			back = append(back, got[u.At(i/u.Cols, i%u.Cols)])
		}
		if !slices.Equal(back, want[0]) {
			t.Errorf("symmetry %d undone: %v", k, back)
		}
	}
}
