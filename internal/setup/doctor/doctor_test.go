package doctor

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What product.c prints becomes a line that names the choice, its rate, the others, and what mends it.
func TestCheckKernels(t *testing.T) {
	const mend = "PyPI's torch brings a fast BLAS: " + setupCommand + " --pip 2.15.0"
	tests := []struct {
		name, printed, coreType string
		want                    Finding
	}{
		{
			"MKL", `{"isa": "avx512", "peak": 180, "one_thread": 165}`, "",
			Finding{"one thread", OK, "libtorch's own products: 165 GFLOP/s, 92 % of what avx512 allows", ""},
		}, {
			"corrected", `{"isa": "avx512", "peak": 180, "one_thread": 160, "openblas": {"used": "SkylakeX", "own": "Prescott", "rates": {"SkylakeX": 160, "Prescott": 33, "Haswell": 82}}}`, "",
			Finding{"one thread", OK, "OpenBLAS's SkylakeX kernels: 160 GFLOP/s, 89 % of what avx512 allows; Haswell: 82; Prescott: 33; by itself it takes Prescott, ponder corrects that", ""},
		}, {
			"the user's choice is slow", `{"isa": "avx2", "peak": 100, "one_thread": 19, "openblas": {"used": "Prescott", "own": "Prescott", "rates": {"Prescott": 19, "Haswell": 85}}}`, "Prescott",
			Finding{"one thread", Warn, "OpenBLAS's Prescott kernels: 19 GFLOP/s, 19 % of what avx2 allows; Haswell: 85; OPENBLAS_CORETYPE=Prescott", "unset OPENBLAS_CORETYPE"},
		}, {
			"nothing faster", `{"isa": "avx2", "peak": 100, "one_thread": 19, "openblas": {"used": "Prescott", "own": "Prescott", "rates": {"Prescott": 19}}}`, "",
			Finding{"one thread", Warn, "OpenBLAS's Prescott kernels: 19 GFLOP/s, 19 % of what avx2 allows", mend},
		}, {
			"wrong", `{"isa": "avx512", "peak": 180, "one_thread": 160, "openblas": {"used": "SkylakeX", "own": "SkylakeX", "wrong": true, "rates": {"SkylakeX": 160}}}`, "",
			Finding{"one thread", Fail, "OpenBLAS's SkylakeX kernels: 160 GFLOP/s, 89 % of what avx512 allows; they compute wrongly", "export OPENBLAS_CORETYPE=Haswell, or another OpenBLAS"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := new(product)
			d := json.NewDecoder(strings.NewReader(tt.printed))
			d.DisallowUnknownFields()
			if err := d.Decode(p); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, checkKernels(p, tt.coreType)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
