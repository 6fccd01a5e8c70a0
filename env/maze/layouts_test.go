package maze

import (
	"strings"
	"testing"
)

// TestLayouts reads one maze in the characters that people draw it with.
func TestLayouts(t *testing.T) {
	const plain = "#######\n#S    #\n# ### #\n# #   #\n# # ###\n#    G#\n#######\n"
	change := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(plain) }
	for name, text := range map[string]string{
		"dots, E":               change(" ", ".", "G", "E"),
		"A and B":               change("S", "A", "G", "B"),
		"blocks":                change("#", "█"),
		"digits":                change("#", "1", " ", "0"),
		"digits, commas":        change("#", "1,", " ", "0,", "S", "S,", "G", "G,"),
		"byte order mark, CRLF": "\xef\xbb\xbf" + change("\n", "\r\n"),
		"our own answer":        strings.Replace(plain, "#S    #", "#Soooo#", 1) + "reached the goal by a shortest path: 8 moves, 2.0 segments of thought a move\n",
		"lines as walls":        "+--+--+--+\n|S       |\n+  +--+  +\n|  |     |\n+  +  +--+\n|       G|\n+--+--+--+\n",
	} {
		m, err := Parse(text)
		if err != nil || m.String() != plain {
			t.Errorf("%s: %v\n%v", name, err, m)
		}
	}
	if m, err := Parse("S   #\n ## #\n #\n    G\n"); err != nil || m.Rows != 4 || m.Cols != 5 {
		t.Errorf("lines without the spaces at their end: %v, %v", m, err)
	}
}

// TestFromFlat: a square maze without line breaks, as published files have it.
func TestFromFlat(t *testing.T) {
	if m, err := FromFlat("S  # G###"); err != nil || m.Rows != 3 || m.Cols != 3 || m.Goal != 5 {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := FromFlat("SG"); err == nil || !strings.Contains(err.Error(), "2 cells are not a square") {
		t.Errorf("two cells: %v", err)
	}
}
