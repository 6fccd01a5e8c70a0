package open_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/models"
)

// TestFollow: a run that is followed is played by what it saved last, from the beginning of the next episode on.
func TestFollow(t *testing.T) {
	dir := t.TempDir()
	if _, err := open.Follow(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder of no run: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "run.json"), []byte(`{"learner": "ppo", "state": "running"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := open.Follow(dir); err == nil || !strings.Contains(err.Error(), "no checkpoint in it: it trains, and has saved none as yet") {
		t.Errorf("a run that begins: %v", err)
	}
	save := func(step string) {
		t.Helper()
		shipped, err := models.Open("doorkey-5x5")
		if err == nil {
			err = os.CopyFS(filepath.Join(dir, "checkpoints", step), shipped)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	save("step-000000100")
	f, err := open.Follow(dir)
	if err != nil {
		t.Fatal(err)
	}
	if f.World != "MiniGrid-DoorKey-5x5-v0" || f.Model != dir {
		t.Errorf("it plays %+v", f.Thing)
	}
	scene, err := f.Scene(session.Choice{Env: f.World, Model: f.Model, Agent: trace.Network}, think.Wishes{}, open.Run{Engine: "go"})
	if err != nil {
		t.Fatal(err)
	}
	defer scene.Agent.Close()
	if h := scene.Header(); h.Model != dir || h.Agent != trace.Network {
		t.Errorf("%s of %s plays", h.Agent, h.Model)
	}
	obs := make([]byte, scene.World.Spec().ObsLen)
	scene.World.Seed(1)
	scene.World.Reset(obs)
	decide := func(fresh bool, want int64) {
		t.Helper()
		if err := scene.Agent.Begin(t.Context(), obs, fresh); err != nil {
			t.Fatal(err)
		}
		var g trace.Segment
		if err := scene.Agent.Think(t.Context(), &g); err != nil || len(g.Actions) != 7 {
			t.Errorf("%d actions, error %v", len(g.Actions), err)
		}
		if got := f.Shown(); got != want {
			t.Errorf("the checkpoint of step %d plays, want %d", got, want)
		}
	}
	decide(true, 100)
	save("step-000000250")
	decide(false, 100) // the episode goes on with who began it
	decide(true, 250)
	if err := os.MkdirAll(filepath.Join(dir, "checkpoints", "step-000000300"), 0o755); err != nil { // damaged
		t.Fatal(err)
	}
	decide(true, 250)

	// Others may be chosen in the window.
	oracle, err := f.Scene(session.Choice{Env: f.World, Agent: trace.Oracle}, think.Wishes{}, open.Run{Engine: "go"})
	if err != nil || oracle.Header().Agent != trace.Oracle {
		t.Errorf("the oracle: %v", err)
	}
}
