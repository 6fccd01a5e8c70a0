package viz

import (
	"testing"

	"github.com/ponder-agents/ponder/agent/trace"
)

// TestVerdict has decisions that stopped too soon, too late and just then; of equals the least counts, and so little that it is not seen is none.
func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		stop  int
		worth []float64 // of 1, 2, 4 and 8 segments
		want  string
	}{
		{2, []float64{0.5, 0.6, 0.9, 0.9}, "too short: 4 would bring 0.300 more"},
		{8, []float64{0.5, 0.9, 0.8, 0.7}, "too long: 2 would bring 0.200 more"},
		{4, []float64{0.5, 0.6, 0.9, 0.9004}, "right: no other brings more"},
		{0, []float64{0.5, 0.6, 0.9, 0.9}, "it has not stopped yet"},
	} {
		v := &View{Step: &trace.Step{Thought: make([]trace.Segment, 8)}, Branches: &trace.Branches{Segments: []int{1, 2, 4, 8}, Worth: tt.worth}}
		if tt.stop > 0 {
			v.Step.Thought[tt.stop-1].Halted = true
		}
		if got := verdict(v); got != tt.want {
			t.Errorf("stopped at %d of %v: %q, want %q", tt.stop, tt.worth, got, tt.want)
		}
	}
}
