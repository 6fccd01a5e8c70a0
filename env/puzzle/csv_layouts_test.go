package puzzle

import (
	"strings"
	"testing"
)

// TestCSVLayouts reads one row in the layouts of published files.
func TestCSVLayouts(t *testing.T) {
	q, a := strings.Repeat(".", 80)+"1", strings.Repeat("2", 81)
	for text, rating := range map[string]int{
		"source,question,answer,rating\r\nx," + q + "," + a + ",12.5\r\n":    12,
		"quizzes,solutions\n" + q + "," + a + "\n":                           0,
		"id,puzzle,solution,clues,difficulty\n1," + q + "," + a + ",1,2.2\n": 2,
		"\xef\xbb\xbf" + q + "," + a + "\n":                                  0,
		"puzzle;solution\n" + q + ";" + a + "\n":                             0,
		"puzzle\tsolution\n" + q + "\t" + a + "\n":                           0,
	} {
		n := 0
		for row, err := range ReadCSV(strings.NewReader(text), "x.csv") {
			if n++; err != nil || row.Question != q || row.Answer != a || row.Rating != rating {
				t.Errorf("%.40q: %+v, %v", text, row, err)
			}
		}
		if n != 1 {
			t.Errorf("%.40q: %d rows", text, n)
		}
	}
}
