//go:build cgo && !notorch

package torch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// instructionSets are those that ponder has kernels for and this processor can run, the narrowest first.
// The one in use is restored after the test.
func instructionSets(t *testing.T) (list []string) {
	t.Helper()
	before, _, _ := strings.Cut(Kernels(), " ")
	t.Cleanup(func() {
		if err := UseKernels(before); err != nil {
			t.Error(err)
		}
	})
	for _, isa := range []string{"base", "avx2", "avx512", "avx512-dots", "amx"} {
		if UseKernels(isa) == nil {
			list = append(list, isa)
		}
	}
	return list
}

// The kernels in use are the widest, others can be asked for, and what the processor lacks is refused.
func TestUseKernels(t *testing.T) {
	used, _, _ := strings.Cut(Kernels(), " ")
	list := instructionSets(t)
	if len(list) == 0 || list[0] != "base" || list[len(list)-1] != used {
		t.Fatalf("%v can be used and %s is, want base to be the first and that the last", list, used)
	}
	for _, isa := range list {
		if err := UseKernels(isa); err != nil || !strings.HasPrefix(Kernels()+" ", isa+" ") {
			t.Errorf("UseKernels(%s): %v, then Kernels() = %s", isa, err, Kernels())
		}
	}
	for _, isa := range []string{"", "avx", "AVX2"} {
		if UseKernels(isa) == nil {
			t.Errorf("UseKernels(%q) was accepted", isa)
		}
	}
}

// wideCore is the OpenBLAS core with the widest vectors that this processor has.
func wideCore(t *testing.T) string {
	t.Helper()
	sets := instructionSets(t)
	return map[string]string{"amx": "SkylakeX", "avx512-dots": "SkylakeX", "avx512": "SkylakeX", "avx2": "Haswell", "base": "Prescott"}[sets[len(sets)-1]]
}

// needOpenBLAS skips where there is none to choose for, and restores its choice after the test.
func needOpenBLAS(t *testing.T) {
	t.Helper()
	before := OpenBLAS()
	if before == "" {
		t.Skip("libtorch does not multiply with OpenBLAS")
	}
	if err := UseOpenBLAS(before); err != nil {
		t.Skip("an OpenBLAS for one processor only: ", err)
	}
	t.Cleanup(func() {
		if err := UseOpenBLAS(before); err != nil {
			t.Error(err)
		}
	})
}

// From the kernels of an old processor, the choice falls on the widest that this one has, every time;
// products are exact before and after, and the choice of a processor that OpenBLAS knows stays.
func TestOpenBLASCorrected(t *testing.T) {
	needOpenBLAS(t)
	for _, old := range []string{"Prescott", "Nehalem"} {
		for range 3 {
			if err := UseOpenBLAS(old); err != nil {
				t.Fatal(err)
			}
			if got := OpenBLAS(); got != old || !openBLASRight() {
				t.Fatalf("core %s, right %v; want %s, true", got, openBLASRight(), old)
			}
			if !chooseOpenBLAS() {
				t.Fatal("there is nothing to choose")
			}
			want := wideCore(t)
			if want == "Prescott" {
				want = old
			}
			if got := OpenBLAS(); got != want || !openBLASRight() {
				t.Errorf("from %s: core %s, right %v; want %s, true", old, got, openBLASRight(), want)
			}
		}
	}
	if err := UseOpenBLAS("Excavator"); err == nil {
		chooseOpenBLAS()
		if got := OpenBLAS(); got != "Excavator" {
			t.Errorf("core %s, want Excavator: named after a processor with AVX2, so it is no guess", got)
		}
	}
	if err := UseOpenBLAS("none"); err == nil {
		t.Error("a core that does not exist was accepted")
	}
}

// TestReportOpenBLAS is what the tests below start in a process of its own.
func TestReportOpenBLAS(t *testing.T) {
	if os.Getenv("REPORT_OPENBLAS") == "" {
		t.Skip("not asked for")
	}
	fmt.Printf("core: %s\n", OpenBLAS())
}

// coreWith is the core in use in a process with that environment besides.
func coreWith(t *testing.T, env ...string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestReportOpenBLAS$")
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "OPENBLAS_CORETYPE=") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(append(cmd.Env, "REPORT_OPENBLAS=1"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, core, ok := strings.Cut(string(out), "core: ")
	if !ok {
		t.Fatalf("no report in\n%s", out)
	}
	core, _, _ = strings.Cut(core, "\n")
	return core
}

func TestOpenBLASLeftAlone(t *testing.T) {
	needOpenBLAS(t)
	if got := coreWith(t, "OPENBLAS_CORETYPE=Prescott"); got != "Prescott" {
		t.Errorf("core %s, though OPENBLAS_CORETYPE is Prescott", got)
	}
}

// Kernels that compute wrongly, crash or are slow are not taken; the next narrower ones are.
func TestOpenBLASFaults(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("only OpenBLAS for x86-64 is corrected, and a library is preloaded")
	}
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "gcc"
	}
	fake := filepath.Join(t.TempDir(), "fake.so")
	if out, err := exec.Command(cc, "-O2", "-shared", "-fPIC", "-o", fake, "testdata/openblas/fake.c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wide := wideCore(t)
	narrower := map[string]string{"SkylakeX": "Haswell", "Haswell": "Prescott", "Prescott": "Prescott"}[wide]
	widest := "FAKE_" + strings.ToUpper(wide)
	tests := []struct {
		name string
		env  []string
		want string
	}{
		{"right", nil, wide},
		{"wrong", []string{widest + "=wrong"}, narrower},
		{"crash", []string{widest + "=crash"}, narrower},
		{"slow", []string{widest + "=slow"}, narrower},
		{"all wrong", []string{"FAKE_SKYLAKEX=wrong", "FAKE_HASWELL=wrong"}, "Prescott"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := coreWith(t, append(tt.env, "LD_PRELOAD="+fake)...); got != tt.want {
				t.Errorf("core %s, want %s", got, tt.want)
			}
		})
	}
}
