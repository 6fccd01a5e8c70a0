// Package all registers every family of tasks that ponder has.
package all

import (
	_ "github.com/ponder-agents/ponder/agent/task/arcs"
	_ "github.com/ponder-agents/ponder/agent/task/mazes"
	_ "github.com/ponder-agents/ponder/agent/task/sudokus"
)
