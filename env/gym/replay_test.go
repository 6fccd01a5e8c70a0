package gym

import (
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env"
)

// TestMake: an environment of Gymnasium by its id; from a row's snapshot another process goes on with the same steps and
// the same episodes, and one that ends is an error of the Vec.
func TestMake(t *testing.T) {
	options := []string{"python=" + python(t, "gymnasium"), "limit=30"}
	open := func() *env.Vec {
		t.Helper()
		v, err := env.MakeVec("gym:CartPole-v1", 3, env.VecConfig{}, options...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(v.Close)
		return v
	}
	act := func(v *env.Vec, steps int) (seen []byte) {
		t.Helper()
		for k := range steps {
			if err := v.Step([]int32{int32(k % 2), 1, int32(k / 3 % 2)}); err != nil {
				t.Fatal(err)
			}
			seen = append(seen, v.Obs...)
		}
		return seen
	}
	a := open()
	a.Reset(7)
	begin := slices.Clone(a.Obs)
	act(a, 25) // row 1 falls after some ten
	var rows [][]byte
	for i := range a.Len() {
		row, err := a.AppendRow(i, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	want := act(a, 40)
	b := open()
	b.Reset(7)
	if !slices.Equal(b.Obs, begin) {
		t.Error("the same seed begins otherwise")
	}
	b.Reset(8)
	for i, row := range rows {
		if err := b.SetRow(i, row); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(act(b, 40), want) {
		t.Error("from a snapshot other steps follow")
	}
	e, ok := env.As[interface{ Worker() *Worker }](b.Env(0))
	if !ok {
		t.Fatal("no worker")
	}
	e.Worker().Close()
	if err := b.Step([]int32{0, 0, 0}); err == nil || !strings.Contains(err.Error(), "CartPole-v1") {
		t.Errorf("the process is gone, error %v", err)
	}
	for _, bad := range []string{"gym:NoSuch-v0", "gym:Pendulum-v1"} {
		if _, err := env.Make(bad, options...); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: error %v", bad, err)
		}
	}
	if got := env.List("gym"); len(got) > 0 {
		t.Errorf("%s is listed", got[0].ID)
	}
}
