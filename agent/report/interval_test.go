package report

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.000", 0.0001: "0.0001", 0.5: "0.500", 9.9996: "10.0", 99.97: "100", 999.7: "1000", 1234: "1234", 12_345: "12.3k", 999_936: "1M", -999_936: "-1M",
		1_234_567: "1.23M", 999_999_999: "1G", 1e9: "1G", 2.5e11: "250G", 1e12: "1e+12", 1.7e308: "1.7e+308", math.Inf(1): "+Inf",
	} {
		if got := number(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
	if got := number(math.NaN()); got != "–" {
		t.Errorf("NaN: %q", got)
	}
	var labels []string
	for _, tick := range (ticks{}).Ticks(0, 2e9) {
		labels = append(labels, tick.Label)
	}
	if d := cmp.Diff([]string{"0", "1G", "2G"}, labels); d != "" {
		t.Error(d)
	}
}
