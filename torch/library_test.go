//go:build cgo && !notorch

package torch_test

import (
	"testing"

	"github.com/ponder-agents/ponder/torch"
)

func TestCheckLibrary(t *testing.T) {
	if err := torch.CheckLibrary(); err != nil {
		t.Error(err)
	}
}
