//go:build cgo && !notorch

package verify

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

const shared = "../../../../shared/hrm"

func needShared(t *testing.T) {
	if _, err := os.Stat(shared); err != nil {
		t.Skip("no recorded cases in ../shared/hrm beside the checkout")
	}
}

func TestRecordedCases(t *testing.T) {
	needShared(t)
	for _, dir := range []string{"cases", "trm"} {
		if err := Path(filepath.Join(shared, dir), torch.CPU, func(r *Report) {
			if !r.Skipped && !r.OK() {
				t.Errorf("%s: %v", r.File, r.Problems)
			}
		}); err != nil {
			t.Error(err)
		}
	}
}

// copyWith writes the case with its tensors and metadata changed and replays that.
func copyWith(t *testing.T, name string, change func(ts map[string]safetensors.Tensor, meta map[string]string)) *Report {
	t.Helper()
	f, err := safetensors.Open(filepath.Join(shared, name))
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
	return File(path, torch.CPU)
}

// TestEveryQuantityIsCompared changes one value of each kind of recorded tensor.
func TestEveryQuantityIsCompared(t *testing.T) {
	needShared(t)
	numbers := regexp.MustCompile(`\d+`)
	for _, name := range []string{
		"cases/eval_rope_nopuzzle_b1.safetensors", "cases/halt_learned_nopuzzle_b1.safetensors",
		"cases/grad_learned_nopuzzle_softmax.safetensors", "cases/probe_rope.safetensors", "trm/trm_eval_mlp_b2.safetensors",
	} {
		f, err := safetensors.Open(filepath.Join(shared, name))
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]string{}
		for _, key := range f.Names() {
			if strings.Contains(key, ".draw.") {
				continue // an input of the call
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
			r := copyWith(t, name, func(ts map[string]safetensors.Tensor, _ map[string]string) {
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
	needShared(t)
	const name = "cases/eval_rope_nopuzzle_b1.safetensors"
	if r := copyWith(t, name, func(map[string]safetensors.Tensor, map[string]string) {}); !r.OK() {
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
		if r := copyWith(t, name, change); r.OK() {
			t.Errorf("%s passes (skipped: %v)", what, r.Skipped)
		}
	}
	b, err := os.ReadFile(filepath.Join(shared, name))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cut.safetensors")
	if err := os.WriteFile(path, b[:len(b)-9], 0o644); err != nil {
		t.Fatal(err)
	}
	if File(path, torch.CPU).OK() {
		t.Error("a truncated file passes")
	}
	if Path(t.TempDir(), torch.CPU, func(*Report) {}) == nil {
		t.Error("an empty folder passes")
	}
}
