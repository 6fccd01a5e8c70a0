package models

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/checkpoint"
)

// TestShipped reads every model that is compiled in, checksums compared.
func TestShipped(t *testing.T) {
	for _, name := range Names() {
		fsys, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := checkpoint.ReadFS(fsys)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var numbers int64
		for _, tensor := range c.Model.Names() {
			x, err := c.Model.Tensor(tensor)
			if err != nil {
				t.Fatal(err)
			}
			numbers += int64(x.Len())
		}
		card, err := Card(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if card.Name == "" || card.Summary == "" || card.Command == "" || len(card.Results) == 0 || card.Parameters < 1 || card.Parameters > numbers {
			t.Errorf("%s: the card is not complete, or claims parameters that the file's %d numbers don't hold: %+v", name, numbers, card)
		}
		if c.Optimizer != nil {
			t.Errorf("%s ships the optimizer's state, which nobody needs", name)
		}
	}
}

func TestNames(t *testing.T) {
	fsys := fstest.MapFS{
		"models.go":       {},
		"b/config.json":   {Data: []byte("{}")},
		"b/README.md":     {Data: []byte("---\nname: b\nsummary: a model\n---\n")},
		"a/config.json":   {Data: []byte("{}")},
		"notes/README.md": {},
		"a/x/config.json": {},
		"a/README.md":     {Data: []byte("no front matter")},
	}
	if got := names(fsys); !cmp.Equal(got, []string{"a", "b"}) {
		t.Errorf("names = %q", got)
	}
	b, err := open(fsys, "b")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := card(b, "b"); err != nil || c.Summary != "a model" {
		t.Errorf("card = %+v, %v", c, err)
	}
	a, err := open(fsys, "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := card(a, "a"); err == nil || !strings.Contains(err.Error(), "model a") {
		t.Errorf("a card without front matter: %v", err)
	}
	for _, name := range []string{"c", "", ".", "../a", "notes", "a/x"} {
		if _, err := open(fsys, name); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "but a, b") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := open(fstest.MapFS{}, "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none shipped: %v", err)
	}
}
