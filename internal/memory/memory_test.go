package memory

import (
	"runtime"
	"strings"
	"testing"
)

func TestAvailable(t *testing.T) {
	n, known := Available()
	if !known && (runtime.GOOS == "linux" || runtime.GOOS == "darwin" || runtime.GOOS == "windows") {
		t.Fatal("not known")
	}
	if n < 1<<20 || n > 1<<50 {
		t.Errorf("%d bytes are available", n)
	}
}

func TestCheck(t *testing.T) {
	if err := Check("a number", 4); err != nil {
		t.Error(err)
	}
	err := Check("a model", 12e18)
	if err == nil || !strings.HasPrefix(err.Error(), "a model needs 1.2e+07 TB of memory, ") || !strings.HasSuffix(err.Error(), " is free") {
		t.Errorf("error: %v", err)
	}
	for bytes, want := range map[float64]string{512: "512 B", 1500: "1.5 kB", 2e6: "2 MB", 3.14159e9: "3.14 GB"} {
		if got := size(bytes); got != want {
			t.Errorf("%v bytes are %q, want %q", bytes, got, want)
		}
	}
}
