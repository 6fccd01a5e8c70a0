package trace

// Branches are what acting after other numbers of segments would have brought at a decision.
type Branches struct {
	Episode, Index int       // of the step
	Segments       []int     // rising
	Worth          []float64 // the return from there on, less the price of segments
}
