package plainyaml

import (
	"fmt"
	"strings"
	"testing"
)

type pair struct {
	Name string
	Size int
}

func TestUnmarshal(t *testing.T) {
	var got pair
	err := Unmarshal([]byte("name: folded\n  over lines\nsize: 3\nother: [1, 2]\n"), &got)
	if want := (pair{"folded over lines", 3}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	// A text of a few hundred bytes that stands for 10^12 words.
	bomb := "a0: &a0 [x]\n"
	for i := range 12 {
		bomb += fmt.Sprintf("a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 9), i)
	}
	for _, tt := range []struct{ text, want string }{
		{bomb + "name: *a12\n", "aliases"},
		{"name: [\n", "line 1, column 7: "},
		{"name: x\nsize: wide\n", "line 2, column 7: cannot unmarshal"},
		{strings.Repeat("#", MaxBytes+1), "at most"},
	} {
		if err := Unmarshal([]byte(tt.text), &got); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.30q: error = %v, want one line with %q", tt.text, err, tt.want)
		}
	}
}

// FuzzUnmarshal asks that no text makes the parser panic, nor an error long.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte("name: x\nsize: 1\n"))
	f.Add([]byte("a: &a [1, *a]\n<<: *a\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var p pair
		if err := Unmarshal(text, &p); err != nil && len(err.Error()) > 500 {
			t.Errorf("an error of %d bytes: %v", len(err.Error()), err)
		}
	})
}
