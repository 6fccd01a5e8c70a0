package models

import (
	"strings"
	"testing"
)

// TestFor: an environment's model is that of its id, or else of its family.
func TestFor(t *testing.T) {
	for env, want := range map[string]string{
		"maze/15x15-v0": "maze", "sudoku/9x9-v0": "sudoku", "MiniGrid-DoorKey-5x5-v0": "doorkey-5x5", "MiniGrid-Empty-5x5-v0": "", "chess": "",
	} {
		if got := For(env); got != want {
			t.Errorf("For(%q) = %q, want %q", env, got, want)
		}
	}
}

// TestFind: a name before a folder; what is neither is named, with the names that there are.
func TestFind(t *testing.T) {
	c, err := Find("maze")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !strings.Contains(string(c.Config), `"task"`) {
		t.Errorf("its configuration: %.80s", c.Config)
	}
	if _, err := Find("mase"); err == nil || !strings.Contains(err.Error(), `"maze"`) {
		t.Errorf("error %v, want the names", err)
	}
	if _, err := Find(t.TempDir()); err == nil {
		t.Error("an empty folder is a model")
	}
}
