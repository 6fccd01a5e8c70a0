//go:build cgo && !notorch

package rl

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/torch"
)

// A lock is a world of one step: a number 1 to 4 is seen, action 1 opens.
type lock struct{ rng *rng.Rand }

func (w *lock) Spec() env.Spec {
	return env.Spec{ID: "lock", ObsLen: 1, Layout: []env.Field{{Name: "number", Shape: []int{1}}}, Vocab: 5, Actions: []string{"wait", "open"}, MaxSteps: 1}
}
func (w *lock) Seed(seed uint64) { w.rng.Reseed(seed, "lock") }
func (w *lock) Reset(obs []byte) { obs[0] = 1 + byte(w.rng.IntN(4)) }
func (w *lock) Step(action int, _ []byte) env.Outcome {
	return env.Outcome{Reward: float64(action), Terminated: true}
}

// A counter is a network that opens a lock once it has thought as many segments as the number says.
type counter struct{ params *torch.Params }

func newCounter(t *testing.T) *counter {
	c := &counter{torch.NewParams(torch.CPU)}
	t.Cleanup(c.Close)
	return c
}
func (c *counter) Params() *torch.Params { return c.params }
func (c *counter) Close()                { c.params.Close() }
func (c *counter) Encode(s *torch.Scope, obs []byte, rows int) (Seen, error) {
	x := make([]float32, rows)
	for i, b := range obs {
		x[i] = float32(b)
	}
	return Seen{s.Floats(x, int64(rows), 1)}, nil
}

func (c *counter) Start(s *torch.Scope, rows int) State {
	return State{s.Floats(make([]float32, rows), int64(rows), 1)}
}

func (c *counter) Segment(s *torch.Scope, _ Seen, z State) State {
	return State{s.Add(z[0], s.Floats([]float32{1}, 1))}
}

func (c *counter) Heads(s *torch.Scope, x Seen, z State) Heads {
	rows := torch.Shape(z[0])[0]
	ahead := s.Sub(s.Add(z[0], s.Floats([]float32{0.5}, 1)), x[0]) // above 0: enough
	return Heads{Logits: s.Cat(1, s.Scale(ahead, -9), s.Scale(ahead, 9)), Value: s.Floats(make([]float32, rows), rows), Read: s.Cat(1, z[0], x[0])}
}

// TestGate: the gate learns to think as long as it pays, in each of the ways to learn it: a number n asks for n segments and brings
// 1. With a price of 0.1 each of them is worth it, with a price of 1 none is.
func TestGate(t *testing.T) {
	torch.SetThreads(1)
	pays, never := [5]int32{0, 1, 2, 3, 4}, [5]int32{0, 1, 1, 1, 1}
	for _, tt := range []struct {
		cfg      GateConfig
		segments [5]int32 // by the number
		updates  int
	}{
		{GateConfig{Price: 0.1}, pays, 50},
		{GateConfig{Price: 1}, never, 50},
		{GateConfig{Price: 0.1, Learn: LearnTD}, pays, 200},
		{GateConfig{Price: 1, Learn: LearnTD}, never, 200},
		{GateConfig{Price: 0.1, Learn: LearnBranches, Branched: 1}, pays, 200},
		{GateConfig{Price: 1, Learn: LearnBranches, Branched: 1}, never, 200},
		{GateConfig{Price: 0.1, Learn: LearnBranches, Branched: 1, Difference: true}, pays, 200},
	} {
		t.Run(fmt.Sprintf("%s, difference %v, price %v", cmp.Or(tt.cfg.Learn, LearnPPO), tt.cfg.Difference, tt.cfg.Price), func(t *testing.T) {
			tt.cfg.LR = 5e-3
			if tt.cfg.Learn != "" {
				tt.cfg.Horizon, tt.cfg.Batch, tt.cfg.Explore = 4, 256, 0.3
			}
			w := lockGating(t, 64, tt.cfg)
			for k := range tt.updates {
				l, err := w.Update(context.Background(), float64(k)/float64(tt.updates))
				if err != nil {
					t.Fatal(err)
				}
				if math.IsNaN(l.Loss + l.Value + l.Entropy + l.Norm) {
					t.Fatalf("update %d: %+v", k, l)
				}
			}
			spec := w.actor.vec.Spec()
			c, err := NewCore(w.net, w.gate, spec)
			if err != nil {
				t.Fatal(err)
			}
			m := &think.Model{Core: c, Usage: think.Usage{Task: task.PolicyTask, Halting: act.Config{MaxSegments: 5, Rule: act.HaltOverContinue}}}
			p, err := think.NewPolicy(m, spec, think.Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			actions := make([]int32, 4)
			if err := p.Act(context.Background(), actions, []byte{1, 2, 3, 4}, []bool{true, true, true, true}, make([][]trace.Segment, 4)); err != nil {
				t.Fatal(err)
			}
			if got := [5]int32(append([]int32{0}, agent.Counter(p).Segments()...)); got != tt.segments {
				t.Errorf("segments by number %v, want %v", got[1:], tt.segments[1:])
			}
		})
	}
}

func locks(rows int) (*env.Vec, error) {
	var envs []env.Env
	for range rows {
		envs = append(envs, &lock{rng.Stream(0, "lock")})
	}
	return env.NewVec(envs, env.VecConfig{})
}

// lockGating is a gate of counters that learns in so many locks, of at most 5 segments.
func lockGating(t *testing.T, rows int, cfg GateConfig) *gating {
	v, err := locks(rows)
	if err != nil {
		t.Fatal(err)
	}
	n := newCounter(t)
	g, err := NewGate(n, v.Spec(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	a, err := NewActor(n, v, ActorConfig{Segments: 5, Greedy: true}, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	w, err := newGating(n, g, a, cfg, 1, locks)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// TestBranchLessons: what branches teach of a world of one step, where it is known: acting after m of 5 segments is worth 1 if the
// number asks for no more, and thinking on what the next one is worth that was tried and
// with which the gate is content, or that comes after it, less the price.
func TestBranchLessons(t *testing.T) {
	torch.SetThreads(1)
	w := lockGating(t, 8, GateConfig{Price: 0.1, Learn: LearnBranches, Branched: 1})
	if err := w.branch(context.Background()); err != nil {
		t.Fatal(err)
	}
	tries := []int{1, 2, 4, 5}
	got := &w.branches.lessons
	if len(got.halt) != 8*5 || w.spent != 8*5 {
		t.Fatalf("%d lessons, %d segments, want 40 of both", len(got.halt), w.spent)
	}
	opens := func(m, number int) float32 {
		if m >= number {
			return 1
		}
		return 0
	}
	same := func(a, b float32) bool { return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b)) }
	var q []float32
	if err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		q = s.ReadFloats(nil, w.gate.q.apply(s, s.Floats(got.features, 8*5, int64(w.gate.width))))
	}); err != nil {
		t.Fatal(err)
	}
	content := map[bool]int{}
	for i := range got.halt { // a row's, the last segment first
		read := got.features[i*w.gate.width:] // the state, which counts, and the number
		m, number := int(read[0]), int(read[1])
		halt, cont := unseen, unseen
		if slices.Contains(tries, m) {
			halt = opens(m, number)
		}
		for k := m + 1; k <= 5; k++ {
			at := 2 * (i - (k - m))
			content[q[at] > q[at+1]]++
			if k == 5 || q[at] > q[at+1] {
				j, _ := slices.BinarySearch(tries, k)
				cont = float32(float64(opens(tries[j], number)) - 0.1*float64(tries[j]-m))
				break
			}
		}
		if !same(got.halt[i], halt) || !same(got.cont[i], cont) {
			t.Errorf("number %d after %d segments: acting %v, want %v; thinking on %v, want %v", number, m, got.halt[i], halt, got.cont[i], cont)
		}
	}
	if len(content) != 2 {
		t.Errorf("the gate always says the same: %v", content)
	}
}

func init() {
	env.Register(env.Entry{
		ID: "lock-v0", Family: "lock", About: "for tests",
		Open: func(string, *env.Options) (env.Env, error) { return &lock{rng: rng.Stream(0, "lock")}, nil },
	})
}

// AppendState and SetState make a lock an env.Snapshotter.
func (w *lock) AppendState(dst []byte) []byte { return w.rng.AppendState(dst) }
func (w *lock) SetState(state []byte) error   { return w.rng.SetState(state) }

// TestRegrets: thinking too long, too short and just right is told apart, with values by hand: a number n
// asks for n of 4 segments, each costs 0.1, and 1, 2 and 4 are tried.
func TestRegrets(t *testing.T) {
	e := &lock{rng: rng.Stream(0, "lock")}
	numbers := [5]int{}
	var episodes []agent.Episode
	for seed := range uint64(20) {
		obs := make([]byte, 1)
		e.Seed(seed)
		e.Reset(obs)
		numbers[obs[0]]++
		episodes = append(episodes, agent.Episode{Seed: seed, Length: 1})
	}
	share := func(n ...int) (sum float64) {
		for _, n := range n {
			sum += float64(numbers[n]) / 20
		}
		return sum
	}
	c, err := NewCore(newCounter(t), nil, e.Spec())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		halting act.Config
		want    exam.Regret
	}{
		// The most: 0.3 too much for 1, 0.2 for 2; 3 is not tried.
		{"always", act.Config{MaxSegments: 4, Rule: act.Never}, exam.Regret{
			Mean: 0.3*share(1) + 0.2*share(2), Right: share(3, 4), TooLong: share(1, 2), Own: 0.6, Most: 0.6,
		}},
		// One: 2 would have brought 0.9 more, 3 and 4 0.7.
		{"once", act.Config{MaxSegments: 4, Rule: act.HaltAbove, Threshold: -1}, exam.Regret{
			Mean: 0.9*share(2) + 0.7*share(3, 4), Right: share(1), TooShort: share(2, 3, 4), Own: share(1) - 0.1, Most: 0.6,
		}},
	} {
		m := &think.Model{Core: c, Usage: think.Usage{Task: task.PolicyTask, Halting: tt.halting, Price: 0.1}}
		got, err := exam.Regrets(context.Background(), m, "lock-v0", nil, episodes, exam.Config{Batch: 12})
		tt.want.Decisions, tt.want.Price, tt.want.Discount = 20, 0.1, 1
		if d := gocmp.Diff(tt.want, got, cmpopts.EquateApprox(0, 1e-9)); err != nil || d != "" { // 1e-9: sums of 20
			t.Errorf("%s: error %v, want -, got +\n%s", tt.name, err, d)
		}
	}
}

// TestBranches: the branch that does as the model did is the real episode again, bit for bit, drawn
// actions and a kept carry included.
func TestBranches(t *testing.T) {
	e, err := env.Make("MiniGrid-DoorKey-5x5-v0")
	if err != nil {
		t.Fatal(err)
	}
	n, err := NewNetwork(NetworkConfig{Hidden: 8}, e.Spec(), torch.CPU, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	c, err := NewCore(n, nil, e.Spec())
	if err != nil {
		t.Fatal(err)
	}
	m := &think.Model{Core: c, Usage: think.Usage{Task: task.PolicyTask, Halting: act.Config{MaxSegments: 1, Rule: act.Never}, Price: 0.01, Discount: 0.9}}
	cfg := exam.Config{Config: think.Config{KeepCarry: true, Sample: true, SampleSeed: 5}, Batch: 8}
	var episodes []agent.Episode
	for seed := range uint64(4) {
		episodes = append(episodes, agent.Episode{Seed: seed, Length: 12})
	}
	got, err := exam.Regrets(context.Background(), m, "MiniGrid-DoorKey-5x5-v0", nil, episodes, cfg)
	if err != nil || got.Decisions != 4 || got.Own != got.Most || got.Mean != 0 || got.Right != 1 || got.Own >= 0 {
		t.Errorf("error %v, %+v: want one worth, below 0", err, got)
	}
}
