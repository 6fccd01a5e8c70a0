package env_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env"
)

func TestVecRowState(t *testing.T) {
	for _, mode := range []env.Autoreset{env.SameStep, env.NextStep} {
		t.Run(mode.String(), func(t *testing.T) {
			v, err := env.NewVec(walks(3), env.VecConfig{Autoreset: mode})
			if err != nil {
				t.Fatal(err)
			}
			v.Reset(7)
			for range 5 {
				step(t, v, 1)
			}
			for until := 0; !v.Done(1); until++ { // so that the state of an ended episode is tried
				if until > 40 {
					t.Fatal("no episode ended")
				}
				step(t, v, 1)
			}
			var states [3][]byte
			for i := range states {
				if states[i], err = v.AppendRow(i, []byte("x")); err != nil {
					t.Fatal(err)
				}
				states[i] = states[i][1:]
			}
			want := record(t, v, 30)
			for i, s := range states {
				if err := v.SetRow(i, s); err != nil {
					t.Fatal(err)
				}
			}
			if got := record(t, v, 30); got != want {
				t.Errorf("restored rows go on differently:\n%s\nwant\n%s", got, want)
			}

			before := states[0]
			if err := v.SetRow(0, before); err != nil {
				t.Fatal(err)
			}
			for n := range before {
				if err := v.SetRow(0, before[:n]); err == nil {
					t.Fatalf("a snapshot cut to %d bytes was accepted", n)
				}
				bad := []byte(string(before))
				bad[n] ^= 1
				if err := v.SetRow(0, bad); err == nil {
					t.Fatalf("a snapshot with bit %d turned was accepted", 8*n)
				}
			}
			if after, err := v.AppendRow(0, nil); err != nil || string(after) != string(before) {
				t.Errorf("refused snapshots changed the row (%v)", err)
			}
		})
	}
}

func TestVecRowOfOthers(t *testing.T) {
	type plain struct{ env.Env }
	v, err := env.NewVec([]env.Env{plain{newWalk()}}, env.VecConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.AppendRow(0, nil); err == nil || !strings.Contains(err.Error(), "no snapshots") {
		t.Errorf("AppendRow without snapshots: %v", err)
	}
	if err := v.SetRow(0, nil); err == nil || !strings.Contains(err.Error(), "no snapshots") {
		t.Errorf("SetRow without snapshots: %v", err)
	}
}

// step takes one action in all rows.
func step(t *testing.T, v *env.Vec, action int32) {
	t.Helper()
	actions := make([]int32, v.Len())
	for i := range actions {
		actions[i] = action
	}
	if err := v.Step(actions); err != nil {
		t.Fatal(err)
	}
}

// FuzzSetRow: what is taken is what AppendRow gives again, and the row can go on; what is refused changes
// nothing. The checksum is made right, or the fuzzer would find nothing but that it is wrong.
func FuzzSetRow(f *testing.F) {
	for _, mode := range []env.Autoreset{env.SameStep, env.NextStep} {
		v, err := env.NewVec(walks(1), env.VecConfig{Autoreset: mode})
		if err != nil {
			f.Fatal(err)
		}
		add := func() {
			state, err := v.AppendRow(0, nil)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(mode == env.NextStep, state)
		}
		add()
		v.Reset(7)
		add()
		for until := 0; !v.Done(0) && until < 40; until++ {
			if err := v.Step([]int32{1}); err != nil {
				f.Fatal(err)
			}
		}
		add()
	}
	f.Fuzz(func(t *testing.T, next bool, state []byte) {
		mode := env.SameStep
		if next {
			mode = env.NextStep
		}
		v, err := env.NewVec(walks(1), env.VecConfig{Autoreset: mode})
		if err != nil {
			t.Fatal(err)
		}
		v.Reset(3)
		before, err := v.AppendRow(0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(state) > 7 {
			state = bytes.Clone(state)
			binary.LittleEndian.PutUint32(state[3:], crc32.ChecksumIEEE(state[7:]))
		}
		want := state
		if err := v.SetRow(0, state); err != nil {
			want = before
		}
		if got, err := v.AppendRow(0, nil); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v: the row is %x, want %x", err, got, want)
		}
		for range 3 {
			if v.Step([]int32{1}) != nil { // never reset, or ended: said, and no panic
				break
			}
		}
	})
}
