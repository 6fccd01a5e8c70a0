package text_test

import (
	"testing"

	"github.com/ponder-agents/ponder/internal/text"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"a maze, \t12 °C → │\n":       "a maze, \t12 °C → │\n",
		"red \x1b[31mred":             `red \x1b[31mred`,
		"title \x1b]0;x\x07":          `title \x1b]0;x\x07`,
		"over\rwritten\b\x7f":         `over\x0dwritten\x08\x7f`,
		"C1 \u009b31m":                `C1 \u009b31m`,
		"cut \xe2\x94 and 8 bit \x9b": `cut \xe2\x94 and 8 bit \x9b`,
		"turned \u202etxt.exe":        `turned \u202etxt.exe`,
		"a replacement �":             "a replacement �",
		"":                            "",
	} {
		if got := text.Plain(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
