// Package terminal lets a person walk through a world in a terminal: it draws the board of a
// [session.Loop] in characters and takes its actions from keys. `ponder env play` is it.
package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/internal/text"
)

// keys maps what a terminal sends to the names of actions, by preference.
var keys = map[string][]string{
	"\x1b[A": {"forward", "up"}, "\x1b[B": {"down"}, "\x1b[C": {"right"}, "\x1b[D": {"left"},
	" ": {"toggle", "submit"}, "p": {"pickup", "paint"}, "d": {"drop"}, "\r": {"done", "submit"}, "u": {"undo"},
}

// The notes of a game.
const (
	help = "keys: arrows, space toggle, p pickup, d drop, enter done, : any action, r new episode, q quit"
	over = "the episode has ended: r begins another, q ends"
)

// Play shows the loop on out and acts in it by the keys that come from in, a terminal in raw mode,
// until q, Ctrl-C or the end of in: arrows, space (toggle), p (pickup), d (drop), enter (done); : and a
// name or number does any other action, r begins the episode of the next seed.
func Play(l *session.Loop, in io.Reader, out io.Writer) error {
	g := &game{loop: l, out: out}
	buf := make([]byte, 16)
	for {
		if err := g.draw(); err != nil {
			return err
		}
		n, err := in.Read(buf)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch k := string(buf[:n]); k {
		case "q", "\x03", "\x1b":
			return nil
		case "r":
			l.Reset(l.Seed() + 1)
			g.note = ""
		case ":":
			actions, err := env.ParseActions(g.line(in), l.World.Spec())
			if err != nil {
				g.note = err.Error()
			}
			for _, a := range actions {
				g.act(a)
			}
		default:
			g.key(k)
		}
	}
}

// A game is a person's walk through a world.
type game struct {
	loop *session.Loop
	out  io.Writer
	note string // below the board
}

// line reads what is typed until enter, and shows it.
func (g *game) line(in io.Reader) string {
	fmt.Fprint(g.out, "\r\n:")
	var line strings.Builder
	buf := make([]byte, 16)
	for {
		n, err := in.Read(buf)
		if err != nil || n == 0 || buf[0] == '\r' || buf[0] == '\n' || buf[0] == 3 {
			return line.String()
		}
		line.Write(buf[:n])
		g.out.Write(buf[:n])
	}
}

// key does what a key means here.
func (g *game) key(k string) {
	for _, want := range keys[k] {
		if a := slices.Index(g.loop.World.Spec().Actions, want); a >= 0 {
			g.act(a)
			return
		}
	}
	g.note = help
}

func (g *game) act(action int) {
	if g.loop.Over() {
		g.note = over
		return
	}
	name := g.loop.World.Spec().Actions[action]
	err := g.loop.Take(action, func(s *trace.Step) error {
		if s.Action < 0 {
			return nil // the last state, shown by draw
		}
		g.note = fmt.Sprintf("%s: reward %.3f", name, s.Reward+0) // never -0.000
		switch {
		case s.Terminated:
			g.note += ", terminated; r begins another, q ends"
		case s.Truncated:
			g.note += ", truncated; r begins another, q ends"
		}
		return nil
	})
	if err != nil {
		g.note = err.Error()
	}
}

func (g *game) draw() error {
	s := g.loop.Step()
	var b strings.Builder
	fmt.Fprintf(&b, "\x1b[H\x1b[2J%s   step %d   return %.3f\r\n", g.loop.World.Spec().ID, s.Index, s.Return)
	if s.Board.Caption != "" {
		fmt.Fprintf(&b, "%s\r\n", text.Plain(s.Board.Caption))
	}
	fmt.Fprintf(&b, "\r\n%s\r\n%s\r\n", strings.ReplaceAll(Board(g.loop.World, s.Board), "\n", "\r\n"), text.Plain(g.note))
	_, err := io.WriteString(g.out, b.String())
	return err
}
