//go:build cgo && !notorch

package rl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/think/thinktest"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/gym"
	_ "github.com/ponder-agents/ponder/env/maze"
	_ "github.com/ponder-agents/ponder/env/minigrid"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A recall is a world of two steps: a digit is seen, then a 4, and the action must be the digit. Who has
// no memory gets a quarter. With Memory unset the digit stays in view.
type recall struct {
	memory bool
	rng    *rng.Rand
	digit  byte
	at     int
}

func newRecall(memory bool) *recall { return &recall{memory: memory, rng: rng.Stream(0, "recall")} }

func (w *recall) Spec() env.Spec {
	return env.Spec{ID: "recall", ObsLen: 1, Layout: []env.Field{{Name: "digit", Shape: []int{1}}}, Vocab: 5, Actions: []string{"0", "1", "2", "3"}, MaxSteps: 2}
}
func (w *recall) Seed(seed uint64) { w.rng.Reseed(seed, "recall") }
func (w *recall) Reset(obs []byte) {
	w.digit, w.at = byte(w.rng.IntN(4)), 0
	obs[0] = w.digit
}

func (w *recall) Step(action int, obs []byte) env.Outcome {
	w.at++
	obs[0] = 4
	if !w.memory {
		obs[0] = w.digit
	}
	if w.at < 2 {
		return env.Outcome{}
	}
	if action == int(w.digit) {
		return env.Outcome{Reward: 1, Terminated: true}
	}
	return env.Outcome{Terminated: true}
}

// TestPPO: every kind of network learns a world that needs no memory, and those that have one learn a
// world that does. Success of chance is 1/4.
func TestPPO(t *testing.T) {
	torch.SetThreads(1)
	for _, tt := range []struct {
		kind   string
		memory bool
		cfg    PPOConfig
	}{
		{"conv", false, PPOConfig{}},
		{"hrm", false, PPOConfig{}},
		{"hrm", true, PPOConfig{SweepConfig: SweepConfig{Sequences: true}}},
		{"cell", true, PPOConfig{SweepConfig: SweepConfig{Sequences: true}}},
		{"gru", true, PPOConfig{SweepConfig: SweepConfig{Sequences: true}, ValueClip: 0.2}},
		{"lstm", true, PPOConfig{SweepConfig: SweepConfig{Sequences: true}, KLStop: 0.5}},
		{"transformer", true, PPOConfig{SweepConfig: SweepConfig{Sequences: true}}},
	} {
		t.Run(fmt.Sprintf("%s, memory %v", tt.kind, tt.memory), func(t *testing.T) {
			t.Parallel()
			tt.cfg.Horizon, tt.cfg.Epochs, tt.cfg.LR = 8, 4, 5e-3
			testLearns(t, tt.kind, func() env.Env { return newRecall(tt.memory) }, func(n Network, a *Actor) (updater, error) { return NewPPO(n, a, tt.cfg, 1) })
		})
	}
}

// TestDQN is TestPPO of DQN, on single decisions and on sequences.
func TestDQN(t *testing.T) {
	torch.SetThreads(1)
	for _, tt := range []struct {
		kind   string
		memory bool
		cfg    DQNConfig
	}{
		{"conv", false, DQNConfig{}},
		{"hrm", false, DQNConfig{Steps: 1}},
		{"gru", true, DQNConfig{SweepConfig: SweepConfig{Sequences: true}, Length: 4, BurnIn: 1}},
	} {
		t.Run(fmt.Sprintf("%s, memory %v", tt.kind, tt.memory), func(t *testing.T) {
			t.Parallel()
			tt.cfg.Horizon, tt.cfg.Epochs, tt.cfg.Batch, tt.cfg.LR, tt.cfg.Replay, tt.cfg.Warmup, tt.cfg.Target = 8, 2, 64, 5e-3, 4096, 500, 0.05
			testLearns(t, tt.kind, func() env.Env { return newRecall(tt.memory) }, func(n Network, a *Actor) (updater, error) { return NewDQN(n, a, tt.cfg, 1) })
		})
	}
}

// testLearns wants a success of 0.9 within 60 updates.
func testLearns(t *testing.T, kind string, world func() env.Env, learner func(Network, *Actor) (updater, error)) {
	var envs []env.Env
	for range 32 {
		envs = append(envs, world())
	}
	v, err := env.NewVec(envs, env.VecConfig{})
	if err != nil {
		t.Fatal(err)
	}
	n, err := NewNetwork(NetworkConfig{Kind: kind, Hidden: 16, Window: 4}, v.Spec(), torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	a, err := NewActor(n, v, ActorConfig{Segments: 2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	p, err := learner(n, a)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	success, updates := 0.0, 60
	for k := range updates {
		if _, err := p.Update(context.Background(), float64(k)/float64(updates)); err != nil {
			t.Fatal(err)
		}
		ended := a.Ended()
		success = 0
		for _, e := range ended {
			if e.Success {
				success += 1 / float64(len(ended))
			}
		}
		if success > 0.9 {
			break
		}
	}
	if success < 0.9 {
		t.Errorf("success %.2f after %d updates, want 0.9", success, updates)
	}
}

// A scale is a world of one step: two weights are seen, and the action must be the side of the heavier.
type scale struct {
	rng     *rng.Rand
	weights [2]float32
}

func (w *scale) Spec() env.Spec {
	return env.Spec{ID: "scale", ObsLen: 8, Layout: []env.Field{{Name: "weights", Shape: []int{2}, Real: true}}, Vocab: 256, Actions: []string{"left", "right"}, MaxSteps: 1}
}
func (w *scale) Seed(seed uint64) { w.rng.Reseed(seed, "scale") }
func (w *scale) Reset(obs []byte) {
	for i := range w.weights {
		w.weights[i] = float32(w.rng.NormFloat64())
		binary.LittleEndian.PutUint32(obs[4*i:], math.Float32bits(w.weights[i]))
	}
}

func (w *scale) Step(action int, _ []byte) env.Outcome {
	return env.Outcome{Terminated: true, Reward: map[bool]float64{true: 1}[w.weights[action] > w.weights[1-action]]}
}

// TestReal: observations of real numbers are learned from, and one that is no number is refused.
func TestReal(t *testing.T) {
	torch.SetThreads(1)
	testLearns(t, "conv", func() env.Env { return &scale{rng: rng.Stream(0, "scale")} }, func(n Network, a *Actor) (updater, error) {
		if _, err := n.Encode(nil, []byte{0, 0, 0, 0, 0, 0, 0xc0, 0x7f}, 1); err == nil || err.Error() != "an observation has NaN, want a number" {
			t.Errorf("NaN: error %v", err)
		}
		return NewPPO(n, a, PPOConfig{SweepConfig: SweepConfig{Horizon: 8, Epochs: 4, LR: 5e-3}}, 1)
	})
}

// TestCartPole: Gymnasium's CartPole-v1 is learned over the bridge: a random agent keeps the pole up for 22 steps in
// the mean.
func TestCartPole(t *testing.T) {
	if testing.Short() {
		t.Skip("learns for seconds")
	}
	python := os.Getenv("PONDER_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import gymnasium").Run(); err != nil {
		t.Skip("no Python that imports gymnasium; PONDER_PYTHON may name one")
	}
	torch.SetThreads(1)
	worlds, err := gym.Open(t.Context(), gym.Config{ID: "CartPole-v1", N: 16, Python: python}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer worlds[0].Close()
	var envs []env.Env
	for _, w := range worlds {
		envs = append(envs, w)
	}
	v, err := env.NewVec(envs, env.VecConfig{})
	if err != nil {
		t.Fatal(err)
	}
	n, err := NewNetwork(NetworkConfig{Kind: "conv"}, v.Spec(), torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	a, err := NewActor(n, v, ActorConfig{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	p, err := NewPPO(n, a, PPOConfig{SweepConfig: SweepConfig{LR: 3e-3, Epochs: 4}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	mean := 0.0
	for range 25 {
		if _, err := p.Update(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if ended := a.Ended(); len(ended) > 0 {
			mean = 0
			for _, e := range ended {
				mean += e.Return / float64(len(ended))
			}
		}
	}
	if mean < 80 || worlds[0].Err() != nil {
		t.Errorf("mean return %.1f after 25 updates (error %v), want 80", mean, worlds[0].Err())
	}
	t.Logf("mean return %.1f", mean)
}

// A table is a network of one segment without a state: Q-values by what is seen, 0, 1 or 2, one of two actions.
type table struct {
	params *torch.Params
	q      *torch.Tensor // [3, 2]
}

func (n *table) Params() *torch.Params { return n.params }
func (n *table) Close()                { n.params.Close() }
func (n *table) Encode(s *torch.Scope, obs []byte, rows int) (Seen, error) {
	ids := make([]int64, rows)
	for i, b := range obs {
		ids[i] = int64(b)
	}
	return Seen{s.Embedding(n.q, s.Ints(ids, int64(rows)))}, nil
}
func (n *table) Start(*torch.Scope, int) State                 { return nil }
func (n *table) Segment(_ *torch.Scope, _ Seen, z State) State { return z }
func (n *table) Heads(s *torch.Scope, x Seen, _ State) Heads {
	mean := s.Own(x[0].MeanDim([]int64{1}, false, torch.Float32, false))
	return Heads{Logits: x[0], Value: mean} // so that Q-values are the table's
}

// A corridor goes on from 0 to 1 to 2, with a reward of 1 a step: 2 ends the episode if ends, else the limit of
// two steps does.
type corridor struct {
	ends bool
	at   byte
}

func (w *corridor) Spec() env.Spec {
	return env.Spec{ID: "corridor", ObsLen: 1, Layout: []env.Field{{Name: "at", Shape: []int{1}}}, Vocab: 3, Actions: []string{"walk", "run"}, MaxSteps: 2}
}
func (w *corridor) Seed(uint64)      {}
func (w *corridor) Reset(obs []byte) { w.at, obs[0] = 0, 0 }
func (w *corridor) Step(_ int, obs []byte) env.Outcome {
	w.at++
	obs[0] = w.at
	return env.Outcome{Reward: 1, Terminated: w.at == 2 && w.ends, Truncated: w.at == 2 && !w.ends}
}

// broken is a table that fails in one way.
type broken struct {
	*table
	how string
}

func (n broken) Encode(s *torch.Scope, obs []byte, rows int) (Seen, error) {
	switch {
	case n.how == "refuses":
		return nil, errors.New("one byte is not an image")
	case n.how == "panics later" && obs[0] == 1:
		obs = obs[:0]
		_ = obs[0]
	}
	return n.table.Encode(s, obs, rows)
}

func (n broken) Heads(s *torch.Scope, x Seen, z State) Heads {
	h := n.table.Heads(s, x, z)
	switch n.how {
	case "panics":
		panic("no heads")
	case "three actions":
		h.Logits = s.Cat(1, h.Logits, s.Narrow(h.Logits, 1, 0, 1))
	case "is not a number":
		h.Value = s.Scale(h.Value, math.NaN())
	}
	return h
}

// TestBroken: a network of a user's that does not fit is refused before a step is made, one that fails
// later ends the run by its name, and a loss that is not a number has its batch with it.
func TestBroken(t *testing.T) {
	for _, tt := range []struct{ how, first, later string }{
		{"refuses", "network rl.broken does not fit corridor: one byte is not an image", ""},
		{"panics", "network rl.broken panics: no heads (rl_test.go:", ""},
		{"three actions", "network rl.broken does not fit corridor: logits of shape [[1 3]], want [[1 2]]", ""},
		{"panics later", "", "network rl.broken panics: runtime error: index out of range [0] with length 0 (rl_test.go:"},
		{"is not a number", "", "the loss is NaN: training has diverged"},
	} {
		v, err := env.NewVec([]env.Env{&corridor{ends: true}}, env.VecConfig{})
		if err != nil {
			t.Fatal(err)
		}
		n := broken{&table{params: torch.NewParams(torch.CPU)}, tt.how}
		defer n.Close()
		if err := torch.Do(torch.NoGrad, func(s *torch.Scope) { n.q = n.params.Add(s, "q", s.Floats(make([]float32, 6), 3, 2)) }); err != nil {
			t.Fatal(err)
		}
		a, err := NewActor(n, v, ActorConfig{}, 1)
		if tt.first != "" {
			if err == nil || !strings.Contains(err.Error(), tt.first) || v.Lengths[0] != 0 {
				t.Errorf("%s: error %v after %d steps, want %s", tt.how, err, v.Lengths[0], tt.first)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		for _, learner := range []func() (updater, error){
			func() (updater, error) { return NewPPO(n, a, PPOConfig{SweepConfig: SweepConfig{Horizon: 4}}, 1) },
			func() (updater, error) {
				return NewDQN(n, a, DQNConfig{SweepConfig: SweepConfig{Horizon: 4}, Replay: 100, Warmup: 1}, 1)
			},
		} {
			p, err := learner()
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			_, err = p.Update(t.Context(), 0)
			if err == nil || !strings.Contains(err.Error(), tt.later) {
				t.Errorf("%s: error %v, want %s", tt.how, err, tt.later)
			}
			if d, ok := errors.AsType[*run.Diverged](err); ok != (tt.how == "is not a number") || ok && (d.Batch["obs"].Len() == 0 || d.Batch["returns"].Len() == 0) {
				t.Errorf("%s: %+v", tt.how, d)
			}
		}
	}
}

// newTable is a table of the worth of two actions in three places.
func newTable(t *testing.T) *table {
	t.Helper()
	n := &table{params: torch.NewParams(torch.CPU)}
	t.Cleanup(n.Close)
	if err := torch.Do(torch.NoGrad, func(s *torch.Scope) { n.q = n.params.Add(s, "q", s.Floats([]float32{1, 2, 30, 40, 50, 60}, 3, 2)) }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestReturns has targets by hand, of one step with discount 0.5. The network prefers action 0 in 1 and in 2, where
// the target network has 30 and 50 for it and more for the other.
func TestReturns(t *testing.T) {
	for _, tt := range []struct {
		ends bool
		want [2]float32 // of the decisions in 0 and in 1
	}{
		{true, [2]float32{1 + 0.5*30, 1}},
		{false, [2]float32{1 + 0.5*30, 1 + 0.5*50}},
	} {
		v, err := env.NewVec([]env.Env{&corridor{ends: tt.ends}}, env.VecConfig{})
		if err != nil {
			t.Fatal(err)
		}
		n := newTable(t)
		a, err := NewActor(n, v, ActorConfig{Gamma: 0.5}, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		p, err := NewDQN(n, a, DQNConfig{SweepConfig: SweepConfig{Horizon: 4}, Steps: 1, Replay: 100, Warmup: 100}, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		torch.Write(n.q, []float32{1, 0, 3, 2, 5, 4}) // the target network stays as it was
		if _, err := p.Update(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		for k := range p.memory.size {
			if at := p.memory.Obs[k]; p.memory.known[k] {
				got, err := p.returns([]int{k})
				if err != nil || got[0] != tt.want[at] {
					t.Errorf("ends %v: in %d %v (error %v), want %v", tt.ends, at, got, err, tt.want[at])
				}
			}
		}
	}
}

// TestMaxSteps has rewards by hand, discount 0.5: the first episode of the first of two rows is cut off after half as many steps
// as others, with the value 35 of where it stands; the second row's ends by itself.
func TestMaxSteps(t *testing.T) {
	v, err := env.NewVec([]env.Env{&corridor{ends: true}, &corridor{ends: true}}, env.VecConfig{})
	if err != nil {
		t.Fatal(err)
	}
	n := newTable(t)
	a, err := NewActor(n, v, ActorConfig{Gamma: 0.5, MaxSteps: 2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	r := NewRollout(3, 2, 1)
	before, first, err := a.Collect(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	before.drop()
	first.drop()
	if want := []float32{1 + 0.5*35, 1, 1, 1, 1, 1}; !slices.Equal(r.Rewards, want) {
		t.Errorf("rewards %v, want %v", r.Rewards, want)
	}
	if want := []bool{true, false, false, true, true, false}; !slices.Equal(r.Done, want) {
		t.Errorf("ends %v, want %v", r.Done, want)
	}
	if want := []byte{0, 0, 0, 1, 1, 0}; !slices.Equal(r.Obs, want) {
		t.Errorf("seen %v, want %v", r.Obs, want)
	}
	if e := a.Ended(); len(e) != 3 || e[0].Success || e[0].Length != 1 || !e[1].Success || e[1].Length != 2 {
		t.Errorf("episodes %+v", e)
	}
}

// TestImitationOfLittle: decisions for which an oracle knows no way are not learned from, and a rollout of them alone is an error.
func TestImitationOfLittle(t *testing.T) {
	cfg := Default(AlgorithmImitate, "maze/5x5-v0")
	cfg.Imitate.Horizon = 8
	l, err := New(cfg, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	says := func(act func(row int) int) {
		l.actor.oracle = agent.ByRow(func(_ context.Context, row int, _ []byte, _ bool) (int, error) { return act(row), nil })
	}
	says(func(row int) int { return []int{2, -1}[row%2] })
	for range 20 {
		if err := l.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if loss := l.sum.Loss; loss/20 > 0.5 { // two of its kind learned at once would be nearer to log 2
		t.Errorf("mean loss %v of an oracle that says one thing or nothing", loss/20)
	}
	says(func(int) int { return -1 })
	if err := l.Step(t.Context()); err == nil || !strings.Contains(err.Error(), "the oracle knew no way in any of 128 steps") {
		t.Errorf("error %v of an oracle that knows nothing", err)
	}
	says(func(int) int { return 99 })
	if err := l.Step(t.Context()); err == nil || !strings.Contains(err.Error(), "action 99 is not in [0, 4)") {
		t.Errorf("error %v of an oracle that says what is no action", err)
	}
}

// TestImitation: an agent comes to do what the oracle of mazes does.
func TestImitation(t *testing.T) {
	cfg := Default(AlgorithmImitate, "maze/5x5-v0")
	cfg.Frames, cfg.Imitate.Horizon = 8*16*40, 8
	l, err := New(cfg, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var first, last Losses
	for {
		done, all := l.Steps()
		if done >= all {
			break
		}
		l.sum, l.steps = Losses{}, 0
		if err := l.Step(context.Background()); err != nil {
			t.Fatal(err)
		}
		if last = l.sum; done == 0 {
			first = last
		}
	}
	if last.Loss > first.Loss/2 {
		t.Errorf("the loss fell from %.3f to %.3f, want to half", first.Loss, last.Loss)
	}
	if e, err := l.Evaluate(context.Background(), 20); err != nil || l.found.Success < 0.5 {
		t.Errorf("%s (error %v), want success of half or more", e.Text, err)
	}
}

// TestResume: a run that stopped, was saved and goes on learns what one in a go learns, bit for bit, and
// its model acts from the checkpoint alone.
func TestResume(t *testing.T) {
	torch.SetThreads(1)
	cfg := Default(AlgorithmPPO, "MiniGrid-DoorKey-5x5-v0")
	cfg.Envs, cfg.Frames, cfg.PPO.Horizon, cfg.PPO.Epochs, cfg.Policy.Hidden = 4, 4*16*6, 16, 2, 16
	cfg.Act.MaxSteps = 20
	dqn := Default(AlgorithmDQN, "MiniGrid-DoorKey-5x5-v0")
	dqn.Envs, dqn.Frames, dqn.Policy.Hidden, dqn.DQN = 4, 4*8*12, 8, DQNConfig{SweepConfig: SweepConfig{Batch: 16}, Replay: 300, Warmup: 40}
	cfg.Act.Bonus.Kind = KindThings
	r2d2 := dqn
	r2d2.Act.Bonus.Kind = KindNovelD
	r2d2.Policy.Kind, r2d2.DQN.Sequences, r2d2.DQN.Length = "gru", true, 8
	halt := Default(AlgorithmHalt, "maze/5x5-v0")
	halt.Envs, halt.Frames, halt.Halt.Epochs, halt.Policy.Hidden = 4, 4*16*6, 2, 8
	td, branches, joint := halt, halt, halt
	joint.Halt.Together, joint.Act.Greedy, joint.PPO.Horizon, joint.PPO.Epochs = true, false, 8, 2
	td.Halt.Learn, branches.Halt.Learn = LearnTD, LearnBranches
	course := cfg // it stops within the second stage
	course.Env, course.Stages = "maze/9x9-v0", []Stage{{Env: "maze/5x5-v0", Frames: 100}, {Env: "maze/7x7-v0", Levels: "0:20", Frames: 128}}
	average := course
	average.PPO.EMA = 0.9
	lessons := dqn
	lessons.Stages = []Stage{{Levels: "0:3", Frames: 64}}
	for _, cfg := range []Config{cfg, dqn, r2d2, halt, td, branches, joint, course, average, lessons} {
		t.Run(fmt.Sprintf("%s%s, together %v, %s, %d stages, average %v", cfg.Algorithm, cfg.Halt.Learn, cfg.Halt.Together, cfg.Policy.Kind, len(cfg.Stages), cfg.PPO.EMA), func(t *testing.T) { testResume(t, cfg) })
	}
}

func testResume(t *testing.T, cfg Config) {
	plan := run.Plan{LogEvery: 64, SaveEvery: 1 << 20, EvalCount: 3}
	whole, parts := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "parts")
	begin := func(dir string, ctx context.Context) error {
		l, err := New(cfg, torch.CPU)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return run.Begin(ctx, dir, stopping{l, ctx, 3}, plan, run.Options{})
	}
	if err := begin(whole, context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if err := begin(parts, context.WithValue(ctx, stopKey{}, stop)); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Fatalf("error %v, want that of a stop", err)
	}
	if err := run.Resume(context.Background(), parts, Resume(torch.CPU), run.Options{}); err != nil {
		t.Fatal(err)
	}
	read := func(dir string) *checkpoint.Checkpoint {
		c, err := checkpoint.Load(filepath.Join(dir, checkpoint.RunModel))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	a, err := read(whole).Model.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	b, err := read(parts).Model.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(a, b, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("other weights:\n%.500s", d)
	}
	m, err := Open("parts", read(parts), torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	rule := act.Never
	if cfg.Algorithm == AlgorithmHalt {
		rule = act.HaltOverContinue
	}
	if !m.Usage.KeepCarry || m.Usage.Halting.MaxSegments != 2 || m.Usage.Halting.Rule != rule {
		t.Errorf("usage %+v", m.Usage)
	}
	res, err := exam.Agent(context.Background(), m, cfg.Env, nil, 3, 1, exam.Config{Config: think.Config{KeepCarry: true}})
	if err != nil || res.Episodes != 3 || (res.SPL != nil) != strings.HasPrefix(cfg.Env, "maze/") {
		t.Errorf("%+v, error %v", res, err)
	}
	if m.Usage.Halting.Rule == act.Never && res.MeanSegments != 2 {
		t.Errorf("%v segments a decision, want 2", res.MeanSegments)
	}
	other := "maze/5x5-v0"
	if strings.HasPrefix(cfg.Env, "maze/") {
		other = "MiniGrid-Empty-5x5-v0"
	}
	if _, err := exam.Agent(context.Background(), m, other, nil, 3, 1, exam.Config{}); err == nil || !strings.Contains(err.Error(), "model parts") {
		t.Errorf("another world: error %v", err)
	}
}

// TestAverage: of a run with an average of the weights that is what is examined and saved, and learning goes on as without it.
func TestAverage(t *testing.T) {
	torch.SetThreads(1)
	cfg := Default(AlgorithmPPO, "maze/5x5-v0")
	cfg.Envs, cfg.Frames, cfg.PPO.Horizon, cfg.PPO.Epochs, cfg.Policy.Hidden = 4, 1000, 16, 1, 8 // an update is a step of Adam
	plain := cfg
	cfg.PPO.EMA = 0.5
	learner := func(cfg Config) *Learner {
		l, err := New(cfg, torch.CPU)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		return l
	}
	numbers := func(l *Learner) []float32 {
		w, _, err := l.learned()
		if err != nil {
			t.Fatal(err)
		}
		x, err := w[slices.Sorted(maps.Keys(w))[0]].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	a, b := learner(cfg), learner(plain)
	want := numbers(b)
	for n := 1; n <= 8; n++ {
		if err := errors.Join(a.Step(t.Context()), b.Step(t.Context())); err != nil {
			t.Fatal(err)
		}
		mu := min(0.5, float64(1+n)/float64(10+n))
		now := numbers(b)
		for i, x := range now {
			want[i] = float32(mu)*want[i] + float32(1-mu)*x
		}
		for i, x := range numbers(a) {
			if math.Abs(float64(x-want[i])) > 1e-6 {
				t.Fatalf("step %d, number %d: %v, want the average %v (of the last weights %v)", n, i, x, want[i], now[i])
			}
		}
		before := numbers(a)
		if _, err := a.Evaluate(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(before, numbers(a)) {
			t.Fatal("an examination changed the weights")
		}
	}
	for _, bad := range []func(*Config){
		func(c *Config) { c.PPO.EMA = 1 },
		func(c *Config) { c.DQN.EMA = 0.5 },
		func(c *Config) { c.Halt.EMA = 0.5 },
	} {
		c := plain
		bad(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), "ema") {
			t.Errorf("%+v: error %v", c, err)
		}
	}
}

// TestCurriculum: stages follow one another after their frames, or sooner where the agent succeeds, in environments and levels
// of their own; the network goes on, and is examined on what the run is for.
func TestCurriculum(t *testing.T) {
	torch.SetThreads(1)
	cfg := Default(AlgorithmPPO, "maze/9x9-v0")
	cfg.Envs, cfg.Frames, cfg.PPO.Horizon, cfg.PPO.Epochs, cfg.Policy.Hidden = 4, 1000, 16, 1, 8
	cfg.Stages = []Stage{{Env: "maze/5x5-v0", Levels: "7:9", Frames: 100}, {Env: "maze/7x7-v0", Frames: 500, Success: 0.5}}
	l, err := New(cfg, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if text := l.Describe().Text; !strings.Contains(text, "in maze/5x5-v0, then maze/7x7-v0, then maze/9x9-v0,") {
		t.Errorf("it is described as %q", text)
	}
	step := func(wantStage int, wantEnv string) {
		t.Helper()
		adam := l.update.optimizer().Steps()
		if err := l.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if id := l.vec.Spec().ID; l.stage != wantStage || id != wantEnv {
			t.Errorf("after %d frames in stage %d, %s, want %d, %s", l.frames, l.stage, id, wantStage, wantEnv)
		}
		if n := l.update.optimizer().Steps(); n <= adam {
			t.Errorf("the optimiser is at step %d after %d", n, adam)
		}
	}
	weights := func() map[string]safetensors.Tensor {
		t.Helper()
		w, _, err := l.learned()
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	step(0, "maze/5x5-v0")
	step(1, "maze/7x7-v0") // 128 frames
	if l.began != 128 || len(l.window) != 0 {
		t.Errorf("the second stage began after %d frames with %d episodes", l.began, len(l.window))
	}
	before := weights()
	for range windowLength { // who succeeds is done
		l.window = append(l.window, Episode{Success: true})
	}
	if err := l.advance(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, weights()); d != "" {
		t.Errorf("other weights in the next stage:\n%.300s", d)
	}
	l.stage, l.window = 1, slices.Repeat([]Episode{{Success: true}}, windowLength-1)
	if l.passed() {
		t.Error("99 episodes are enough")
	}
	if l.window = append(l.window, Episode{}); !l.passed() {
		t.Error("99 of 100 are not enough")
	}
	l.stage, l.window = 2, nil
	step(2, "maze/9x9-v0")
	if a, err := l.Evaluate(t.Context(), 3); err != nil || len(a.Fields) == 0 || l.found.Episodes != 3 {
		t.Errorf("%+v, error %v", a, err)
	}
	snap, err := l.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if c := snap.Config.(saved); c.Spec.ID != "maze/9x9-v0" || len(c.Stages) != 2 || snap.Train.(state).Stage != 2 {
		t.Errorf("saved %+v", c)
	}
}

type stopKey struct{}

// A stopping learner ends its context after some steps, if there is one to end.
type stopping struct {
	*Learner
	ctx   context.Context
	after int
}

func (l stopping) Step(ctx context.Context) error {
	err := l.Learner.Step(ctx)
	if stop, ok := l.ctx.Value(stopKey{}).(context.CancelFunc); ok && l.frames >= int64(l.after*l.update.Frames()) {
		stop()
	}
	return err
}

// TestCore: the networks think as package think asks.
func TestCore(t *testing.T) {
	e, err := env.Make("MiniGrid-DoorKey-5x5-v0")
	if err != nil {
		t.Fatal(err)
	}
	grid, err := env.Make("maze/7x7-v0")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		kind  string
		gated bool
		env.Env
	}{
		{"hrm", false, e},
		{"hrm", true, e},
		{"hrm", false, grid},
		{"hrm", true, grid},
		{"cell", false, e},
		{"conv", true, e},
		{"gru", false, e},
		{"lstm", false, e},
	} {
		n, err := NewNetwork(NetworkConfig{Kind: tt.kind, Hidden: 8}, tt.Spec(), torch.CPU, 3)
		if err != nil {
			t.Fatal(err)
		}
		var g *Gate
		if tt.gated {
			if g, err = NewGate(n, tt.Spec(), 4); err != nil {
				t.Fatal(err)
			}
		}
		c, err := NewCore(n, g, tt.Spec())
		if err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprintf("%s, gate %v, %s", tt.kind, tt.gated, tt.Spec().ID), func(t *testing.T) { thinktest.Check(t, c, c.Spec().Shape, 1e-5) })
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestTogether: an update of both moves the gate and the policy.
func TestTogether(t *testing.T) {
	torch.SetThreads(1)
	cfg := Default(AlgorithmHalt, "maze/5x5-v0")
	cfg.Envs, cfg.Policy.Hidden, cfg.Act.Greedy, cfg.Halt.Together, cfg.PPO.Horizon, cfg.PPO.Epochs = 4, 8, false, true, 8, 1
	l, err := New(cfg, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	before, _, err := l.learned()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Step(context.Background()); err != nil {
		t.Fatal(err)
	}
	after, _, err := l.learned()
	if err != nil {
		t.Fatal(err)
	}
	moved := map[bool]int{} // of the gate or not
	for name, x := range after {
		if !cmp.Equal(x, before[name]) {
			moved[strings.HasPrefix(name, gatePrefix)]++
		}
	}
	if done, _ := l.Steps(); moved[true] == 0 || moved[false] == 0 || done != 4*(16+8) {
		t.Errorf("%d tensors of the gate moved, %d of the policy, %d frames; want both and %d", moved[true], moved[false], done, 4*(16+8))
	}
}

// An uncopied world has no snapshots.
type uncopied struct{ env.Env }

func (w uncopied) Spec() env.Spec {
	s := w.Env.Spec()
	s.ID = "uncopied"
	return s
}

func init() {
	env.Register(env.Entry{
		ID: "uncopied-v0", Family: "uncopied", About: "for tests",
		Open: func(string, *env.Options) (env.Env, error) { return uncopied{&lock{rng: rng.Stream(0, "lock")}}, nil },
	})
}

// TestErrors: what cannot be is said before anything is drawn.
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Algorithm = "sarsa" }, `algorithm "sarsa"`},
		{func(c *Config) { c.Env = "MiniGrid-DorKey-5x5-v0" }, "MiniGrid-DorKey-5x5-v0"},
		{func(c *Config) { c.Policy.Kind = "mlp" }, `policy.kind is "mlp", want one of hrm`},
		{func(c *Config) { c.Policy.Hidden = -3 }, "hidden is -3, want 1 to 4096"},
		{func(c *Config) { c.Frames = 0 }, "frames is 0"},
		{func(c *Config) { c.Envs = 1 << 20 }, "envs is 1048576, want 1 to 16384"},
		{func(c *Config) { c.Act.MaxSteps = -1 }, "act.max_steps is -1, want 0 or more"},
		{func(c *Config) { c.PPO.LR = -1 }, "lr is -1"},
		{func(c *Config) { c.PPO.Lambda = 2 }, "lambda is 2"},
		{func(c *Config) { c.DQN.Warmup = 60_000 }, "warmup is 60000, want 1 to the 50000 of replay"},
		{func(c *Config) { c.DQN.Length = 3 }, "burn_in is 4, want less than the length, 3"},
		{func(c *Config) { c.Algorithm, c.DQN.Replay, c.DQN.Warmup = AlgorithmDQN, 700, 100 }, "replay is 700, want 832 or more for 16 environments"},
		{func(c *Config) { c.Act.Segments = 5000 }, "act.segments is 5000"},
		{func(c *Config) { c.Stages = []Stage{{Frames: 100_000}} }, "stages[0].frames is 100000, want 1 or more and in all fewer than the run's, 100000"},
		{func(c *Config) { c.Stages = []Stage{{Frames: 9, Success: 2}} }, "stages[0].success is 2, want 0 to 1"},
		{func(c *Config) { c.Stages = []Stage{{Frames: 9}, {Env: "maze/7x7-v0", Frames: 9}} }, "stage 2, maze/7x7-v0: actions"},
		{func(c *Config) { c.Levels, c.Stages = "0:9", []Stage{{Frames: 9, Levels: "5:10"}} }, "stages[0].levels is 5:10, want none of those of examinations, 9:"},
		{func(c *Config) {
			c.Env, c.Policy.Kind, c.Stages = "maze/9x9-v0", "conv", []Stage{{Env: "maze/7x7-v0", Frames: 9}}
		}, "stage 2, maze/9x9-v0: observations of 81 bytes, stage 1 has 49, and this network reads one size"},
		{func(c *Config) { c.Algorithm, c.Imitate.Oracle = AlgorithmImitate, "nobody" }, `no oracle "nobody"`},
		{func(c *Config) { c.Algorithm, c.Halt.Learn = AlgorithmHalt, "sarsa" }, `halt.learn is "sarsa", want one of ppo, td, branches`},
		{func(c *Config) { c.Algorithm, c.Halt.Learn, c.Halt.Difference = AlgorithmHalt, LearnTD, true }, "halt.difference is true, want false unless learned by branches"},
		{func(c *Config) { c.Algorithm, c.Halt.Together, c.Act.Greedy = AlgorithmHalt, true, true }, "act.greedy is true, want false where the policy learns on"},
		{func(c *Config) { c.Algorithm, c.Halt.Learn, c.Env = AlgorithmHalt, LearnBranches, "uncopied-v0" }, "uncopied cannot be copied, which branches need"},
	} {
		cfg := Default(AlgorithmPPO, "MiniGrid-DoorKey-5x5-v0")
		tt.change(&cfg)
		l, err := New(cfg, torch.CPU)
		if err == nil {
			l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
	if _, err := (&encoder{obsLen: 2, vocab: 3}).encode(nil, []byte{0, 3}, 1); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("an observation out of range: error %v", err)
	}
}

// TestNormalised: advantages that hardly differ are noise, and a floor keeps them small.
func TestNormalised(t *testing.T) {
	for _, tt := range []struct {
		x     []float32
		floor float64
		want  []float32
	}{
		{[]float32{1, 3}, 0, []float32{-1, 1}},
		{[]float32{1, 3}, 0.5, []float32{-1, 1}},
		{[]float32{0, 0.25}, 0.5, []float32{-0.25, 0.25}},
		{[]float32{2, 2}, 0.5, []float32{0, 0}},
	} {
		if got := normalised(tt.x, tt.floor); !slices.Equal(got, tt.want) {
			t.Errorf("%v with floor %v: %v, want %v", tt.x, tt.floor, got, tt.want)
		}
	}
}
