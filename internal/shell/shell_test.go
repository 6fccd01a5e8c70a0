package shell

import (
	"os/exec"
	"testing"
)

// TestJoin asks a shell what it makes of a command.
func TestJoin(t *testing.T) {
	words := []string{"runs/a-1", "my run", "it's", "$HOME", "a;b", "", "ü", "~", "x=*"}
	if got, want := Join(words[:3]), `runs/a-1 'my run' 'it'\''s'`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell here")
	}
	want := ""
	for _, w := range words {
		want += w + "\n"
	}
	if got, err := exec.Command(sh, "-c", `printf '%s\n' `+Join(words)).Output(); err != nil || string(got) != want {
		t.Errorf("%q, error %v, want %q", got, err, want)
	}
}
