package env_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env"
)

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		patterns []string
		want     []string
	}{
		{[]string{"maze", "maze/7x9-v0"}, []string{"maze/15x15-v0", "maze/7x9-v0"}},
		{[]string{"sudoku/*"}, []string{"sudoku/16x16-v0", "sudoku/4x4-v0", "sudoku/6x6-v0", "sudoku/9x9-v0"}},
		{[]string{"*ku/?x?-*0"}, []string{"sudoku/4x4-v0", "sudoku/6x6-v0", "sudoku/9x9-v0"}},
		{[]string{"*s*u*d*o*k*u*/*4x4*-*v*0*"}, []string{"sudoku/4x4-v0"}},
	} {
		found, err := env.Find(tt.patterns...)
		var got []string
		for _, e := range found {
			got = append(got, e.ID)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v, error %v, want %v", tt.patterns, got, err, tt.want)
		}
	}
	if none := env.List(strings.Repeat("*-", 30) + "!"); len(none) > 0 { // in no time
		t.Errorf("found %v", none)
	}
	if _, err := env.Find("maze", "chess"); !errors.Is(err, env.ErrUnknown) {
		t.Errorf("error %v, want %v", err, env.ErrUnknown)
	}
	if all, err := env.Find(); err != nil || len(all) != len(env.List("")) {
		t.Errorf("%d of all, error %v", len(all), err)
	}
}

func TestDescribe(t *testing.T) {
	e, _, err := env.Lookup("sudoku")
	if err != nil {
		t.Fatal(err)
	}
	a := e.Describe()
	if a.ID != "sudoku/9x9-v0" || a.Spec == nil || len(a.Spec.Actions) == 0 || !slices.Equal(a.Oracles, []string{"plan"}) || a.Options[0].Name != "difficulty" {
		t.Errorf("%+v", a)
	}
	names := env.Names()
	if len(names) != len(env.List("")) || !slices.Contains(names[:5], "maze") || slices.Contains(names, "maze/15x15-v0") {
		t.Errorf("names: %v", names)
	}
}

func TestPictureAndCheckID(t *testing.T) {
	e, err := env.Make("maze/7x5-v0")
	if err != nil {
		t.Fatal(err)
	}
	e.Reset(make([]byte, e.Spec().ObsLen))
	if img, err := env.Picture(e, 4); err != nil || img.Rect.Dx() != 28 || img.Rect.Dy() != 20 {
		t.Errorf("a picture of %v, error %v", img.Rect, err)
	}
	if err := env.CheckID("maze/5x5-v0"); err != nil {
		t.Error(err)
	}
	if err := env.CheckID("maze/5x5-v0", "none=1"); err == nil {
		t.Error("an option that there is not is no error")
	}
}
