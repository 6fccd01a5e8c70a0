package open_test

import (
	"context"
	"testing"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
)

// counted counts the segments of the decisions that it is handed.
type counted int

func (n *counted) Put(s *trace.Step) error {
	*n += counted(len(s.Thought))
	return nil
}

// TestGallery: all of it opens with who is promised, and thinks.
func TestGallery(t *testing.T) {
	for _, show := range open.Gallery() {
		s, err := open.Scene(show.Choice, think.Wishes{}, open.Run{Engine: open.Go})
		if err != nil {
			t.Errorf("%s: %v", show.Title, err)
			continue
		}
		if h := s.Header(); h.Agent != show.Choice.Agent || show.Title == "" || show.About == "" {
			t.Errorf("%s: played by %s", show.Title, h.Agent)
		}
		var n counted
		if show.Choice.Agent != trace.Human {
			if err := session.Record(context.Background(), s, show.Choice.Seed, 1, &n); err != nil || n == 0 {
				t.Errorf("%s: %d segments, %v", show.Title, n, err)
			}
		}
		if err := s.Agent.Close(); err != nil {
			t.Error(err)
		}
	}
}
