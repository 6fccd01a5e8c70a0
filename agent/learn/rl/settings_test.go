//go:build cgo && !notorch

package rl

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/torch"
)

// TestZero: what is left zero is the default, and in a Config that is filled a zero is one, in a checkpoint too; where
// it makes no sense it is refused.
func TestZero(t *testing.T) {
	torch.SetThreads(1)
	small := Default(AlgorithmPPO, "maze/5x5-v0")
	small.Envs, small.Policy.Hidden = 2, 4
	none := small.Filled()
	none.Act.Gamma, none.PPO.Lambda, none.PPO.Entropy, none.DQN.BurnIn, none.Halt.Lambda = 0, 0, -1, 0, 0
	for _, tt := range []struct {
		cfg  Config
		want [5]float64
	}{
		{small, [5]float64{0.99, 0.95, 0.01, 4, 0.95}},
		{none, [5]float64{}},
	} {
		l, err := New(tt.cfg, torch.CPU)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		snap, err := l.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(snap.Config)
		if err != nil {
			t.Fatal(err)
		}
		var was saved
		if err := json.Unmarshal(text, &was); err != nil {
			t.Fatal(err)
		}
		for how, c := range map[string]Config{"described": l.Describe().Config.(Config), "saved": was.config().Filled()} {
			if got := [5]float64{c.Act.Gamma, c.PPO.Lambda, c.PPO.Entropy, float64(c.DQN.BurnIn), c.Halt.Lambda}; got != tt.want {
				t.Errorf("%s: %v, want %v", how, got, tt.want)
			}
		}
		if p := l.update.(*PPO); p.actor.cfg.Gamma != tt.want[0] || p.cfg.Lambda != tt.want[1] || p.cfg.Entropy != tt.want[2] {
			t.Errorf("learned with %+v, %+v", p.actor.cfg, p.cfg)
		}
	}
	if c := (saved{Config: Config{Algorithm: AlgorithmPPO}}).config().Filled(); c.Act.Gamma != 0.99 || c.PPO.Lambda != 0.95 || c.Policy.Hidden != 64 {
		t.Errorf("an older run goes on with %+v", c)
	}
	for file, want := range map[string]float64{"[ppo]\nlambda = 0": 0, "[ppo]\nclip = 0.3": 0.95, "[ppo]\nlambda = 0\nmax_norm = 0\n[dqn]\nmax_norm = 0": 0.95} {
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(path, []byte("algorithm = \"ppo\"\n"+file), 0o666); err != nil {
			t.Fatal(err)
		}
		if c, err := ReadConfig(path); err != nil || c.PPO.Lambda != want {
			t.Errorf("%s: lambda %v, want %v (error %v)", file, c.PPO.Lambda, want, err)
		}
	}
	for want, set := range map[string]func(*Config){
		"dqn.target is 0, want more than 0, at most 1":      func(c *Config) { c.DQN.Target = 0 },
		"dqn.explore_for is 0, want more than 0, at most 1": func(c *Config) { c.DQN.ExploreFor = 0 },
		"ppo.clip is 0, want more than 0":                   func(c *Config) { c.PPO.Clip = 0 },
		"halt.branched is 0, want more than 0, at most 1":   func(c *Config) { c.Halt.Branched = 0 },
		"imitate.lr is 0, want more than 0, at most 1":      func(c *Config) { c.Imitate.LR = 0 },
		"act.segments is 0, want 1 to 1024":                 func(c *Config) { c.Act.Segments = 0 },
		"act.bonus.fade is 0, want more than 0":             func(c *Config) { c.Act.Bonus.Fade = 0 },
		"policy.hidden is 0, want 1 to 4096":                func(c *Config) { c.Policy.Hidden = 0 },
	} {
		c := small.Filled()
		if set(&c); fmt.Sprint(c.Check()) != want {
			t.Errorf("%v, want %s", c.Check(), want)
		}
	}
}

// TestSettings: what is wrong with settings is a problem of their fields, before anything is learned.
func TestSettings(t *testing.T) {
	for want, set := range map[string]func(*Config){
		`imitate.oracle: maze/5x5-v0: has no oracle "nosuch", but `:   func(c *Config) { c.Algorithm, c.Imitate.Oracle = AlgorithmImitate, "nosuch" },
		"dqn.replay is 100, want 832 or more for 16 environments":     func(c *Config) { c.Algorithm, c.DQN.Replay, c.DQN.Warmup = AlgorithmDQN, 100, 50 },
		"levels is 0:9 beside an option levels=3:7: want one of them": func(c *Config) { c.Options, c.Levels = []string{"levels=3:7"}, "0:9" },
		"env: stage 2, MiniGrid-Empty-5x5-v0: actions ":               func(c *Config) { c.Stages, c.Env = []Stage{{Env: c.Env, Frames: 9}}, "MiniGrid-Empty-5x5-v0" },
		"stages[0]: ": func(c *Config) { c.Stages = []Stage{{Frames: 9, Options: []string{"nosuch=1"}}} },
		"policy.film, and maze/5x5-v0 has no mission": func(c *Config) { c.Policy.FiLM = true },
	} {
		cfg := Default(AlgorithmPPO, "maze/5x5-v0")
		set(&cfg)
		l, err := New(cfg, torch.CPU)
		if err == nil {
			l.Close()
		}
		if f, ok := errors.AsType[*problems.Field](err); !ok || !strings.HasPrefix(f.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
