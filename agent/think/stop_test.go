package think_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
)

// A clearing becomes surer with every segment, and after the third stays with action 3: the logit of action min(m, 3) after m
// segments is m², those of the other three are 0. Its entropy is 1.27, 0.26, 0.0037 nats after 1, 2 and 3 segments.
type clearing struct{ segments []int }

func (clearing) Spec() think.Spec {
	return think.Spec{Vocab: 8, Outputs: 4, Answers: 1, Shape: think.Shape{Seq: 49}, Fixed: true}
}

func (clearing) Open(rows int, _ think.Shape) (think.Rows, error) {
	return clearing{make([]int, rows)}, nil
}
func (clearing) Close() error                         { return nil }
func (clearing) Save(int) (think.Memory, error)       { return nil, nil }
func (clearing) Load(int, think.Memory) error         { return nil }
func (clearing) Turn(int, think.Input) error          { return nil }
func (c clearing) Begin(row int, _ think.Input) error { c.segments[row] = 0; return nil }
func (c clearing) Segment(rows []int, out *think.Output) error {
	out.Logits = make([]float32, 4*len(rows))
	out.QHalt, out.QContinue = make([]float32, len(rows)), make([]float32, len(rows))
	for i, row := range rows {
		c.segments[row]++
		m := c.segments[row]
		out.Logits[4*i+min(m, 3)] = float32(m * m)
	}
	return nil
}

// TestStops: simple rules end decisions where they say.
func TestStops(t *testing.T) {
	m := &think.Model{Name: "clearing", Core: clearing{}, Usage: think.Usage{Task: task.PolicyTask, Halting: act.Config{MaxSegments: 6, Rule: act.Never}}}
	segments := func(cfg think.Config, rows, episodes int) (all []int32) {
		t.Helper()
		v, err := env.MakeVec("maze/7x7-v0", rows, env.VecConfig{})
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		p, err := think.NewPolicy(m, v.Spec(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		_, err = agent.Run(t.Context(), v, p, agent.Config{Steps: rows * episodes, MaxLength: 5, Each: func(e agent.Episode) { all = append(all, int32(e.Segments)) }})
		if err != nil {
			t.Fatal(err)
		}
		return append(all, p.Segments()...)
	}
	for _, tt := range []struct {
		name string
		cfg  think.Config
		want int32
	}{
		{"none", think.Config{}, 6},
		{"unchanged", think.Config{Stop: think.StopUnchanged}, 4},
		{"entropy under 1.2", think.Config{Stop: think.StopEntropy, Entropy: 1.2}, 2},
		{"entropy under 0.1", think.Config{Stop: think.StopEntropy, Entropy: 0.1}, 3},
		{"entropy never so small", think.Config{Stop: think.StopEntropy, Entropy: 1e-30}, 6},
		{"the first decision is another matter", think.Config{Stop: think.StopUnchanged, First: 1}, 1},
	} {
		if got := segments(tt.cfg, 2, 1); !slices.Equal(got, []int32{tt.want, tt.want}) {
			t.Errorf("%s: %d segments, want %d", tt.name, got, tt.want)
		}
	}
	drawn := segments(think.Config{Stop: think.StopUniform, SampleSeed: 1}, 600, 1)
	counts := map[int32]int{}
	for _, n := range drawn {
		counts[n]++
	}
	for n := int32(1); n <= 6; n++ { // 100 each in the mean, 9 standard deviation
		if counts[n] < 60 || counts[n] > 140 || len(counts) != 6 {
			t.Errorf("of 600 decisions %v took so many segments", counts)
		}
	}
	if again := segments(think.Config{Stop: think.StopUniform, SampleSeed: 1}, 600, 1); !slices.Equal(drawn, again) {
		t.Error("the same seed draws otherwise")
	}
	if other := segments(think.Config{Stop: think.StopUniform, SampleSeed: 2}, 600, 1); slices.Equal(drawn, other) {
		t.Error("another seed draws the same")
	}
	spec := maze(act.Config{MaxSegments: 2})
	e, err := env.Make("maze/7x7-v0")
	if err != nil {
		t.Fatal(err)
	}
	for want, x := range map[string]struct {
		m   *think.Model
		cfg think.Config
	}{
		`stop "soon": want one of`:                {m, think.Config{Stop: "soon"}},
		"entropy 0, want more than 0":             {m, think.Config{Stop: think.StopEntropy}},
		"only a policy's actions have an entropy": {spec, think.Config{Stop: think.StopEntropy, Entropy: 1}},
	} {
		if _, err := think.NewPolicy(x.m, e.Spec(), x.cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
