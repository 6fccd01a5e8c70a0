package report

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/run"
)

// group is runs that have these series.
func group(series ...map[Key]Series) *Group {
	g := &Group{Name: "g"}
	for _, s := range series {
		g.Runs = append(g.Runs, &Run{Summary: &run.Summary{}, Series: s})
	}
	return g
}

func TestTitle(t *testing.T) {
	for k, want := range map[Key]string{
		{"eval", "exact_accuracy"}: "Exact accuracy, evaluations",
		{"train", "übung"}:         "Übung, while training",
		{"train", ""}:              ", while training",
	} {
		if got := title(k); got != want {
			t.Errorf("%v: %q, want %q", k, got, want)
		}
	}
}

// Whatever metrics are called, each has a file of its own in the folder.
func TestPNGNames(t *testing.T) {
	series := map[Key]Series{}
	for _, name := range []string{"/../../victim/x", "loss/value", "a_b", "a-b", "A b", "größe", strings.Repeat("long", 100)} {
		series[Key{"train", name}] = Series{{1, 0}, {2, 1}}
	}
	p, err := New([]*Group{group(series)}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := p.WritePNGs(filepath.Join(root, "deep", "figures")); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if !d.IsDir() {
			got = append(got, strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(root)+"/deep/figures/"))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"train-A-b.png", "train-a-b-2.png", "train-a-b-3.png", "train-größe.png", "train-" + strings.Repeat("long", 11) + ".png",
		"train-loss-value.png", "train-victim-x.png",
	}
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
