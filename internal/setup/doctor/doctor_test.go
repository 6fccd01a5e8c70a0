package doctor

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What product.c prints becomes a line that names the choice, its rate, the others, and what mends it.
func TestCheckProducts(t *testing.T) {
	const mend = "an idle machine, or PyPI's torch, which brings a fast BLAS: " + setupCommand + " --pip 2.15.0"
	tests := []struct {
		name, printed, coreType string
		want                    Finding
	}{
		{
			"MKL", `{"isa": "avx512", "peak": 180, "one_thread": 165}`, "",
			Finding{"products, one thread", OK, "libtorch's own products: 165 GFLOP/s, 92 % of what avx512 allows", ""},
		}, {
			"corrected", `{"isa": "avx512", "peak": 180, "one_thread": 160, "openblas": {"used": "SkylakeX", "own": "Prescott", "rates": {"SkylakeX": 160, "Prescott": 33, "Haswell": 82}}}`, "",
			Finding{"products, one thread", OK, "OpenBLAS's SkylakeX kernels: 160 GFLOP/s, 89 % of what avx512 allows; Haswell: 82; Prescott: 33; by itself it takes Prescott, ponder corrects that", ""},
		}, {
			"the user's choice is slow", `{"isa": "avx2", "peak": 100, "one_thread": 19, "openblas": {"used": "Prescott", "own": "Prescott", "rates": {"Prescott": 19, "Haswell": 85}}}`, "Prescott",
			Finding{"products, one thread", Warn, "OpenBLAS's Prescott kernels: 19 GFLOP/s, 19 % of what avx2 allows; Haswell: 85; OPENBLAS_CORETYPE=Prescott", "unset OPENBLAS_CORETYPE"},
		}, {
			"nothing faster", `{"isa": "avx2", "peak": 100, "one_thread": 19, "openblas": {"used": "Prescott", "own": "Prescott", "rates": {"Prescott": 19}}}`, "",
			Finding{"products, one thread", Warn, "OpenBLAS's Prescott kernels: 19 GFLOP/s, 19 % of what avx2 allows", mend},
		}, {
			"wrong", `{"isa": "avx512", "peak": 180, "one_thread": 160, "openblas": {"used": "SkylakeX", "own": "SkylakeX", "wrong": true, "rates": {"SkylakeX": 160}}}`, "",
			Finding{"products, one thread", Fail, "OpenBLAS's SkylakeX kernels: 160 GFLOP/s, 89 % of what avx512 allows; they compute wrongly", "export OPENBLAS_CORETYPE=Haswell, or another OpenBLAS"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := parsed(t, tt.printed)
			if diff := cmp.Diff(tt.want, checkProducts(p, tt.coreType)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckKernels(t *testing.T) {
	tests := []struct {
		name, printed string
		want          Finding
	}{
		{
			"the widest", `{"isa": "avx2", "kernels": {"used": "avx2", "rates": {"base": 16.2, "avx2": 31.4}}}`,
			Finding{"kernels", OK, "avx2: attention at 31 GFLOP/s a thread; base: 16", ""},
		}, {
			"lowered badly", `{"isa": "avx2", "kernels": {"used": "avx2", "rates": {"base": 16.2, "avx2": 4.9}}}`,
			Finding{"kernels", Warn, "avx2: attention at 5 GFLOP/s a thread; base: 16", "set up again with another version of GCC (CXX=g++-12): this one made the wider vectors slower"},
		}, {
			"clang", `{"isa": "avx2", "kernels": {"used": "base", "rates": {"base": 16.2}}}`,
			Finding{"kernels", Warn, "base: attention at 16 GFLOP/s a thread", "set up again with GCC (CXX=g++): it compiles them for avx2 too"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, checkKernels(parsed(t, tt.printed))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func parsed(t *testing.T, printed string) *product {
	t.Helper()
	p := new(product)
	d := json.NewDecoder(strings.NewReader(printed))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCheckFlags: GOFLAGS that no go.work can be used with are a failure that names the mend, with the flags that stay.
func TestCheckFlags(t *testing.T) {
	t.Setenv("GOFLAGS", "-buildvcs=false -mod=mod")
	want := Finding{"GOFLAGS", Fail, "-mod=mod is set, and go refuses to build with a go.work then", `export GOFLAGS="-buildvcs=false"`}
	if diff := cmp.Diff(want, checkFlags(t.Context())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	t.Setenv("GOFLAGS", "-buildvcs=false")
	if f := checkFlags(t.Context()); f.Level != OK {
		t.Errorf("%+v", f)
	}
}
