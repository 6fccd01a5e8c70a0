package env_test

import (
	"testing"

	"github.com/ponder-agents/ponder/env"
)

// TestMeasureSpeed: what is counted is what was done; how fast is not asked.
func TestMeasureSpeed(t *testing.T) {
	got, err := env.MeasureSpeed("maze/9x9-v0", env.SpeedConfig{Threads: 1, Envs: 4, Steps: 1003, Repeats: 2}, "limit=10")
	if err != nil {
		t.Fatal(err)
	}
	// 250 rounds of 4; no episode is longer than 10 steps.
	if got.Env != "maze/9x9-v0" || got.Steps != 1000 || got.Repeats != 2 || got.Episodes < 96 || got.StepsPerSecond <= 0 || got.AllocsPerStep > 0.1 {
		t.Errorf("%+v", got)
	}
	if _, err := env.MeasureSpeed("maze", env.SpeedConfig{}); err == nil {
		t.Error("nothing was measured without an error")
	}
}
