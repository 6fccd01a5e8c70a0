//go:build cgo && !notorch

package rl

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/think/thinktest"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/maze"
	_ "github.com/ponder-agents/ponder/env/minigrid"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/torch"
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
			var envs []env.Env
			for range 32 {
				envs = append(envs, newRecall(tt.memory))
			}
			v, err := env.NewVec(envs, env.VecConfig{})
			if err != nil {
				t.Fatal(err)
			}
			n, err := NewNetwork(NetworkConfig{Kind: tt.kind, Hidden: 16, Window: 4}, v.Spec(), torch.CPU, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			a, err := NewActor(n, v, ActorConfig{Segments: 2}, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			tt.cfg.Horizon, tt.cfg.Epochs, tt.cfg.LR = 8, 4, 5e-3
			p, err := NewPPO(n, a, tt.cfg, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			success := 0.0
			for range 60 {
				if _, err := p.Update(context.Background(), 0); err != nil {
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
				t.Errorf("success %.2f after 60 updates, want 0.9", success)
			}
		})
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
	halt := Default(AlgorithmHalt, "maze/5x5-v0")
	halt.Envs, halt.Frames, halt.Halt.Epochs, halt.Policy.Hidden = 4, 4*16*6, 2, 8
	for _, cfg := range []Config{cfg, halt} {
		t.Run(cfg.Algorithm, func(t *testing.T) { testResume(t, cfg) })
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
	if err != nil || res.Episodes != 3 || (res.SPL != nil) != (cfg.Env == "maze/5x5-v0") {
		t.Errorf("%+v, error %v", res, err)
	}
	if m.Usage.Halting.Rule == act.Never && res.MeanSegments != 2 {
		t.Errorf("%v segments a decision, want 2", res.MeanSegments)
	}
	other := "maze/5x5-v0"
	if cfg.Env == other {
		other = "MiniGrid-Empty-5x5-v0"
	}
	if _, err := exam.Agent(context.Background(), m, other, nil, 3, 1, exam.Config{}); err == nil || !strings.Contains(err.Error(), "model parts") {
		t.Errorf("another world: error %v", err)
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

// TestErrors: what cannot be is said before anything is drawn.
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Algorithm = "sarsa" }, `algorithm "sarsa"`},
		{func(c *Config) { c.Env = "MiniGrid-DorKey-5x5-v0" }, "MiniGrid-DorKey-5x5-v0"},
		{func(c *Config) { c.Policy.Kind = "mlp" }, `policy "mlp": want one of hrm`},
		{func(c *Config) { c.Policy.Hidden = -3 }, "hidden is -3, want 1 to 4096"},
		{func(c *Config) { c.Frames = 0 }, "frames is 0"},
		{func(c *Config) { c.Envs = 1 << 20 }, "envs is 1048576, want 1 to 16384"},
		{func(c *Config) { c.PPO.LR = -1 }, "lr is -1"},
		{func(c *Config) { c.PPO.Lambda = 2 }, "lambda is 2"},
		{func(c *Config) { c.Act.Segments = 5000 }, "act.segments is 5000"},
		{func(c *Config) { c.Algorithm, c.Imitate.Oracle = AlgorithmImitate, "nobody" }, `no oracle "nobody"`},
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
