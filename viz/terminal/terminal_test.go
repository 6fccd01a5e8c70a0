package terminal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
	"github.com/ponder-agents/ponder/viz/terminal"
)

// typing gives one key a read, as a terminal in raw mode does.
type typing []string

func (t *typing) Read(p []byte) (int, error) {
	if len(*t) == 0 {
		return 0, fmt.Errorf("nobody ended the game")
	}
	n := copy(p, (*t)[0])
	*t = (*t)[1:]
	return n, nil
}

// play types keys into a fresh world and returns the pictures shown.
func play(t *testing.T, e env.Env, keys ...string) []string {
	t.Helper()
	w, err := session.WorldOf(e)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	in := typing(append(keys, "q"))
	if err := terminal.Play(session.NewLoop(&session.Scene{World: w, Agent: session.NewHuman()}, 3), &in, &out); err != nil {
		t.Fatal(err)
	}
	return strings.Split(out.String(), "\x1b[H\x1b[2J")[1:]
}

func TestPlayMaze(t *testing.T) {
	e, err := env.OpenLevel("#####\n#S G#\n#####\n#   #\n#####\n")
	if err != nil {
		t.Fatal(err)
	}
	const right, down = "\x1b[C", "\x1b[B"
	got := play(t, e, right, "x", down, ":", "right", "\r", right, "r", ":", "9", "\r")
	for i, want := range []string{
		"step 0   return 0.000\r\n",
		"right: reward 0.000\r\n",
		"keys: arrows",
		"down: reward 0.000\r\n",
		"right: reward 1.000, terminated; r begins another, q ends\r\n",
		"the episode has ended: r begins another, q ends\r\n",
		"step 0   return 0.000\r\n",
		`action 0: "9" is neither in [0, 4) nor one of`,
	} {
		if i >= len(got) || !strings.Contains(got[i], want) {
			t.Errorf("picture %d of %d:\n%s\nwant %q", i, len(got), strings.Join(got[min(i, len(got)):min(i+1, len(got))], ""), want)
		}
	}
	if want := "#####\r\n#S G#\r\n"; !strings.Contains(got[0], want) {
		t.Errorf("the first picture has no maze:\n%s", got[0])
	}
}

func TestPlayMiniGrid(t *testing.T) {
	e, err := env.Make("MiniGrid-Empty-5x5-v0")
	if err != nil {
		t.Fatal(err)
	}
	const up, left = "\x1b[A", "\x1b[D"
	got := play(t, e, up, left)
	for i, want := range []string{"\x1b[91;48;5;236m▶ ", "forward: reward", "▲ "} {
		if !strings.Contains(got[i], want) {
			t.Errorf("picture %d:\n%s\nwant %q", i, got[i], want)
		}
	}
	if strings.Contains(got[0], "▲") {
		t.Error("the agent looked up before it turned")
	}
}
