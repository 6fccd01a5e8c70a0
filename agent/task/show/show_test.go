package show_test

import (
	"errors"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	_ "github.com/ponder-agents/ponder/agent/task/families"
	"github.com/ponder-agents/ponder/agent/task/puzzles"
	"github.com/ponder-agents/ponder/agent/task/show"
	"github.com/ponder-agents/ponder/env/arc"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestText: each family is known by its rows, and input and answer stand beside each other.
func TestText(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"maze.csv", "question,answer\nS #  #  G,S #  #oo G\n", ""}, // the answer is too long
		{"maze.csv", "question,answer\nS #  #  G,So#ooo  G\n", ""},  // a wall is marked
		{"maze.csv", "question,answer\nS  ## ##G,Soo##o##G\n", "S       Soo\n##      ##o\n##G     ##G\n"},
		{"sudoku.csv", "question,answer\n1...............,1234341221434321\n", "1 . | . .     1 2 | 3 4\n. . | . .     3 4 | 1 2\n----+----     ----+----\n. . | . .     2 1 | 4 3\n. . | . .     4 3 | 2 1\n"},
		{"task.json", `{"train": [{"input": [[1, 2]], "output": [[3], [4]]}], "test": [{"input": [[5]]}]}`, "12     3\n       4\n"},
	} {
		list, err := puzzles.Load(write(t, tt.name, tt.text), puzzles.Query{Count: 1})
		if tt.want == "" {
			if err == nil || !strings.Contains(err.Error(), "column answer") {
				t.Errorf("%q: %v, want a fault of the answer", tt.text, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if diff := cmp.Diff(tt.want, show.Text(&list[0], false)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if _, err := puzzles.Load(write(t, "x.csv", "question,answer\nabc,abd\n"), puzzles.Query{Count: 1}); err == nil || !strings.Contains(err.Error(), "looks like no puzzle") {
		t.Errorf("rows of no family: %v", err)
	}
}

// TestPaint: an ARC task is painted in its colours, and a picture has bounds.
func TestPaint(t *testing.T) {
	list, err := puzzles.Load(write(t, "task.json", `{"train": [{"input": [[1, 2]], "output": [[3], [4]]}], "test": [{"input": [[5]]}]}`), puzzles.Query{Count: 2})
	if err != nil {
		t.Fatal(err)
	}
	img, err := show.Paint(list, 20)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[color.Color]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			seen[img.At(x, y)]++
		}
	}
	for _, c := range []uint8{1, 2, 3, 4, 5} {
		if n := seen[arc.Palette[c]]; n < 200 || n > 400 {
			t.Errorf("colour %d has %d pixels, want most of the 400 of a cell", c, n)
		}
	}
	if _, err := show.Paint(list, 1<<14); !errors.Is(err, show.ErrLarge) {
		t.Errorf("a picture of %d pixels a cell: %v", 1<<14, err)
	}
}
