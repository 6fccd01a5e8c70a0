package think_test

import (
	"testing"

	"github.com/ponder-agents/ponder/agent/think"
)

// FuzzUsage: a usage that is taken halts some time.
func FuzzUsage(f *testing.F) {
	f.Add([]byte(`{"task":"sudoku","loss":"any-of","judge":"way","evaluation":{"max_segments":16,"rule":"halt-above"},"stages":[{"data":"sudoku:30-40"}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, config []byte) {
		u, err := think.ReadUsage(config)
		if err == nil && (u.Halting.MaxSegments < 1 || u.Halting.Check() != nil) {
			t.Errorf("%+v", u)
		}
	})
}
