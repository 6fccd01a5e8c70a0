// Package envtest tests that an environment keeps the promises of package env.
package envtest

import (
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env"
)

// Run tests the environments that open makes, each part of env.Check as a subtest. Without seeds it
// uses 0, 1 and 42.
func Run(t *testing.T, open func() env.Env, seeds ...uint64) {
	t.Helper()
	env.CheckEach(open, seeds, func(name string, err error) {
		t.Run(strings.ReplaceAll(name, ",", ""), func(t *testing.T) {
			if err != nil {
				t.Error(err)
			}
		})
	})
}
