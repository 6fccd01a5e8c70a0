package trace

import "slices"

// Branches are what acting after other numbers of segments would have brought at a decision.
type Branches struct {
	Episode, Index int       // of the step
	Segments       []int     // rising
	Worth          []float64 // the return from there on, less the price of segments
}

// Regret is what acting after so many segments loses against the best number of them, the least where several are; false
// where it was not tried.
func (b *Branches) Regret(segments int) (lost float64, best int, ok bool) {
	i := slices.Index(b.Segments, segments)
	if i < 0 {
		return 0, 0, false
	}
	k := i
	for j, w := range b.Worth {
		if w > b.Worth[k]+1e-9 { // rounding of a sum
			k = j
		}
	}
	return b.Worth[k] - b.Worth[i], b.Segments[k], true
}
