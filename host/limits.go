package host

import (
	"math"
	"runtime"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/cli"
)

// ranges are those of the flags that are numbers, by their names: what makes sense, and what memory, threads
// and time can bear. TestNumberFlags asks that every flag has one.
func ranges() map[string]cli.Range {
	const (
		many  = 1 << 40 // steps: more than any machine makes
		items = 100_000_000
	)
	threads := cli.Range{Least: 0, Most: float64(max(64, 4*runtime.NumCPU()))}
	share := cli.Range{Least: 0, Most: 1}
	return map[string]cli.Range{
		"threads": threads, "workers": threads, "envs": {Least: 1, Most: 1 << 14}, "max-steps": {Least: 0, Most: math.MaxInt32}, "batch": {Least: 1, Most: 1 << 16},
		"segments": {Least: 0, Most: trace.MaxSegments}, "restarts": {Least: 0, Most: 1000}, "votes": {Least: 1, Most: 4096}, "thoughts": {Least: 1, Most: 4096}, "noise": {Least: 1e-6, Most: 1e3}, "sure": share, "threshold": {Least: -1e6, Most: 1e6},
		"steps": {Least: 0, Most: many}, "frames": {Least: 1, Most: many}, "repeats": {Least: 1, Most: 10_000}, "seconds": {Least: 1e-3, Most: 3600}, "size": {Least: 0, Most: 255}, "side": {Least: 4, Most: 16},
		"count": {Least: 1, Most: items}, "index": {Least: 0, Most: math.MaxInt32}, "episodes": {Least: 1, Most: items}, "examples": {Least: 1, Most: items}, "levels": {Least: 1, Most: items},
		"generate": {Least: 0, Most: items}, "generate-test": {Least: 0, Most: items}, "limit": {Least: 0, Most: items}, "test-limit": {Least: 0, Most: items}, "augment": {Least: 0, Most: 1_000_000},
		"min-rating": {Least: 0, Most: math.MaxInt32}, "max-rating": {Least: 0, Most: math.MaxInt32}, "min-accuracy": share, "min-success": share,
		"tile": {Least: 1, Most: 256}, "zoom": {Least: 0.75, Most: 3}, "scale": {Least: 0.5, Most: 4}, "speed": {Least: 0.01, Most: 100}, "step": {Least: 0, Most: math.MaxInt32}, "segment": {Least: 0, Most: trace.MaxSegments},
		"seq": {Least: 1, Most: 1 << 16}, "first": {Least: 0, Most: trace.MaxSegments}, "price": share, "hidden": {Least: 1, Most: 1 << 14}, "lr": {Least: 1e-12, Most: 10}, "gamma": share, "bonus": {Least: -1e6, Most: 1e6}, "bonus-fade": {Least: 1e-3, Most: many}, "entropy": {Least: -1e6, Most: 1e6},
		"value-clip": {Least: 0, Most: 1e6}, "ema": share, "kl-stop": {Least: 0, Most: 1e6}, "replay": {Least: 1, Most: 1 << 26}, "warmup": {Least: 1, Most: 1 << 26}, "target": share, "explore": {Least: -1, Most: 1}, "explore-for": share, "length": {Least: 1, Most: 1 << 16}, "burn-in": {Least: -1, Most: 1 << 16},
		"horizon": {Least: 1, Most: 1 << 16}, "epochs": {Least: 1, Most: 10_000},
		"log-every": {Least: 1, Most: many}, "save-every": {Least: 1, Most: many}, "eval-every": {Least: 0, Most: many}, "eval-count": {Least: 1, Most: items}, "until": {Least: 0, Most: many}, "parallel": {Least: 1, Most: 1024},
	}
}

// atLeastOne is the range of a name, without 0.
func atLeastOne(name string) cli.Range { return cli.Range{Least: 1, Most: ranges()[name].Most} }
