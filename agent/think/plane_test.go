package think

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var approx = cmpopts.EquateApprox(0, 1e-5)

// TestPrincipal: points on an ellipse in a plane of a larger space have its axes as components.
func TestPrincipal(t *testing.T) {
	var points [][]float32
	for i := range 8 {
		sin, cos := math.Sincos(float64(i) * math.Pi / 4)
		points = append(points, []float32{1, 5 * float32(cos), 2, 2 * float32(sin)})
	}
	p := principal(points)
	if !cmp.Equal(p.center, []float32{1, 0, 2, 0}, approx) {
		t.Errorf("center %v", p.center)
	}
	for _, x := range points {
		at := p.at(x)
		if math.Abs(math.Abs(float64(at[0]))-math.Abs(float64(x[1]))) > 1e-4 || math.Abs(math.Abs(float64(at[1]))-math.Abs(float64(x[3]))) > 1e-4 {
			t.Errorf("%v lies at %v, want ±%v, ±%v", x, at, x[1], x[3])
		}
	}
}
