package report

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/exam"
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

// Numbers that no axis has room for are left out, and the page is drawn all the same.
func TestExtreme(t *testing.T) {
	for _, extreme := range []float64{math.Inf(1), math.NaN(), 1.7e308, -1.7e308, 1e300, 1e17, 2e15} {
		series := map[Key]Series{{"train", "loss"}: {{1, 1}, {2, extreme}, {3, 3}}, {"eval", "success"}: {{3, extreme}}, {"eval", "mean_segments"}: {{3, extreme}}}
		again := map[Key]Series{{"train", "loss"}: {{1, 1}, {2, extreme}, {3, 3}}}
		constant := map[Key]Series{{"train", "entropy"}: {{1, extreme}, {2, extreme}}}
		g := group(series, again, constant)
		bad := exam.AgentResult{Model: "m", Rule: "never", MeanReturn: 1, SegmentsPerEpisode: 1, ReturnError: extreme, Branched: &exam.Regret{Right: extreme}}
		good := exam.AgentResult{Model: "m", Rule: "own", MeanReturn: 1, SegmentsPerEpisode: 1, Surprises: []exam.Surprise{{Since: 0, MeanSegments: extreme}, {Since: 1}, {Since: 2}}}
		uniform := exam.AgentResult{Model: "m", Rule: "uniform", MeanReturn: 1, SegmentsPerEpisode: extreme}
		other := exam.AgentResult{Model: "m", Rule: "entropy", MeanReturn: 1, SegmentsPerEpisode: 2}
		g.Runs[0].Exams = []exam.AgentResult{bad, good, uniform, other}
		p, err := New([]*Group{g}, nil, Options{})
		if err != nil {
			t.Errorf("%g: %v", extreme, err)
			continue
		}
		var titles []string
		for _, f := range p.Figures {
			titles = append(titles, f.Title)
		}
		if d := cmp.Diff([]string{"What each way to end a thought is worth", "Does it think again when the world changes?", "Loss, while training"}, titles); d != "" {
			t.Errorf("%g:\n%s", extreme, d)
		}
		if want := `figure "Loss, while training": points beyond ±1e+15 left out: 1`; !slices.Contains(p.Notes, want) {
			t.Errorf("%g: notes %q, want %q", extreme, p.Notes, want)
		}
		if err := p.WriteHTML(&bytes.Buffer{}); err != nil {
			t.Errorf("%g: %v", extreme, err)
		}
	}
}

// All that fits can be drawn, however far apart or near.
func TestFarthest(t *testing.T) {
	for _, s := range []Series{
		{{1, farthest}, {2, farthest}},
		{{1, -farthest}, {2, farthest}},
		{{1, farthest}, {2, math.Nextafter(farthest, 0)}},
		{{1, 0}, {2, math.SmallestNonzeroFloat64}},
		{{1, 1}, {2, math.Nextafter(1, 2)}},
		{{int64(farthest) - 1, 1}, {int64(farthest), 2}},
	} {
		k := Key{"train", "x"}
		f, ok, err := curves([]*Group{group(map[Key]Series{k: s})}, k)
		if err != nil || !ok {
			t.Fatalf("%v: %v, error %v", s, ok, err)
		}
		if _, err := f.SVG(); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
}
