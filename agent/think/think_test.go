package think_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/task/mazes"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/think/thinktest"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// TestPure: whoever only thinks needs neither a C compiler nor libtorch.
func TestPure(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command to ask")
	}
	out, err := exec.Command(tool, "list", "-deps", "-f", "{{.ImportPath}}{{if .CgoFiles}}{{if not .Standard}} cgo{{end}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "agent/task") {
		t.Fatalf("go list shows no agent/task among\n%s", out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "gotch") || strings.Contains(line, " cgo") || strings.Contains(line, "ponder/torch") || strings.Contains(line, "ponder/hrm") {
			t.Errorf("agent/think needs %s", strings.TrimSpace(line))
		}
	}
}

func TestToy(t *testing.T) {
	thinktest.Check(t, thinktest.Toy{Vocab: 9, Outputs: 4}, think.Shape{Seq: 6}, 0)
}

// questions feeds sequences that begin with the given tokens: a Toy is content after token+1 segments.
func questions(first ...int32) think.Feed {
	return func(in []int32) (int32, bool, error) {
		if len(first) == 0 {
			return 0, false, nil
		}
		in[0], first = first[0], first[1:]
		return 0, true, nil
	}
}

// TestThinker: every sequence halts when it is content, however many think at once.
func TestThinker(t *testing.T) {
	first := []int32{0, 4, 1, 3, 9, 2, 0, 7}
	want := []int{2, 6, 3, 5, 8, 4, 2, 8} // q_halt = segments - token > 1 at last, or 8
	for _, slots := range []int{1, 3, 20} {
		th := think.Thinker{
			Core: thinktest.Toy{Vocab: 10, Outputs: 3}, Slots: slots, Shape: think.Shape{Seq: 2},
			Halting: act.Config{MaxSegments: 8, Rule: act.HaltAbove, Threshold: 1},
		}
		got, seen := make([]int, len(first)), make([]int, len(first))
		err := th.Run(context.Background(), questions(first...), func(x *think.Thought) error {
			if seen[x.Job]++; seen[x.Job] != x.Segment {
				return fmt.Errorf("sequence %d: thought %d is of segment %d", x.Job, seen[x.Job], x.Segment)
			}
			if x.Halted {
				got[x.Job] = x.Segment
			}
			return nil
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d slots: %v segments, want %v (error %v)", slots, got, want, err)
		}
	}
}

// TestBest: where the rule is never content, the thought of the largest q_halt has the answer; Never
// takes the last.
func TestBest(t *testing.T) {
	for _, tt := range []struct {
		rule act.Rule
		want float32
	}{{act.HaltAbove, 3}, {act.Never, -1}} {
		th := think.Thinker{Core: moody{}, Shape: think.Shape{Seq: 1}, Halting: act.Config{MaxSegments: 4, Rule: tt.rule, Threshold: 100}}
		err := th.Run(context.Background(), questions(0), func(x *think.Thought) error {
			if x.Halted && (x.QHalt != tt.want || x.Logits[0] != tt.want || x.Segment != 4) {
				t.Errorf("%v: ended with q_halt %v, logit %v at segment %d; want %v at 4", tt.rule, x.QHalt, x.Logits[0], x.Segment, tt.want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// moody is a core whose q_halt goes 1, 3, 2, -1 and whose logit is the same.
type moody struct{ think.Core }

func (moody) Spec() think.Spec {
	return think.Spec{Vocab: 1, Outputs: 1, Levels: []think.Level{{Name: "H", Width: 1}}}
}
func (moody) Open(int, think.Shape) (think.Rows, error) { return &moodyRows{}, nil }

type moodyRows struct {
	think.Rows
	at    int
	begun []float32 // what Load brought
}

func (r *moodyRows) Begin(int, think.Input) error { r.at = 0; return nil }
func (r *moodyRows) Save(int) (think.Memory, error) {
	return think.Memory{{float32(r.at), 5}}, nil
}

func (r *moodyRows) Load(_ int, m think.Memory) error {
	r.at, r.begun = 0, append(r.begun, m[0]...)
	return nil
}
func (r *moodyRows) Close() error { return nil }
func (r *moodyRows) Segment(_ []int, out *think.Output) error {
	q := []float32{1, 3, 2, -1}[r.at%4] + float32(len(r.begun))
	r.at++
	out.Logits, out.QHalt, out.QContinue = []float32{q}, []float32{q}, []float32{0}
	return nil
}

// TestRestarts: a sequence that never contents the rule begins again from a random state, another one
// each time, and its best try counts.
func TestRestarts(t *testing.T) {
	th := think.Thinker{Core: moody{}, Shape: think.Shape{Seq: 1}, Halting: act.Config{MaxSegments: 4, Rule: act.HaltAbove, Threshold: 100}, Restarts: 2}
	segments, halted := 0, 0
	var q float32
	err := th.Run(context.Background(), questions(0), func(x *think.Thought) error {
		segments++
		if x.Halted {
			halted++
			q = x.QHalt
		}
		return nil
	})
	if err != nil || segments != 12 || halted != 1 || q != 3+4 {
		t.Errorf("%d segments, halted %d times with q_halt %v (error %v), want 12, 1 and that of the last try's second: 7", segments, halted, q, err)
	}
	rows := &moodyRows{}
	th.Core = shared{rows}
	if err := th.Run(context.Background(), questions(0), func(*think.Thought) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if b := rows.begun; len(b) != 4 || b[0] == b[2] || b[0] == b[1] || slices.Max(b) > 2 || slices.Min(b) < -2 {
		t.Errorf("two restarts began at %v, want four different numbers within two standard deviations", b)
	}
}

// shared is moody with rows to look at.
type shared struct{ rows *moodyRows }

func (s shared) Spec() think.Spec                          { return moody{}.Spec() }
func (s shared) Open(int, think.Shape) (think.Rows, error) { return s.rows, nil }

// TestRunErrors: what cannot be thought about is named, and a run ends with its context.
func TestRunErrors(t *testing.T) {
	core := thinktest.Toy{Vocab: 10, Outputs: 3}
	good := act.Config{MaxSegments: 2, Rule: act.Never}
	none := func(*think.Thought) error { return nil }
	for _, tt := range []struct {
		th   think.Thinker
		feed think.Feed
		want string
	}{
		{think.Thinker{Core: core, Shape: think.Shape{Seq: 1}, Halting: good}, questions(1, 10), "sequence 1: input, cell 0: 10, want a token in [0, 10)"},
		{think.Thinker{Core: core, Shape: think.Shape{Seq: 1}, Halting: good}, questions(-1), "sequence 0: input, cell 0: -1, want a token in [0, 10)"},
		{think.Thinker{Core: core, Halting: good}, questions(1), "toy: 0 tokens"},
		{think.Thinker{Core: core, Shape: think.Shape{Seq: 1}}, questions(1), "act: MaxSegments is 0, want 1 to 4096"},
	} {
		if err := tt.th.Run(context.Background(), tt.feed, none); fmt.Sprint(err) != tt.want {
			t.Errorf("error %q, want %q", fmt.Sprint(err), tt.want)
		}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	left := errors.New("left")
	th := think.Thinker{Core: core, Shape: think.Shape{Seq: 1}, Halting: act.Config{MaxSegments: 100, Rule: act.Never}}
	err := th.Run(ctx, questions(1), func(x *think.Thought) error {
		if x.Segment == 3 {
			cancel(left)
		} else if x.Segment > 3 {
			t.Error("thought went on after the context ended")
		}
		return nil
	})
	if !errors.Is(err, left) {
		t.Errorf("error %v, want %v", err, left)
	}
}

// TestScorer has values by hand.
func TestScorer(t *testing.T) {
	in := []int32{1, 2, 3}
	first := func(_, label, pred []int32) bool { return label[0] == pred[0] }
	for _, tt := range []struct {
		sc          think.Scorer
		label, pred []int32
		want        think.Score
	}{
		{think.Scorer{}, []int32{1, puzzle.Ignore, 2}, []int32{1, 7, 2}, think.Score{Cells: 2, Right: 2, Exact: true, Judged: true}},
		{think.Scorer{}, []int32{1, puzzle.Ignore, 2}, []int32{0, 7, 2}, think.Score{Cells: 2, Right: 1}},
		{think.Scorer{Judge: first}, []int32{1, puzzle.Ignore, 2}, []int32{1, 7, 0}, think.Score{Cells: 2, Right: 1, Judged: true}},
		{think.Scorer{Sets: true}, []int32{0b101, 0b010, puzzle.Ignore}, []int32{2, 1, 0}, think.Score{Cells: 2, Right: 2, Exact: true, Judged: true}},
		{think.Scorer{Sets: true}, []int32{0b101, 0b010, puzzle.Ignore}, []int32{1, 31, 0}, think.Score{Cells: 2}},
		{think.Scorer{}, []int32{puzzle.Ignore, puzzle.Ignore, puzzle.Ignore}, []int32{0, 0, 0}, think.Score{Exact: true, Judged: true}},
	} {
		if got := tt.sc.Row(in, tt.label, tt.pred); got != tt.want {
			t.Errorf("%v of %v: %+v, want %+v", tt.pred, tt.label, got, tt.want)
		}
	}
}

// exam is sequences of one token whose label is given.
type exam struct{ first, label []int32 }

func (x *exam) Next(in, label []int32) (int32, bool, error) {
	if len(x.first) == 0 {
		return 0, false, nil
	}
	in[0], label[0] = x.first[0], x.label[0]
	x.first, x.label = x.first[1:], x.label[1:]
	return 0, true, nil
}

// TestEvaluate: a Toy's H is token·k + k(k+1)/2 after k segments, its answer that modulo 5. With
// threshold 0 it halts after token+1.
func TestEvaluate(t *testing.T) {
	th := think.Thinker{
		Core: thinktest.Toy{Vocab: 10, Outputs: 5}, Slots: 2, Shape: think.Shape{Seq: 1},
		Halting: act.Config{MaxSegments: 3, Rule: act.HaltAbove},
	}
	// Token 0 answers 1 at segment 1; token 1 answers 1·2+3 = 0 at segment 2; token 9 never halts: of
	// 10, 21, 33 the first has the largest q_halt, no: -8, -7, -6, the last, 3.
	x := &exam{[]int32{0, 1, 9, 0}, []int32{1, 0, 3, 4}}
	never := think.Scorer{Judge: func(_, _, _ []int32) bool { return false }}
	got, err := th.Evaluate(context.Background(), never, x, nil)
	if err != nil {
		t.Fatal(err)
	}
	got.PuzzlesPerSecond = 0
	want := think.Evaluation{
		Count: 4, ExactAccuracy: 0.75, JudgedAccuracy: 0, QHaltAccuracy: 0.25, CellAccuracy: 0.75, MeanSegments: (1 + 2 + 3 + 1) / 4.0, TotalSegments: (1 + 2 + 3 + 1) / 4.0,
		BySegment: []float64{0.25, 0.5, 0.75}, Taken: []float32{1, 2, 1, 3},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// maze makes a model of a Toy for mazes.
func maze(halting act.Config) *think.Model {
	return &think.Model{
		Name: "toy", Engine: "go", Precision: think.Precision{Name: "float32"}, Core: thinktest.Toy{Vocab: mazes.Vocab, Outputs: 4},
		Usage: think.Usage{Task: mazes.DirectionsTask, Halting: halting, Loss: think.AnyOf},
	}
}

// TestMindAndPolicy: a mind shows, segment by segment, what the policy of the same configuration does, the carry kept
// or not, with one thought or several; and of several it does what the Thinker would.
func TestMindAndPolicy(t *testing.T) {
	for _, cfg := range []think.Config{{}, {KeepCarry: true}, {Many: think.Many{Thoughts: 3, Noise: 2}}, {Many: think.Many{Thoughts: 4, Noise: 2, Pick: think.PickResidual}}} {
		m := maze(act.Config{MaxSegments: 3, Rule: act.Never})
		of := fmt.Sprintf("carry kept %v, %d thoughts", cfg.KeepCarry, cfg.Thoughts)
		v, err := env.MakeVec("maze/7x7-v0", 1, env.VecConfig{})
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		p, err := think.NewPolicy(m, v.Spec(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		e, err := env.Make("maze/7x7-v0")
		if err != nil {
			t.Fatal(err)
		}
		mind, err := think.NewMind(m, e.Spec(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer mind.Close()
		obs := make([]byte, e.Spec().ObsLen)
		e.Seed(3)
		e.Reset(obs)
		fresh := true
		reader, err := task.NewReader(m.Usage.Task, e.Spec())
		if err != nil {
			t.Fatal(err)
		}
		var h trace.Header
		mind.Describe(&h)
		if want := (trace.Header{Agent: "hrm", Engine: "go", Precision: "float32", Model: "toy", MaxSegments: 3, Rule: "never", Levels: []string{"H", "L"}, Answer: trace.AnswerDirection}); !cmp.Equal(h, want) {
			t.Errorf("header %+v, want %+v", h, want)
		}
		sink := func(s *trace.Step) error {
			if s.Action < 0 {
				return nil
			}
			if err := mind.Begin(context.Background(), obs, fresh); err != nil {
				return err
			}
			fresh = false
			var thought []trace.Segment
			for len(thought) == 0 || !thought[len(thought)-1].Halted {
				var g trace.Segment
				if err := mind.Think(context.Background(), &g); err != nil {
					return err
				}
				thought = append(thought, g)
			}
			if d := cmp.Diff(s.Thought, thought); d != "" {
				t.Errorf("%s, step %d: policy and mind think otherwise:\n%.800s", of, s.Index, d)
			}
			a, err := mind.Action(context.Background())
			if err != nil || a != s.Action {
				t.Errorf("%s, step %d: the mind does %d (error %v), the policy %d", of, s.Index, a, err, s.Action)
			}
			if !cfg.KeepCarry {
				tokens, rows, cols := reader.Tokens(nil, obs)
				th := think.Thinker{Core: m.Core, Halting: m.Usage.Halting, Many: cfg.Many, Shape: think.Shape{Seq: len(tokens), Rows: rows, Cols: cols}}
				asked := 0
				err := th.Run(context.Background(), func(in []int32) (int32, bool, error) {
					copy(in, tokens)
					asked++
					return 0, asked == 1, nil
				}, func(x *think.Thought) error {
					if got := reader.Action(x.Logits); x.Halted && (got != a || x.Total != 3*max(1, cfg.Thoughts)) {
						t.Errorf("%s, step %d: the Thinker would do %d after %d segments, the mind does %d", of, s.Index, got, x.Total, a)
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			e.Step(a, obs)
			return nil
		}
		stats, err := agent.Run(context.Background(), v, p, agent.Config{Seed: 3, Episodes: 1, MaxLength: 4, Sink: put(sink)})
		if err != nil || stats.Steps != 4 {
			t.Errorf("%d steps, error %v", stats.Steps, err)
		}
		if got := p.Segments()[0]; int(got) != 3*max(1, cfg.Thoughts) {
			t.Errorf("%s: %d segments a decision, want 3 a thought", of, got)
		}
	}
}

type put func(*trace.Step) error

func (f put) Put(s *trace.Step) error { return f(s) }

// TestUntrainedHead: a policy that always thinks the most segments has no q_halt to show; other models do.
func TestUntrainedHead(t *testing.T) {
	e, err := env.Make("maze/7x7-v0")
	if err != nil {
		t.Fatal(err)
	}
	obs := make([]byte, e.Spec().ObsLen)
	e.Reset(obs)
	for _, tt := range []struct {
		task  string
		rule  act.Rule
		shown bool
	}{{task.PolicyTask, act.Never, false}, {task.PolicyTask, act.HaltAbove, true}, {mazes.DirectionsTask, act.Never, true}} {
		m := &think.Model{Core: thinktest.Toy{Vocab: 256, Outputs: 4}, Usage: think.Usage{Task: tt.task, Halting: act.Config{MaxSegments: 3, Rule: tt.rule}}}
		mind, err := think.NewMind(m, e.Spec(), think.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer mind.Close()
		if err := mind.Begin(t.Context(), obs, true); err != nil {
			t.Fatal(err)
		}
		shown := false
		for range 3 {
			var g trace.Segment
			if err := mind.Think(t.Context(), &g); err != nil {
				t.Fatal(err)
			}
			shown = shown || g.QHalt != 0
		}
		if shown != tt.shown {
			t.Errorf("%s with rule %v: q_halt shown is %v, want %v", tt.task, tt.rule, shown, tt.shown)
		}
	}
}

// TestMindGoesOn: a person may ask for more segments than the rule does, and begin again.
func TestMindGoesOn(t *testing.T) {
	m := maze(act.Config{MaxSegments: 2, Rule: act.Never})
	e, err := env.Make("maze/7x7-v0")
	if err != nil {
		t.Fatal(err)
	}
	mind, err := think.NewMind(m, e.Spec(), think.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer mind.Close()
	if err := mind.Think(context.Background(), new(trace.Segment)); err == nil {
		t.Error("thought before it began")
	}
	obs := make([]byte, e.Spec().ObsLen)
	e.Reset(obs)
	var first trace.Segment
	for range 2 {
		if err := mind.Begin(context.Background(), obs, false); err != nil {
			t.Fatal(err)
		}
		if _, err := mind.Action(context.Background()); err == nil {
			t.Error("an action before a thought")
		}
		for k := range 5 {
			var g trace.Segment
			if err := mind.Think(context.Background(), &g); err != nil {
				t.Fatal(err)
			}
			if g.Halted != (k >= 1) {
				t.Errorf("segment %d: halted %v", k+1, g.Halted)
			}
			if k == 0 {
				if first.Levels != nil && !cmp.Equal(first, g) {
					t.Error("another first segment after Begin")
				}
				first = g
			}
		}
	}
	if a, err := mind.Attend(context.Background(), 0, 8); a != nil || err != nil {
		t.Errorf("attention %v, error %v of a network without", a, err)
	}
	if _, err := mind.Attend(context.Background(), 9, 8); err == nil {
		t.Error("attention of a segment that was not thought")
	}
}

// TestConfigErrors: what cannot be is said when it is asked for.
func TestConfigErrors(t *testing.T) {
	e, err := env.Make("maze/7x7-v0")
	if err != nil {
		t.Fatal(err)
	}
	good := act.Config{MaxSegments: 2, Rule: act.Never}
	for _, tt := range []struct {
		m    *think.Model
		spec env.Spec
		cfg  think.Config
		want string
	}{
		{maze(good), e.Spec(), think.Config{Restarts: 1, KeepCarry: true}, "think: restarts and a kept carry exclude each other"},
		{maze(good), e.Spec(), think.Config{Restarts: -1}, "think: -1 restarts, want 0 or more"},
		{maze(act.Config{}), e.Spec(), think.Config{}, "act: MaxSegments is 0, want 1 to 4096"},
		{maze(good), env.Spec{ID: "other", Actions: []string{"a"}}, think.Config{}, "a model for maze-directions cannot act in other"},
	} {
		_, err := think.NewPolicy(tt.m, tt.spec, tt.cfg)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("policy: error %v, want %q", err, tt.want)
		}
		_, err = think.NewMind(tt.m, tt.spec, tt.cfg)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("mind: error %v, want %q", err, tt.want)
		}
	}
}

func TestReadUsage(t *testing.T) {
	u, err := think.ReadUsage([]byte(`{"task": "maze-route", "loss": "any-of", "judge": "path", "no_continue": true, "evaluation": {"max_segments": 4, "rule": "halt-above", "threshold": 2}, "lr": 1, "identifiers": ["a"], "stages": [{"data": "x", "until": 0.2}, {"data": "y", "until": 0.6}, {"data": "z", "until": 0.8}, {"data": "x", "until": 1}]}`))
	want := think.Usage{Task: "maze-route", Loss: "any-of", Judge: "path", NoContinue: true, Halting: act.Config{MaxSegments: 4, Rule: act.HaltAbove, Threshold: 2}, Identifiers: []string{"a"}, Data: []string{"x", "y", "z"}}
	if err != nil || !cmp.Equal(u, want) {
		t.Errorf("%+v, error %v, want %+v", u, err, want)
	}
	if sc, err := u.Scorer(5); err != nil || !sc.Sets || sc.Judge == nil {
		t.Errorf("scorer %+v, error %v", sc, err)
	}
	for _, bad := range []string{`{`, `{"evaluation": {"max_segments": 0}}`, `{"judge": "x", "evaluation": {"max_segments": 1}}`} {
		if _, err := think.ReadUsage([]byte(bad)); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}
