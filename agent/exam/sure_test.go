package exam

import (
	"math"
	"testing"
)

func TestSureness(t *testing.T) {
	var all []answered
	for i := range 100 { // right as often as it says: 3 of 4, and 19 of 20
		all = append(all, answered{0.75, i%4 > 0}, answered{0.95, i%20 > 0})
	}
	s := sureness(0.9, all)
	if s.Coverage != 0.5 || math.Abs(s.Risk-0.05) > 1e-12 || s.CalibrationError > 1e-12 {
		t.Errorf("coverage %v, risk %v, calibration error %v; want 0.5, 0.05 and 0", s.Coverage, s.Risk, s.CalibrationError)
	}
	if len(s.Bins) != 2 || s.Bins[1].Count != 100 || math.Abs(s.Bins[0].Accuracy-0.75) > 1e-12 {
		t.Errorf("bins %+v", s.Bins)
	}
	if n := len(s.Curve); n != 20 || s.Curve[n-1].Coverage != 1 || math.Abs(s.Curve[n-1].Risk-0.15) > 1e-12 || s.Curve[9].Sure != 0.95 || s.Curve[10].Sure != 0.75 {
		t.Errorf("curve of %d points %+v", n, s.Curve)
	}
	if s := sureness(1, []answered{{0.3, false}, {0.3, false}}); s.Coverage != 0 || s.Risk != 0 || math.Abs(s.CalibrationError-0.3) > 1e-12 {
		t.Errorf("nothing answered: %+v", s)
	}
	if s := sureness(0.5, []answered{{math.NaN(), false}, {0.9, true}}); s.Coverage != 0.5 || s.Risk != 0 || s.Bins[0].Confidence != 0 {
		t.Errorf("a confidence that is no number: %+v", s)
	}
}
