package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func runFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSummarize(t *testing.T) {
	dir := runFolder(t, map[string]string{
		InfoFile: `{"command": ["ponder"], "learner": "supervised", "seed": 3, "started": "2026-01-02T03:04:05Z", "state": "running", "step": 0}`,
		"metrics.jsonl": `{"step":10,"kind":"train","stage":0,"lr":1,"loss":2,"exact_accuracy":0.5}
{"step":20,"kind":"train","stage":0,"lr":1,"loss":1,"exact_accuracy":0.75}
{"step":20,"kind":"eval","exact_accuracy":0.25,"segments":4,"":1}
{"step":30,"kind":"train","stage":1,"lr":1,"loss":1.5,"exact_accuracy":0.25}
{"step":40,"kind":"tra`,
	})
	s, err := Summarize(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []Metric{
		{"eval", "exact_accuracy", 0.25, 0.25, 20},
		{"eval", "segments", 4, 4, 20},
		{"train", "exact_accuracy", 0.25, 0.75, 20},
		{"train", "loss", 1.5, 1, 20},
	}
	if diff := cmp.Diff(want, s.Metrics); diff != "" || s.Step != 30 || s.Finished {
		t.Errorf("step %d (-want +got):\n%s", s.Step, diff)
	}
	if m, ok := s.Headline(); !ok || m != want[0] {
		t.Errorf("headline %+v", m)
	}
	if now := s.Written; s.State(now) != "running" || !strings.HasPrefix(s.State(now.Add(2*time.Hour)), "silent 2h") {
		t.Errorf("state %q, two hours later %q", s.State(now), s.State(now.Add(2*time.Hour)))
	}
	found, err := Find(filepath.Dir(dir))
	if err != nil || len(found) != 1 || found[0].Dir != dir {
		t.Errorf("found %v, %v", found, err)
	}
	if _, err := Summarize(filepath.Dir(dir)); err == nil || !strings.Contains(err.Error(), "name one, as "+dir) {
		t.Errorf("a folder of runs: %v", err)
	}
	bad := runFolder(t, map[string]string{InfoFile: `{}`, "metrics.jsonl": "nothing\n{}\n"})
	if all, err := Find(bad); err != nil || len(all) != 1 || all[0].Info.State != "damaged" {
		t.Errorf("a damaged run: %v, %v", all, err)
	}
	if _, err := Summarize(bad); err == nil || !strings.Contains(err.Error(), "metrics.jsonl:1: ") {
		t.Errorf("a line that is no JSON: %v", err)
	}
}

// TestFindLink: the root may be a link to a run, or to a folder of them.
func TestFindLink(t *testing.T) {
	dir := runFolder(t, map[string]string{InfoFile: `{"state": "finished"}`, "metrics.jsonl": `{"step":1,"kind":"eval","loss":2}` + "\n"})
	for to, at := range map[string]string{dir: "link", filepath.Dir(dir): filepath.Join("link", filepath.Base(dir))} {
		t.Chdir(t.TempDir())
		if err := os.Symlink(to, "link"); err != nil {
			t.Skip(err)
		}
		if found, err := Find("link"); err != nil || len(found) != 1 || found[0].Dir != at {
			t.Errorf("%s behind a link: %v, %v", to, found, err)
		}
	}
}

func TestCompare(t *testing.T) {
	const info, line = `{"state": "finished"}`, `{"step":1,"kind":"eval","loss":2}` + "\n"
	a := runFolder(t, map[string]string{InfoFile: info, "metrics.jsonl": line, ConfigFile: "steps = 3\nseed = 1\n[model]\nhidden = 8\n[[stages]]\ndata = 'x'\n"})
	b := runFolder(t, map[string]string{InfoFile: info, "metrics.jsonl": line, ConfigFile: "steps = 3\nseed = 2\n[model]\nhidden = 16\nheads = 2\n[[stages]]\ndata = 'x'\n"})
	got, err := Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"seed": {"1", "2"}, "model.hidden": {"8", "16"}, "model.heads": {"", "2"}}
	if diff := cmp.Diff(want, got.Differences); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var text strings.Builder
	if err := got.Print(&text); err != nil || !strings.Contains(text.String(), "model.hidden  8 ") || strings.Count(text.String(), "2, best 2 at 1") != 2 {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// TestCurve: an agent is followed by its return, not by its loss; a run that has no lines has no curve.
func TestCurve(t *testing.T) {
	dir := t.TempDir()
	write := func(lines string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "metrics.jsonl"), []byte(lines), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for lines, want := range map[string]Curve{
		"": {},
		`{"step":10,"kind":"train","loss":2,"mean_return":0.1}` + "\n" + `{"step":20,"kind":"eval","mean_return":0.9}` + "\n" + `{"step":20,"kind":"train","loss":1,"mean_return":0.4}` + "\n" + `{"step":30,"ki`: {Name: "mean_return", Steps: []int64{10, 20}, Values: []float64{0.1, 0.4}},
		`{"step":10,"kind":"train","loss":2}` + "\n":                       {Name: "loss", Steps: []int64{10}, Values: []float64{2}},
		`{"step":10,"kind":"train","loss":2,"exact_accuracy":0.25}` + "\n": {Name: "exact_accuracy", Steps: []int64{10}, Values: []float64{0.25}},
	} {
		write(lines)
		if got, err := ReadCurve(dir); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", lines, got, err, want)
		}
	}
}
