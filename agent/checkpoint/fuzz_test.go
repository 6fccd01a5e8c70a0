package checkpoint_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/checkpoint"
)

// FuzzCard: a card that is read says the same when it is written and read again.
func FuzzCard(f *testing.F) {
	f.Add(checkpoint.Card{Name: "maze", Tags: []string{"hrm", "ponder"}, Parameters: 97922, Summary: "A small network.", Command: "ponder train maze"}.Markdown())
	f.Add("---\nlicense: apache-2.0\r\nmodel-index:\n- name: x\n---\n# x\n")
	f.Add("---\n---\n")
	f.Fuzz(func(t *testing.T, markdown string) {
		c, err := checkpoint.ParseCard(markdown)
		if err != nil {
			return
		}
		again, err := checkpoint.ParseCard(c.Markdown())
		if err != nil {
			t.Fatalf("%+v is written so that it cannot be read: %v", c, err)
		}
		// What Markdown writes of the rest is text too, and it says what it is for where nobody does.
		c.Text, again.Text, c.Library = "", "", again.Library
		if d := cmp.Diff(c, again); d != "" {
			t.Error(d)
		}
	})
}
