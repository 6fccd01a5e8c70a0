package host

import (
	"slices"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
)

// whatFiles says what play and record take.
const whatFiles = `A file is a trace, levels or puzzles (a maze, a sudoku or many, a level of MiniGrid's, an ARC task, a CSV of
puzzles); what it is is told by its content. A folder is a run or a checkpoint, whose model acts in the world
that it learned for, or a dataset (DIR or dataset:DIR). Of many puzzles the seed says which comes first,
counted from 0.`

// named puts what a name stands for into a choice and the options of its world; of a recording it is the path alone.
func named(name string, c *session.Choice, options *[]string) (trace string, err error) {
	t, err := open.Named(name)
	if err != nil {
		return "", ask.Code(err)
	}
	if t.Trace != "" && (c.Model != "" || len(*options) > 0) {
		return "", cli.Usagef("%s is a recording: --model and --option are of an environment", name)
	}
	if t.Model != "" && c.Model != "" {
		return "", cli.Usagef("%s is a model, --model %s another: name one of them and an environment", name, c.Model)
	}
	if t.Model != "" {
		c.Model = t.Model
	}
	c.Env, *options = t.World, slices.Concat(t.Options, *options)
	return t.Trace, nil
}
