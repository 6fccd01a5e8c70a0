package verify

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

const shared = "../../../shared/hrm"

func needShared(t *testing.T) {
	if _, err := os.Stat(shared); err != nil {
		t.Skip("no recorded cases in ../shared/hrm beside the checkout")
	}
}

// each runs a test on every engine of this build.
func each(t *testing.T, test func(t *testing.T, e Engine)) {
	for _, e := range engines() {
		t.Run(e.Name(), func(t *testing.T) { test(t, e) })
	}
}

// own has what testdata/record.py of package reference recorded: five cases of calls and training, a
// checkpoint in both types, a fresh network and learning rates.
const own = "../testdata"

func TestOwn(t *testing.T) { recorded(t, own, 8, 240) }

// TestRecorded replays what was recorded with the published programs.
func TestRecorded(t *testing.T) {
	needShared(t)
	recorded(t, shared, 22, 500)
}

// recorded replays files, of which at least so many tensors are compared.
func recorded(t *testing.T, dir string, files, tensors int) {
	each(t, func(t *testing.T, e Engine) {
		replayed, compared := 0, 0
		if err := Path(dir, e, func(r *Report) {
			compared += r.TensorsCompared
			if !r.Skipped {
				replayed++
			}
			if !r.Skipped && !r.OK() {
				t.Errorf("%s: %v", r.File, r.Problems)
				for _, q := range r.Quantities {
					if q.Over() {
						t.Errorf("%s: %+v", r.File, *q)
					}
				}
			}
			if r.Engine != e.Name() {
				t.Errorf("%s: the report is of engine %q", r.File, r.Engine)
			}
		}); err != nil {
			t.Error(err)
		}
		if replayed != files || compared < tensors {
			t.Errorf("%d files, %d tensors compared, want %d and at least %d", replayed, compared, files, tensors)
		}
	})
}

// TestGoLeavesTraining: of a case of training, the engine that does not train compares what comes before
// the first step, and says of all else that it is not its own.
func TestGoLeavesTraining(t *testing.T) {
	r := File(filepath.Join(own, "hrm_grad.safetensors"), Go())
	if !r.OK() {
		t.Fatalf("%v", r.Problems)
	}
	for _, key := range []string{"call.0.loss.total", "call.0.grad.inner.lm_head.weight", "call.2.logits"} {
		if !slices.Contains(r.NotThisEngine, key) {
			t.Errorf("%s is not among what it leaves", key)
		}
	}
	if slices.Contains(r.NotThisEngine, "call.0.logits") || r.TensorsCompared < 8 {
		t.Errorf("%d tensors compared", r.TensorsCompared)
	}
}

// copyWith writes the case with its tensors and metadata changed and replays that.
func copyWith(t *testing.T, e Engine, name string, change func(ts map[string]safetensors.Tensor, meta map[string]string)) *Report {
	t.Helper()
	f, err := safetensors.Open(filepath.Join(own, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ts, meta := map[string]safetensors.Tensor{}, f.Metadata()
	for _, n := range f.Names() {
		x, err := f.Tensor(n)
		if err != nil {
			t.Fatal(err)
		}
		x.Data = bytes.Clone(x.Data)
		ts[n] = x
	}
	change(ts, meta)
	path := filepath.Join(t.TempDir(), "case.safetensors")
	if err := safetensors.Write(path, meta, ts); err != nil {
		t.Fatal(err)
	}
	return File(path, e)
}

// TestEveryQuantityIsCompared changes one value of each kind of recorded tensor.
func TestEveryQuantityIsCompared(t *testing.T) {
	each(t, everyQuantity)
}

func everyQuantity(t *testing.T, e Engine) {
	numbers := regexp.MustCompile(`\d+`)
	for _, name := range []string{"hrm_eval.safetensors", "hrm_halt.safetensors", "hrm_grad.safetensors", "trm_grad.safetensors"} {
		f, err := safetensors.Open(filepath.Join(own, name))
		if err != nil {
			t.Fatal(err)
		}
		left := File(filepath.Join(own, name), e).NotThisEngine
		kinds := map[string]string{}
		for _, key := range f.Names() {
			if strings.Contains(key, ".draw.") || slices.Contains(left, key) {
				continue // an input of the call; of training
			}
			if strings.HasPrefix(key, "call.") || strings.HasPrefix(key, "probe.") {
				kinds[numbers.ReplaceAllString(key, "#")] = key
			}
		}
		f.Close()
		if len(kinds) == 0 {
			t.Errorf("%s: nothing recorded", name)
		}
		for _, key := range kinds {
			r := copyWith(t, e, name, func(ts map[string]safetensors.Tensor, _ map[string]string) {
				d := ts[key].Data
				switch ts[key].DType {
				case safetensors.F32:
					d[2], d[3] = 0x80, 0x42 // 64
				case safetensors.F64:
					d[6], d[7] = 0x50, 0x40 // 64
				default:
					d[0] ^= 1
				}
			})
			if r.OK() {
				t.Errorf("%s: a changed %s passes", name, key)
			}
		}
	}
}

func TestBadCasesFail(t *testing.T) {
	each(t, badCases)
}

func badCases(t *testing.T, e Engine) {
	const name = "hrm_eval.safetensors"
	if r := copyWith(t, e, name, func(map[string]safetensors.Tensor, map[string]string) {}); !r.OK() {
		t.Fatalf("an unchanged copy fails: %v", r.Problems)
	}
	for what, change := range map[string]func(map[string]safetensors.Tensor, map[string]string){
		"unknown key": func(ts map[string]safetensors.Tensor, _ map[string]string) {
			ts["call.0.surprise"] = safetensors.Tensor{DType: safetensors.F32, Shape: []int64{1}, Data: make([]byte, 4)}
		},
		"no format": func(_ map[string]safetensors.Tensor, m map[string]string) { clear(m) },
		"NaN": func(ts map[string]safetensors.Tensor, _ map[string]string) {
			for k, x := range ts {
				if strings.HasPrefix(k, "call.") && x.DType == safetensors.F32 {
					x.Data[2], x.Data[3] = 0xc0, 0x7f
				}
			}
		},
	} {
		if r := copyWith(t, e, name, change); r.OK() {
			t.Errorf("%s passes (skipped: %v)", what, r.Skipped)
		}
	}
	b, err := os.ReadFile(filepath.Join(own, name))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cut.safetensors")
	if err := os.WriteFile(path, b[:len(b)-9], 0o644); err != nil {
		t.Fatal(err)
	}
	if File(path, e).OK() {
		t.Error("a truncated file passes")
	}
	if Path(t.TempDir(), e, func(*Report) {}) == nil {
		t.Error("an empty folder passes")
	}
}

// TestMissingPartsFail takes away what a case cannot do without.
func TestMissingPartsFail(t *testing.T) {
	each(t, missingParts)
}

func missingParts(t *testing.T, e Engine) {
	const name = "hrm_eval.safetensors"
	type tensors = map[string]safetensors.Tensor
	for what, change := range map[string]func(tensors, map[string]string){
		"no config": func(_ tensors, m map[string]string) { delete(m, "config") },
		"no run":    func(_ tensors, m map[string]string) { delete(m, "run") },
		"no weight": func(ts tensors, _ map[string]string) { delete(ts, "inner.H_init") },
		"no batch":  func(ts tensors, _ map[string]string) { delete(ts, "batch.0.inputs") },
		"no outputs": func(ts tensors, _ map[string]string) {
			for k := range ts {
				if strings.HasPrefix(k, "call.") || strings.HasPrefix(k, "probe.") {
					delete(ts, k)
				}
			}
		},
	} {
		if r := copyWith(t, e, name, change); r.OK() {
			t.Errorf("%s passes (skipped: %v, compared: %d)", what, r.Skipped, r.TensorsCompared)
		}
	}
}
