package terminal

import (
	"fmt"
	"strings"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
)

// Board is the board of a world in characters: MiniGrid's with colours, two characters a cell; other
// families show their own text form.
func Board(e env.Env, b grid.Board) string {
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
