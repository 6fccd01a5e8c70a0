package session_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
)

// TestOpenScene: who plays where there is no model, and what is refused.
func TestOpenScene(t *testing.T) {
	none := func(session.World) (session.Agent, error) {
		return nil, fmt.Errorf("%w is shipped", session.ErrNoModel)
	}
	for _, tt := range []struct {
		env    string
		choice session.Choice
		want   trace.Agent
		wrong  string
	}{
		{"maze", session.Choice{Agent: trace.Network}, trace.Oracle, ""},
		{"BabyAI-GoToObj-v0", session.Choice{Agent: trace.Network}, trace.Oracle, ""},
		{"maze", session.Choice{Agent: trace.Network, Model: "mine"}, "", "no model is shipped"},
		{"maze", session.Choice{Agent: trace.Human}, trace.Human, ""},
		{"maze", session.Choice{Agent: trace.Chance}, trace.Chance, ""},
		{"maze", session.Choice{Agent: "robot"}, "", "want one of hrm, oracle, random, human"},
	} {
		e, err := env.Make(tt.env)
		if err != nil {
			t.Fatal(err)
		}
		s, err := session.OpenScene(e, tt.choice, none)
		if tt.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s, %+v: error %v, want %q", tt.env, tt.choice, err, tt.wrong)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s, %+v: %v", tt.env, tt.choice, err)
			continue
		}
		if got := s.Header().Agent; got != tt.want {
			t.Errorf("%s, %+v: %s plays, want %s", tt.env, tt.choice, got, tt.want)
		}
	}
}

// TestOptionList: an option's value may have blanks.
func TestOptionList(t *testing.T) {
	got := session.Choice{Options: "dir=my tasks\nradius=2"}.OptionList()
	if want := []string{"dir=my tasks", "radius=2"}; !slices.Equal(got, want) {
		t.Errorf("options %q, want %q", got, want)
	}
	if got := (session.Choice{}).OptionList(); len(got) != 0 {
		t.Errorf("none given: %q", got)
	}
}
