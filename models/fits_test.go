package models_test

import (
	"testing"

	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
	"github.com/ponder-agents/ponder/models"
)

func TestFits(t *testing.T) {
	for _, tt := range []struct {
		model, env string
		want       bool
	}{
		{"maze", "maze/31x31-v0", true},
		{"maze", "sudoku", false},
		{"maze-reward", "maze/9x9-v0", true},
		{"maze-reward", "MiniGrid-DoorKey-5x5-v0", false},
		{"sudoku", "sudoku/4x4-v0", true},
		{"sudoku-static", "sudoku/4x4-v0", false},
		{"sudoku-static", "sudoku", true},
		{"sudoku", "arc/fall-v0", false},
		{"doorkey-5x5", "MiniGrid-DoorKey-8x8-v0", true},
		{"doorkey-5x5", "maze", false},
	} {
		e, err := env.Make(tt.env)
		if err != nil {
			t.Fatal(err)
		}
		if err := models.Fits(tt.model, e.Spec()); (err == nil) != tt.want {
			t.Errorf("%s in %s: %v", tt.model, tt.env, err)
		}
	}
}
