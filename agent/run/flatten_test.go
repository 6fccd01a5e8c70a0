package run

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFlatten(t *testing.T) {
	got := flatten(map[string]any{
		"lr": 0.5, "model": map[string]any{"hidden": 64.0, "shared": true}, "stages": []any{map[string]any{"data": "maze:7"}}, "none": nil,
	}, ".%d")
	want := map[string]any{"lr": 0.5, "model.hidden": 64.0, "model.shared": true, "stages.0.data": "maze:7"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
