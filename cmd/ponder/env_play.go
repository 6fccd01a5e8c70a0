package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
)

// keyNames maps what a terminal sends to the names of actions, by preference.
var keyNames = map[string][]string{
	"\x1b[A": {"forward", "up"}, "\x1b[B": {"down"}, "\x1b[C": {"right"}, "\x1b[D": {"left"},
	" ": {"toggle", "submit"}, "p": {"pickup", "paint"}, "d": {"drop"}, "\r": {"done", "submit"}, "u": {"undo"},
}

func newEnvPlayCmd() *cobra.Command {
	var (
		seed    uint64
		level   string
		options []string
	)
	cmd := &cobra.Command{
		Use:   "play ID",
		Short: "Walk a level in the terminal",
		Long: `Shows the level in the terminal and acts by keys: arrows, space (toggle), p (pickup), d (drop),
enter (done); : and a name or number does any other action. r begins a new episode, q ends.`,
		Example: "  ponder env play maze --seed 3",
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := openEnv(args[0], options)
			if err != nil {
				return err
			}
			b, ok := env.As[env.Boarder](e)
			if !ok {
				return usagef("%s cannot be shown in a terminal", args[0])
			}
			fd := int(os.Stdin.Fd())
			if !term.IsTerminal(fd) {
				return withCode(exitEnvironment, fmt.Errorf("play needs a terminal; `ponder env show` needs none"))
			}
			old, err := term.MakeRaw(fd)
			if err != nil {
				return withCode(exitEnvironment, err)
			}
			defer term.Restore(fd, old)
			e.Seed(seed)
			g := game{env: e, board: b, out: cmd.OutOrStdout(), obs: make([]byte, e.Spec().ObsLen)}
			g.reset()
			if level != "" {
				if err := loadLevel(e, level); err != nil {
					return err
				}
			}
			return g.loop(os.Stdin)
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", 0, "seed of the first level")
	cmd.Flags().StringVar(&level, "level", "", "level file to begin with")
	cmd.Flags().StringArrayVarP(&options, "option", "o", nil, "option of the environment, NAME=VALUE; may be repeated")
	return cmd
}

// A game is a person's walk through an environment.
type game struct {
	env   env.Env
	board env.Boarder
	out   io.Writer
	obs   []byte
	steps int
	total float64
	note  string
	over  bool
}

func (g *game) reset() {
	g.env.Reset(g.obs)
	g.steps, g.total, g.over, g.note = 0, 0, false, ""
}

// loop reads keys until q, Ctrl-C or the end of the input.
func (g *game) loop(in io.Reader) error {
	buf := make([]byte, 16)
	for {
		g.draw()
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
			g.reset()
		case ":":
			fmt.Fprint(g.out, "\r\n:")
			var line strings.Builder
			for {
				n, err := in.Read(buf)
				if err != nil || n == 0 || buf[0] == '\r' || buf[0] == '\n' || buf[0] == 3 {
					break
				}
				line.Write(buf[:n])
				g.out.Write(buf[:n])
			}
			acts, err := parseActions(line.String(), g.env.Spec())
			if err != nil {
				g.note = err.Error()
				continue
			}
			for _, a := range acts {
				g.act(a)
			}
		default:
			g.key(k)
		}
	}
}

func (g *game) key(k string) {
	for _, want := range keyNames[k] {
		for a, name := range g.env.Spec().Actions {
			if name == want {
				g.act(a)
				return
			}
		}
	}
	g.note = "keys: arrows, space toggle, p pickup, d drop, enter done, : any action, r new episode, q quit"
}

func (g *game) act(a int) {
	if g.over {
		g.note = "the episode has ended: r begins another, q ends"
		return
	}
	out := g.env.Step(a, g.obs)
	g.steps++
	g.total += out.Reward
	g.note = fmt.Sprintf("%s: reward %.3f", g.env.Spec().Actions[a], out.Reward)
	switch {
	case out.Terminated:
		g.note += ", terminated; r begins another, q ends"
	case out.Truncated:
		g.note += ", truncated; r begins another, q ends"
	}
	g.over = out.Done()
}

func (g *game) draw() {
	var b strings.Builder
	b.WriteString("\x1b[H\x1b[2J")
	fmt.Fprintf(&b, "%s   step %d   return %.3f\r\n", g.env.Spec().ID, g.steps, g.total)
	board := g.board.Board()
	if board.Caption != "" {
		fmt.Fprintf(&b, "%s\r\n", board.Caption)
	}
	b.WriteString("\r\n")
	b.WriteString(strings.ReplaceAll(boardText(g.env, board), "\n", "\r\n"))
	fmt.Fprintf(&b, "\r\n%s\r\n", g.note)
	io.WriteString(g.out, b.String())
}

// boardText is a board in characters with colours, two a cell, for MiniGrid; other families show
// their own text form.
func boardText(e env.Env, b grid.Board) string {
	if b.Family != "minigrid" {
		if l, ok := env.As[env.Leveler](e); ok {
			if text, err := l.Level(); err == nil {
				return text
			}
		}
	}
	ansi := [...]string{"31", "32", "34", "35", "33", "90"}
	doors := [...]string{"▕▏", "▢ ", "▣ "}
	kinds := [...]string{"  ", "  ", "██", "░░", "", "⚷ ", "● ", "■ ", "██", "≈≈", ""}
	var out strings.Builder
	for y := range b.Rows {
		for x := range b.Cols {
			c := b.Cells[y*b.Cols+x]
			s := "? "
			if int(c.Kind) < len(kinds) {
				s = kinds[c.Kind]
			}
			if c.Kind == 4 {
				s = doors[c.State%3]
			}
			code := ansi[c.Color%6]
			for _, p := range b.Pieces {
				if p.X == x && p.Y == y && p.Kind == grid.PieceAgent {
					s, code = [...]string{"▶ ", "▼ ", "◀ ", "▲ "}[p.Dir&3], "91"
				}
			}
			if c.Flags&grid.FlagSeen != 0 {
				code += ";48;5;236"
			}
			fmt.Fprintf(&out, "\x1b[%sm%s\x1b[0m", code, s)
		}
		out.WriteString("\n")
	}
	return out.String()
}
