//go:build cgo && !notorch

package gotch_test

import (
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sugarme/gotch"
	"github.com/sugarme/gotch/ts"
)

// These run in the prepared copy that go.work names.

func tensor(t testing.TB, values ...float32) *ts.Tensor {
	t.Helper()
	x, err := ts.OfSlice(values)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Drop() })
	return x
}

// resident is the resident memory in bytes.
func resident(t testing.TB) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(data))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// operations is one of each kind of generated function: a new tensor, in place, several results, a
// scalar, a list, and one that fails.
func operations(t testing.TB, x, y *ts.Tensor) {
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	z, err := x.Add(y, false)
	check(err)
	check(z.Zero_())
	check(z.Drop())

	values, indices, err := x.Sort(0, false, false)
	check(err)
	check(values.Drop())
	check(indices.Drop())

	if _, err := x.View([]int64{3}, false); err == nil {
		t.Fatal("8 elements were seen as 3")
	}

	s := ts.FloatScalar(2)
	m, err := x.MulScalar(s, false)
	check(err)
	check(s.Drop())
	check(m.Drop())

	parts, err := x.Split(3, 0)
	check(err)
	for _, p := range parts {
		check(p.Drop())
	}
	_, err = x.Size()
	check(err)
	clone, err := x.ShallowClone()
	check(err)
	check(clone.Drop())
}

func TestNoLeak(t *testing.T) {
	x, y := tensor(t, 1, 2, 3, 4, 5, 6, 7, 8), tensor(t, 8, 7, 6, 5, 4, 3, 2, 1)
	const rounds = 14_000 // of more than 7 operations: 100,000
	batch := func() int {
		for range rounds {
			operations(t, x, y)
		}
		runtime.GC()
		return resident(t)
	}
	before := batch()
	grown := math.MaxInt
	for range 3 {
		after := batch()
		grown = min(grown, after-before) // a leak grows every time, Go's heap does not
		before = after
	}
	// The smallest leak, malloc's 32 bytes an operation, would be 3 MB.
	if grown > 1<<20 {
		t.Errorf("resident memory grew by %d bytes or more in every %d rounds", grown, rounds)
	}
}

// An addition with its Drop takes about 0.8 µs on an idle machine, in PyTorch from Python 1.2; the
// fastest of many short runs is measured, since this one may be busy.
func TestOverhead(t *testing.T) {
	x, y := tensor(t, 1, 2, 3, 4, 5, 6, 7, 8), tensor(t, 8, 7, 6, 5, 4, 3, 2, 1)
	best := time.Hour
	for range 200 {
		const n = 200
		start := time.Now()
		for range n {
			z, err := x.Add(y, false)
			if err != nil {
				t.Fatal(err)
			}
			z.Drop()
		}
		best = min(best, time.Since(start)/n)
	}
	t.Logf("%v an operation", best)
	if best > 3*time.Microsecond {
		t.Errorf("%v an operation, want at most 3µs", best)
	}
}

func BenchmarkAdd(b *testing.B) {
	x, y := tensor(b, 1, 2, 3, 4, 5, 6, 7, 8), tensor(b, 8, 7, 6, 5, 4, 3, 2, 1)
	for b.Loop() {
		z, err := x.Add(y, false)
		if err != nil {
			b.Fatal(err)
		}
		z.Drop()
	}
}

func TestErrors(t *testing.T) {
	x, y := tensor(t, 1, 2, 3), tensor(t, 1, 2)
	_, err := x.Add(y, false)
	if err == nil || !strings.Contains(err.Error(), "must match the size") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q, want libtorch's message in one line", err)
	}
	dropped := tensor(t, 1)
	dropped.Drop()
	if _, err := dropped.Add(x, false); err == nil || !strings.Contains(err.Error(), "dropped") {
		t.Errorf("a dropped receiver: %v", err)
	}
	if _, err := x.Add(dropped, false); err == nil || !strings.Contains(err.Error(), "dropped") {
		t.Errorf("a dropped operand: %v", err)
	}
	if _, err := dropped.Size(); err == nil {
		t.Error("the size of a dropped tensor")
	}
	if err := dropped.Drop(); err != nil {
		t.Errorf("dropping twice: %v", err)
	}
	if _, err := ts.Zeros([]int64{1 << 60}, gotch.Double, gotch.CPU); err == nil {
		t.Error("8 EiB were allocated")
	}
	if _, err := ts.OfSlice([]string{"a"}); err == nil {
		t.Error("a tensor of strings")
	}
	if err := ts.TorchErr(); err != nil {
		t.Errorf("left behind: %v", err)
	}
}

func TestInPlaceKeepsHandle(t *testing.T) {
	x := tensor(t, -1, 2)
	handle := x.Ctensor()
	if err := x.Relu_(); err != nil {
		t.Fatal(err)
	}
	if x.Ctensor() != handle {
		t.Error("the handle changed")
	}
	if got := x.Float64Values(); got[0] != 0 || got[1] != 2 {
		t.Errorf("relu of [-1 2] is %v", got)
	}
}

func TestNoGradIsRestored(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	mode := func() bool {
		on := ts.MustGradSetEnabled(true)
		ts.MustGradSetEnabled(on)
		return on
	}
	ts.NoGrad(func() {
		ts.NoGrad(func() {})
		if mode() {
			t.Error("an inner NoGrad switched gradients on")
		}
	})
	func() {
		defer func() { recover() }()
		ts.NoGrad(func() { panic("in NoGrad") })
	}()
	if !mode() {
		t.Error("gradients are off after a panic in NoGrad")
	}
}

func TestData(t *testing.T) {
	for name, shape := range map[string][]int64{"scalar": {}, "empty": {0}, "matrix": {2, 3}, "deep": {1, 2, 1, 3, 1, 1, 1}} {
		n := int64(1)
		for _, d := range shape {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(i)
		}
		x, err := ts.NewTensorFromData(data, shape)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := x.Size()
		if err != nil || len(got) != len(shape) {
			t.Errorf("%s: size %v, %v, want %v", name, got, err, shape)
		}
		back := make([]float32, n)
		if err := x.CopyData(back, uint(n)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range back {
			if back[i] != data[i] {
				t.Errorf("%s: element %d is %v", name, i, back[i])
			}
		}
		x.Drop()
	}
	x := tensor(t, 1, 2)
	if err := x.CopyData(make([]int64, 2), 2); err == nil {
		t.Error("floats were copied to integers")
	}
	if err := x.CopyData(make([]float32, 1), 2); err == nil {
		t.Error("two elements were copied to one")
	}
	if x.DType() != gotch.Float {
		t.Errorf("type %v", x.DType())
	}
}
