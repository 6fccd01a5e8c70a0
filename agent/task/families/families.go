// Package families links every family of tasks in: a program that imports it can open all models and data by
// name. A new family is a folder under agent/task and a line here.
package families

import (
	_ "github.com/ponder-agents/ponder/agent/task/arcs"
	_ "github.com/ponder-agents/ponder/agent/task/mazes"
	_ "github.com/ponder-agents/ponder/agent/task/sudokus"
)
