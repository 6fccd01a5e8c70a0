package main

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/models"
)

// TestAgent: an agent opens a door by what it sees, two minds of one model do not disturb each other, and the model
// lives as long as one of them.
func TestAgent(t *testing.T) {
	first, err := openMind("doorkey-5x5", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := anotherMind(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := dropMind(first); err != nil {
		t.Fatal(err)
	}
	third, err := anotherMind(second)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for seed, handle := range []int64{second, third} {
		wait.Go(func() {
			m, err := findMind(handle)
			if err != nil {
				t.Error(err)
				return
			}
			e, err := env.Make("MiniGrid-DoorKey-5x5-v0")
			if err != nil {
				t.Error(err)
				return
			}
			obs := make([]byte, e.Spec().ObsLen)
			e.Seed(uint64(seed))
			e.Reset(obs)
			var out env.Outcome
			for fresh := true; !out.Terminated && !out.Truncated; fresh = false {
				a, err := m.act(obs, "use the key to open the door and then get to the goal", fresh)
				if err != nil {
					t.Error(err)
					return
				}
				out = e.Step(a, obs)
			}
			if out.Reward < 0.9 {
				t.Errorf("seed %d: %+v", seed, out)
			}
		})
	}
	wait.Wait()
	m, err := findMind(second)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		obs     []byte
		mission string
		want    string
	}{
		{make([]byte, 5), "", "an observation of 5 bytes, MiniGrid-DoorKey-5x5-v0 has 168"},
		{make([]byte, 168), "sing", `the word "sing" is not in the vocabulary`},
		{make([]byte, 168), strings.Repeat("go ", 21), "a mission of 21 words, want at most 20"},
		{append(make([]byte, 167), 200), "", "200, want a token in [0, 64)"},
	} {
		if _, err := m.act(tt.obs, tt.mission, true); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
	for _, handle := range []int64{second, third} {
		if err := dropMind(handle); err != nil {
			t.Error(err)
		}
		if err := dropMind(handle); err == nil {
			t.Errorf("agent %d is closed twice", handle)
		}
	}
	if _, err := m.act(make([]byte, 168), "", true); err == nil {
		t.Error("a closed agent acts")
	}
	if m.model.users != 0 {
		t.Errorf("the model has %d users", m.model.users)
	}
}

// actions are those of the one episode that is put in.
type actions []int

// Put implements trace.Sink.
func (a *actions) Put(s *trace.Step) error {
	*a = append(*a, s.Action)
	return nil
}

// TestAsCommandLine: what an agent does step by step is what the command line's, asked without any flag, does.
func TestAsCommandLine(t *testing.T) {
	for name, id := range map[string]string{"maze": "maze/9x9-v0", "maze-reward": "maze/11x11-v0", "doorkey-5x5": "MiniGrid-DoorKey-5x5-v0"} {
		m, err := engine.Shipped(name, models.Open)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		cfg, err := think.Wishes{}.Config(m)
		if err != nil {
			t.Fatal(err)
		}
		handle, err := openMind(name, id, nil)
		if err != nil {
			t.Fatal(err)
		}
		mind, err := findMind(handle)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(4) {
			v, err := env.MakeVec(id, 1, env.VecConfig{})
			if err != nil {
				t.Fatal(err)
			}
			p, err := think.NewPolicy(m, v.Spec(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			var want, got actions
			if _, err := agent.Run(t.Context(), v, p, agent.Config{Seed: seed, Episodes: 1, Sink: &want}); err != nil {
				t.Fatal(err)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			e := v.Env(0)
			obs := make([]byte, e.Spec().ObsLen)
			e.Seed(seed)
			e.Reset(obs)
			mission := ""
			if w, ok := env.As[interface{ Mission() string }](e); ok {
				mission = w.Mission()
			}
			for out := (env.Outcome{}); !out.Done(); {
				a, err := mind.act(obs, mission, len(got) == 0)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, a)
				out = e.Step(a, obs)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, seed %d: it does %v, the command line %v", name, seed, got, want)
			}
		}
		if err := dropMind(handle); err != nil {
			t.Error(err)
		}
	}
}

func TestAgentRefused(t *testing.T) {
	for _, tt := range [][3]string{
		{"none", "", "name an environment"},
		{"none", "maze", "neither a folder nor one of the shipped models"},
		{"sudoku", "MiniGrid-Empty-5x5-v0", "cannot act in"},
		{"maze", "mize", "mize"},
	} {
		if n, err := openMind(tt[0], tt[1], nil); err == nil || !strings.Contains(err.Error(), tt[2]) {
			t.Errorf("%s in %s: agent %d, error %v, want %q", tt[0], tt[1], n, err, tt[2])
		}
	}
}
