package cputime

import (
	"runtime"
	"testing"
	"time"
)

// TestProcess: the time grows with work, and not beyond what all processors had.
func TestProcess(t *testing.T) {
	before, start := Process(), time.Now()
	if before == 0 {
		t.Skipf("not known on %s", runtime.GOOS)
	}
	steps := 0
	for last := before; steps < 3; {
		now := Process()
		if now < last {
			t.Fatalf("%v, then %v", last, now)
		}
		if now > last {
			steps++
		}
		last = now
	}
	spent, wall := Process()-before, time.Since(start)
	if limit := time.Duration(runtime.NumCPU()+1)*wall + 20*time.Millisecond; spent > limit {
		t.Errorf("%v of the processor in %v", spent, wall)
	}
}
