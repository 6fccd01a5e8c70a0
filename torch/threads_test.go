//go:build cgo && !notorch

package torch

import (
	"runtime"
	"testing"
)

// TestSetThreads: the number of threads is the process's, also on an OS thread that computed before.
func TestSetThreads(t *testing.T) {
	before := Threads()
	defer SetThreads(before)
	ask, answer := make(chan bool), make(chan int)
	defer close(ask)
	go func() {
		runtime.LockOSThread()
		for range ask {
			answer <- libtorchThreads()
		}
	}()
	for _, n := range []int{2, 1, 3} {
		SetThreads(n)
		ask <- true
		if got := <-answer; got != n || libtorchThreads() != n {
			t.Errorf("after SetThreads(%d) there are %d on another thread, %d here", n, got, libtorchThreads())
		}
	}
}
