package output_test

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/internal/output"
)

func TestCheckRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not/yet/there")
	if err := output.CheckRoom(path, 1); err != nil {
		t.Errorf("one byte: %v", err)
	}
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("the room is not known here")
	}
	if err := output.CheckRoom(path, 1e18); err == nil || !strings.Contains(err.Error(), path+": about 1e+12 MB are to be written, the disk has ") {
		t.Errorf("an exabyte: %v", err)
	}
}
