package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/plot/plotter"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/run"
)

// write makes a folder of a run whose mean return rises to top, noisily.
func write(t *testing.T, root, name, kind string, seed int, top float64) string {
	t.Helper()
	dir := filepath.Join(root, name)
	info, err := json.Marshal(run.Info{Command: []string{"ponder", "train", "ppo"}, Learner: "ppo", Seed: uint64(seed), State: run.Finished, Step: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for step := 100; step <= 1000; step += 100 {
		r := top * float64(step) / 1000
		fmt.Fprintf(&lines, `{"step":%d,"kind":"train","mean_return":%g,"loss":%g,"frames_per_second":9}`+"\n", step, r, 1-r)
		if step%500 == 0 {
			fmt.Fprintf(&lines, `{"step":%d,"kind":"eval","success":%g,"mean_segments":%g}`+"\n", step, r, 1+top)
		}
	}
	for file, text := range map[string]string{
		run.InfoFile: string(info), run.ConfigFile: fmt.Sprintf("algorithm = 'ppo'\nenv = 'maze/5x5-v0'\nseed = %d\n[policy]\nkind = '%s'\n", seed, kind), "metrics.jsonl": lines.String(),
	} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPage(t *testing.T) {
	root := t.TempDir()
	first := write(t, root, "hrm-1", "hrm", 1, 0.8)
	write(t, root, "hrm-2", "hrm", 2, 1)
	write(t, root, "gru-1", "gru", 1, 0.5)
	regret := 0.02
	line, err := json.Marshal(exam.AgentResult{
		Model: "runs/<hrm>", Env: "maze/5x5-v0", Episodes: 20, Success: 0.75, Regret: &regret, Branched: &exam.Regret{TooShort: 0.25, Right: 0.5, TooLong: 0.25},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(first, "eval.jsonl"), append(line, '\n'), 0o666); err != nil {
		t.Fatal(err)
	}
	runs, notes, err := Load(root)
	if err != nil || len(runs) != 3 || len(notes) != 0 {
		t.Fatalf("%d runs, notes %q, error %v", len(runs), notes, err)
	}
	groups := Groups(runs)
	var names []string
	for _, g := range groups {
		names = append(names, fmt.Sprint(g.Name, " ", len(g.Runs)))
	}
	if d := cmp.Diff([]string{"kind=gru 1", "kind=hrm 2"}, names); d != "" {
		t.Fatal(d)
	}
	p, err := New(groups, notes, Options{Title: "A & B", Levels: []Level{{"mean_return", 0.75}}, Now: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	for _, want := range []string{
		"<title>A &amp; B</title>", "3 runs in 2 groups", "<svg", "What thinking bought", "Was it thought long enough?", "runs/&lt;hrm&gt;",
		"0.900 ± 1.271", // 0.8 and 1: t(1) = 12.706, times 0.1414/√2 = 0.1
		"after 800, 1000 steps", "1 of 1 never", "policy.kind",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, bad := range []string{"http://", "https://", "<script", "src=", "<link", "frames per second"} {
		if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(html, `xmlns="http://www.w3.org/2000/svg"`, ""), `xmlns:xlink="http://www.w3.org/1999/xlink"`, ""), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	dir := filepath.Join(t.TempDir(), "figures")
	if err := p.WritePNGs(dir); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "train-mean-return.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil || img.Bounds().Dx() < 800 {
		t.Fatalf("%v, error %v", img.Bounds(), err)
	}
	drawn := map[string]bool{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			for i := range groups {
				if c := Color(i); uint8(r>>8) == c.R && uint8(g>>8) == c.G && uint8(b>>8) == c.B {
					drawn[groups[i].Name] = true
				}
			}
		}
	}
	if len(drawn) != 2 {
		t.Errorf("only %v drawn", drawn)
	}
}

// What is no run, or damaged, is passed over with a note; that nothing is left is an error.
func TestLoadNotes(t *testing.T) {
	root := t.TempDir()
	good := write(t, root, "good", "hrm", 1, 1)
	f, err := os.OpenFile(filepath.Join(good, "metrics.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"step":1100,"kind":"tra`)
	f.Close()
	bad := write(t, root, "bad", "hrm", 2, 1)
	if err := os.WriteFile(filepath.Join(bad, "metrics.jsonl"), []byte("{\"step\":1}\nhello\n{\"step\":2}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(root, "empty")
	if err := os.Mkdir(empty, 0o777); err != nil {
		t.Fatal(err)
	}
	runs, notes, err := Load(good, bad, empty, root)
	if err != nil || len(runs) != 1 || runs[0].Step != 1000 {
		t.Fatalf("%d runs, error %v", len(runs), err)
	}
	for i, want := range []string{"the last line of metrics.jsonl is cut", "metrics.jsonl:2: ", "no run in it"} {
		if i >= len(notes) || !strings.Contains(notes[i], want) {
			t.Errorf("notes %q, want %q as number %d", notes, want, i)
		}
	}
	if _, _, err := Load(empty); err == nil || !strings.Contains(err.Error(), "no run in it") {
		t.Errorf("error %v", err)
	}
	if _, _, err := Load(filepath.Join(root, "none")); err == nil {
		t.Error("a folder that is not there is read")
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(good, link); err != nil {
		t.Skip(err)
	}
	if runs, _, err := Load(link, root); err != nil || len(runs) != 1 || runs[0].Dir != link {
		t.Errorf("a run and a link to it: %d runs, error %v", len(runs), err)
	}
}

// Curves are means over the runs that have come so far, on straight lines between their own points.
func TestCurve(t *testing.T) {
	k := Key{"train", "x"}
	g := &Group{Runs: []*Run{
		{Series: map[Key]Series{k: {{0, 0}, {10, 10}}}}, {Series: map[Key]Series{k: {{0, 2}, {5, 2}, {10, 4}, {20, 8}}}}, {Series: map[Key]Series{}},
	}}
	want := Curve{Steps: []float64{0, 5, 10, 20}, Mean: []float64{1, 3.5, 7, 8}, Least: []float64{0, 2, 4, 8}, Max: []float64{2, 5, 10, 8}}
	if d := cmp.Diff(want, g.Curve(k)); d != "" {
		t.Error(d)
	}
	if i := Of([]float64{1, 2, 3}); math.Abs(i.Half-2.484) > 1e-3 || i.Mean != 2 { // t(2) = 4.303, times 1/√3
		t.Errorf("interval %+v", i)
	}
	if i := Of(nil); i.String() != "–" || Of([]float64{0.5}).String() != "0.500" {
		t.Errorf("%v", i)
	}
}

// TestHalting draws a curve for each way, and a point for the model's own setting.
func TestHalting(t *testing.T) {
	f, err := Halting([]exam.HaltingWay{
		{Way: "own", Points: []exam.HaltingPoint{{Segments: 2, ExactAccuracy: 0.5}}},
		{Way: "residual"}, // of one segment has no setting
		{Way: "fixed", Points: []exam.HaltingPoint{{Segments: 1, ExactAccuracy: 0}, {Segments: 2, ExactAccuracy: 0.4}, {Segments: 3, ExactAccuracy: 0.9}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">own<", ">fixed<", ">mean segments<", ">exact accuracy<"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the figure lacks %s", want)
		}
	}
	if strings.Contains(svg, ">residual<") {
		t.Error("a way without a setting is in the legend")
	}
	if png, err := f.PNG(); err != nil || !bytes.HasPrefix(png, []byte("\x89PNG")) {
		t.Errorf("PNG of %d bytes, error %v", len(png), err)
	}
}

// TestDepth draws a curve for each kind of data, of fixed segments alone, and a point for the model's own halting.
func TestDepth(t *testing.T) {
	ways := func(at float64) []exam.HaltingWay {
		return []exam.HaltingWay{
			{Way: "own", Points: []exam.HaltingPoint{{Segments: 2, ExactAccuracy: at}}},
			{Way: "learned", Points: []exam.HaltingPoint{{Segments: 1, ExactAccuracy: 0}, {Segments: 40, ExactAccuracy: at}}},
			{Way: "fixed", Points: []exam.HaltingPoint{{Segments: 1, ExactAccuracy: 0}, {Segments: 3, ExactAccuracy: at}}},
		}
	}
	f, err := Depth([]HaltingSet{{"maze-route:15", ways(0.9)}, {"maze-route:41", ways(0.4)}})
	if err != nil {
		t.Fatal(err)
	}
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">maze-route:15<", ">maze-route:41<", ">segments<", ">exact accuracy<"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the figure lacks %s", want)
		}
	}
	if strings.Contains(svg, ">learned<") || f.plot.X.Max > 4 {
		t.Errorf("the figure has a way beside fixed segments, to %v", f.plot.X.Max)
	}
}

// TestRulesOverRuns: what several runs tried is shown as their mean, with two standard errors over runs; what one did alone with
// its own.
func TestRulesOverRuns(t *testing.T) {
	spl := func(x float64) *float64 { return &x }
	run := func(model string, own, always float64) *Run {
		return &Run{Exams: []exam.AgentResult{
			{Model: model, Rule: "own", Threshold: own, SPL: spl(own), SPLError: spl(0.5), SegmentsPerEpisode: 30},
			{Model: model, Rule: "never", MaxSegments: 8, SPL: spl(always), SPLError: spl(0.5), SegmentsPerEpisode: 100 * always},
		}}
	}
	groups := []*Group{{Runs: []*Run{run("a", 0.9, 0.6)}}, {Runs: []*Run{run("b", 0.7, 0.8)}}}
	f, ok, err := rules(groups)
	if err != nil || !ok {
		t.Fatalf("%v, error %v", ok, err)
	}
	var names []string
	for _, e := range f.legend {
		names = append(names, e.name)
	}
	if d := cmp.Diff([]string{"always as many segments", "as a and 1 more are set"}, names); d != "" {
		t.Error(d)
	}
	p := pointOf([]exam.AgentResult{groups[0].Runs[0].Exams[1], groups[1].Runs[0].Exams[1]})
	if want := (point{plotter.XY{X: 70, Y: 0.7}, 0.2}); math.Abs(p.X-want.X)+math.Abs(p.Y-want.Y)+math.Abs(p.bar-want.bar) > 1e-9 { // 0.6 and 0.8: sd 0.1414, of two 0.1
		t.Errorf("mean %v, want %v", p, want)
	}
	again := run("c", 0.5, 0.5)
	again.Exams = append(again.Exams, again.Exams[1]) // another world by its options: not one point with the first
	ways, _ := tried([]*Group{{Runs: []*Run{again, run("d", 0.5, 0.5)}}})
	var counts []int
	for _, exams := range ways[way{rule: "never"}] {
		counts = append(counts, len(exams))
	}
	if slices.Sort(counts); !slices.Equal(counts, []int{1, 2}) {
		t.Errorf("points of %v exams, want one of two runs and one of what a run tried again", counts)
	}
	if p := pointOf(groups[0].Runs[0].Exams[:1]); p.bar != 1 || p.Y != 0.9 {
		t.Errorf("one exam: %v", p)
	}
}

// TestRules: exams by rules become a line for each way, settings in the order of their segments, and a point for a model as
// it is set, whose segments after a change are drawn; exams of before that say no rule are left out.
func TestRules(t *testing.T) {
	spl := func(x float64) *float64 { return &x }
	exams := []exam.AgentResult{
		{Model: "m", Rule: "own", SPL: spl(0.9), SPLError: spl(0.01), SegmentsPerEpisode: 30, MeanSegments: 2, Surprises: []exam.Surprise{{Since: -1}, {Since: 0, MeanSegments: 3}, {Since: 1, MeanSegments: 1}}},
		{Model: "m", Rule: "never", MaxSegments: 8, SPL: spl(0.8), SPLError: spl(0.01), SegmentsPerEpisode: 100},
		{Model: "m", Rule: "never", MaxSegments: 1, SPL: spl(0.6), SPLError: spl(0.01), SegmentsPerEpisode: 20},
		{Model: "m", Rule: "never", MaxSegments: 1, First: 8, SPL: spl(0.7), SPLError: spl(0.01), SegmentsPerEpisode: 25},
		{Model: "m"},
	}
	groups := []*Group{{Runs: []*Run{{Exams: exams}}}}
	for _, tt := range []struct {
		draw func([]*Group) (Figure, bool, error)
		want []string
	}{
		{rules, []string{"as m is set", "always as many segments", "always as many segments, more at the first step"}},
		{changes, []string{"m, 2.0 segments a decision in the mean"}},
	} {
		f, ok, err := tt.draw(groups)
		if err != nil || !ok {
			t.Fatalf("%s: %v, error %v", f.Name, ok, err)
		}
		var names []string
		for _, e := range f.legend {
			names = append(names, e.name)
		}
		slices.Sort(names)
		slices.Sort(tt.want)
		if d := cmp.Diff(tt.want, names); d != "" {
			t.Errorf("%s, -want +got:\n%s", f.Name, d)
		}
		if _, err := f.SVG(); err != nil {
			t.Error(err)
		}
		if _, ok, err := tt.draw([]*Group{{Runs: []*Run{{Exams: exams[4:]}}}}); ok || err != nil {
			t.Errorf("%s of nothing: %v, error %v", f.Name, ok, err)
		}
	}
}
