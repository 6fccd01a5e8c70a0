package session

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/maze"
)

// TestSurvey: each level of a file is played once, however many are asked for.
func TestSurvey(t *testing.T) {
	const rooms = "#######\n#S   G#\n#     #\n#     #\n#######\n\n#######\n#S G  #\n#     #\n#     #\n#######\n"
	e, err := env.OpenLevel(rooms)
	if err != nil {
		t.Fatal(err)
	}
	w, err := WorldOf(e)
	if err != nil {
		t.Fatal(err)
	}
	agent := &chooser{"oracle", func() (int, error) { return 3, nil }} // to the right
	var got []Example
	err = Survey(context.Background(), &Scene{World: w, Agent: agent}, 0, 10, func(e Example) error {
		got = append(got, e)
		return nil
	})
	want := []Example{{Seed: 0, Solved: true, Return: 1, Steps: 4}, {Seed: 1, Solved: true, Return: 1, Steps: 2}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
