//go:build !cgo || notorch

package host

import (
	"testing"

	"github.com/ponder-agents/ponder/cli"
)

// TestNeedsTorch: what trains says that this build cannot, whatever follows its name.
func TestNeedsTorch(t *testing.T) {
	for _, args := range [][]string{{"train"}, {"train", "maze", "--out", "x"}, {"import", "a", "b"}, {"solve", "arc", "task.json"}, {"bench", "hrm", "--json"}} {
		if code := cli.Execute(Root(), args); code != cli.ExitEnvironment {
			t.Errorf("%q ends with %d, want %d", args, code, cli.ExitEnvironment)
		}
	}
}
