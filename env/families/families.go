// Package families links every family of worlds in: a program that imports it can open all ids by
// env.Make. A new family is a folder under env and a line here.
package families

import (
	_ "github.com/ponder-agents/ponder/env/arc"
	_ "github.com/ponder-agents/ponder/env/maze"
	_ "github.com/ponder-agents/ponder/env/minigrid"
	_ "github.com/ponder-agents/ponder/env/sudoku"
)
