package env

import (
	"errors"
	"runtime"
	"time"

	"github.com/ponder-agents/ponder/env/rng"
)

// A SpeedConfig says how MeasureSpeed steps.
type SpeedConfig struct {
	Threads int    // workers of the Vec; all counts at least 1
	Envs    int    // environments in it
	Steps   int    // of a repetition
	Repeats int    // the best counts
	Seed    uint64 // of the first environment and of the actions
}

// A Speed is how fast environments step.
type Speed struct {
	Env            string  `json:"env"`
	Threads        int     `json:"threads"`
	Envs           int     `json:"envs"`
	Steps          int     `json:"steps"` // of each repetition
	Repeats        int     `json:"repeats"`
	StepsPerSecond float64 `json:"steps_per_second"` // best repetition
	AllocsPerStep  float64 `json:"allocs_per_step"`  // least of the repetitions
	Episodes       int     `json:"episodes"`         // that ended in the best
}

// MeasureSpeed steps environments by actions drawn uniformly from all of them, in same-step autoreset:
// drawing the actions, writing the observations and resetting are counted.
func MeasureSpeed(id string, cfg SpeedConfig, options ...string) (Speed, error) {
	if cfg.Threads < 1 || cfg.Envs < 1 || cfg.Steps < 1 || cfg.Repeats < 1 {
		return Speed{}, errors.New("env: nothing to measure")
	}
	v, err := MakeVec(id, cfg.Envs, VecConfig{Workers: cfg.Threads}, options...)
	if err != nil {
		return Speed{}, err
	}
	defer v.Close()
	v.Reset(cfg.Seed)
	draws := rng.Stream(cfg.Seed, "bench")
	n := uint32(len(v.Spec().Actions))
	actions := make([]int32, cfg.Envs)
	rounds := max(cfg.Steps/cfg.Envs, 1)
	r := Speed{Env: id, Threads: cfg.Threads, Envs: cfg.Envs, Steps: rounds * cfg.Envs, Repeats: cfg.Repeats}
	play := func(rounds int) (episodes int, err error) {
		for range rounds {
			for i := range actions {
				actions[i] = int32(draws.Uint32N(n))
			}
			if err := v.Step(actions); err != nil {
				return 0, err
			}
			for i := range v.Terminated {
				if v.Done(i) {
					episodes++
				}
			}
		}
		return episodes, nil
	}
	if _, err := play(max(rounds/20, 1)); err != nil {
		return r, err
	}
	for k := range cfg.Repeats {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		episodes, err := play(rounds)
		if err != nil {
			return r, err
		}
		speed := float64(r.Steps) / time.Since(start).Seconds()
		runtime.ReadMemStats(&after)
		allocs := float64(after.Mallocs-before.Mallocs) / float64(r.Steps)
		if k == 0 || allocs < r.AllocsPerStep {
			r.AllocsPerStep = allocs
		}
		if speed > r.StepsPerSecond {
			r.StepsPerSecond, r.Episodes = speed, episodes
		}
	}
	return r, nil
}
