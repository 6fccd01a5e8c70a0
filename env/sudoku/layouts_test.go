package sudoku

import (
	"slices"
	"strings"
	"testing"
)

// TestLayouts reads one puzzle in the layouts that people have it in.
func TestLayouts(t *testing.T) {
	want := mustParse(t, easy)
	rows := func(blank, between, end string) string {
		var b strings.Builder
		for i, d := range want {
			switch {
			case i%9 == 0 && i > 0:
				b.WriteString(end + "\n")
			case i > 0:
				b.WriteString(between)
			}
			if d == 0 {
				b.WriteString(blank)
			} else {
				b.WriteByte('0' + d)
			}
		}
		return b.String() + end + "\n"
	}
	stripped := strings.Split(rows(" ", "", ""), "\n")
	for i := range stripped {
		stripped[i] = strings.TrimRight(stripped[i], " ")
	}
	json := "[[" + strings.ReplaceAll(strings.TrimSpace(rows("0", ", ", "")), "\n", "],\n[") + "]]"
	for name, text := range map[string]string{
		"SudoCue":                "#AAnon\n#B01-01-2020\n" + rows(".", "", ""),
		"SadMan":                 "[Puzzle]\n" + rows(".", "", "") + "[State]\n" + rows("1", "", ""),
		"title":                  "Grid 01\n" + rows("0", "", ""),
		"stars":                  rows("*", " ", ""),
		"underscores":            rows("_", "", ""),
		"x":                      rows("x", " ", ""),
		"question marks, commas": rows("?", ",", ""),
		"dashes":                 rows("-", "", ""),
		"commas":                 rows("0", ",", ""),
		"nothing between commas": rows("", ",", ""),
		"semicolons":             rows("", ";", ""),
		"spaces":                 rows(" ", "", ""),
		"spaces, stripped":       strings.Join(stripped, "\n"),
		"box drawing":            "┌───┬───┬───┐\n│" + strings.ReplaceAll(strings.TrimSpace(rows(".", "", "│")), "\n", "\n│") + "\n└───┴───┴───┘\n",
		"JSON":                   json,
		"JSON, one string":       `["` + easy + `"]`,
		"a comment after it":     easy + " # easy\n",
		"byte order mark, CRLF":  "\xef\xbb\xbf" + strings.ReplaceAll(rows(".", "", ""), "\n", "\r\n"),
		"our own":                string(AppendText(nil, want)),
	} {
		if got, err := Parse(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v\n%s", name, err, got, text)
		}
	}
	all, err := ParseAll(easy + "\n" + strings.ReplaceAll(easy, ".", "0") + "\n")
	if err != nil || len(all) != 2 || !slices.Equal(all[0], all[1]) {
		t.Errorf("two puzzles: %v, %v", all, err)
	}
	if _, err := Parse(easy + "\n" + easy); err == nil || !strings.Contains(err.Error(), "2 puzzles, want one") {
		t.Errorf("two for one: %v", err)
	}
}
