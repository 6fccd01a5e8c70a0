package problems

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIn(t *testing.T) {
	var inner, outer List
	inner.Add(true, "lr", "%v, want more than 0", -1)
	inner.Add(false, "batch", "0, want 1 or more")
	inner.In("adam", errors.New("adam: rule unknown"))
	outer.Add(true, "steps", "0, want 1 or more")
	outer.In("ppo", fmt.Errorf("a word: %w", inner.Err()))
	outer.In("act", nil)
	var got []string
	for _, err := range Split(outer.Err()) {
		f, ok := errors.AsType[*Field](err)
		if !ok {
			t.Fatalf("%v is no Field", err)
		}
		got = append(got, f.Name+"|"+f.What)
	}
	want := []string{"steps| is 0, want 1 or more", "ppo.lr| is -1, want more than 0", "ppo.adam|: rule unknown"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if err := (List{nil}).Err(); err != nil || Split(nil) != nil {
		t.Errorf("nothing is wrong, and %v", err)
	}
}
