package puzzle

import (
	"testing"

	"github.com/ponder-agents/ponder/internal/beside"
)

// fixtures is the folder of the recorded datasets; see its README.md.
func fixtures(t testing.TB) string { return beside.Shared(t, "hrm", "dataset") }
