package minigrid

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzReplay: what a recorded episode says is played or refused, never a panic.
func FuzzReplay(f *testing.F) {
	f.Add([]byte(`{"id":"MiniGrid-Empty-5x5-v0","resets":3,"view":7,"steps":[{"a":2}],"pictures":[{"step":0,"tile":8}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var tr Trace
		if json.Unmarshal(data, &tr) != nil {
			return
		}
		tr.Resets = min(tr.Resets, 3) // each is as good as many
		if diffs, _, err := tr.Replay(); err == nil && len(diffs) > 10 {
			t.Errorf("%d differences", len(diffs))
		}
	})
}

// TestReplayBounds: work that a few bytes ask for is bounded.
func TestReplayBounds(t *testing.T) {
	for want, tr := range map[string]Trace{
		"resets 9000000000000000000": {ID: "MiniGrid-Empty-5x5-v0", View: 7, Resets: 9_000_000_000_000_000_000},
		"resets -1":                  {ID: "MiniGrid-Empty-5x5-v0", View: 7, Resets: -1},
		"1000 pictures":              {ID: "MiniGrid-Empty-5x5-v0", View: 7, Pictures: make([]TracePicture, 1000)},
	} {
		if _, _, err := tr.Replay(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
