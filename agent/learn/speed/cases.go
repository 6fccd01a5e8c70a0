//go:build cgo && !notorch

package speed

import (
	"fmt"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/models"
	"github.com/ponder-agents/ponder/torch"
)

// A Case is a network and what it does.
type Case struct {
	Name   string       // those of training steps begin with "train"
	Recipe learn.Recipe // the network, and how it learns; of a shipped model that is in its folder
	Model  string       // whose weights they are, a shipped model; "" means drawn from a seed
	Batch  int          // sequences at once
	Data   string       // what it learns from; "" means that it thinks about random tokens
}

// seed draws the weights and tokens of all cases.
const seed = 1

// Cases are all, in the order in which they are measured; on a GPU also a step of the published batch.
func Cases(dev torch.Device) ([]Case, error) {
	big := learn.HRM()
	small, mazes := big, big
	small.Model = hrm.Config{Vocab: 11, Seq: 81, Hidden: 128, Heads: 4, Levels: hrm.HL(2, 2, 2, 2), PuzzleIDs: 1, PuzzleDim: 128}
	mazes.Model.Vocab, mazes.Model.Seq = 6, 30*30
	var all []Case
	add := func(name string, r learn.Recipe, batches ...int) {
		for _, n := range batches {
			all = append(all, Case{Name: fmt.Sprintf("%s, batch %d", name, n), Recipe: r, Batch: n})
		}
	}
	add("27M sudoku", big, 1, 8, 32)
	add("27M maze 30x30", mazes, 1)
	add("128 sudoku", small, 1, 32, 256)
	for _, name := range models.Names() {
		u, err := usage(name)
		if err != nil {
			return nil, err
		}
		if u.Task == task.PolicyTask {
			continue
		}
		for _, n := range []int{1, 32} {
			all = append(all, Case{Name: fmt.Sprintf("model %s, batch %d", name, n), Model: name, Batch: n})
		}
	}
	for _, t := range []struct {
		name, preset, data string
		recipe             learn.Recipe
		batch              int
	}{
		{name: "sudoku", preset: "sudoku", data: "sudoku:30-36", batch: 64},
		{name: "maze", preset: "maze", data: "maze-directions:15", batch: 64},
		{name: "128 sudoku", recipe: small, data: "sudoku:30-36", batch: 64},
		{name: "27M sudoku", recipe: big, data: "sudoku:30-36", batch: 16},
	} {
		if t.preset != "" {
			var err error
			if t.recipe, err = learn.Preset(t.preset); err != nil {
				return nil, err
			}
		}
		add("train "+t.name, t.recipe, t.batch)
		all[len(all)-1].Data = t.data
	}
	if dev != torch.CPU {
		add("train 27M sudoku", big, big.Batch)
		all[len(all)-1].Data = "sudoku:30-36"
	}
	return all, nil
}

// usage is what a shipped model is for.
func usage(name string) (think.Usage, error) {
	c, err := shipped(name)
	if err != nil {
		return think.Usage{}, err
	}
	defer c.Close()
	return think.ReadUsage(c.Config)
}

func shipped(name string) (*checkpoint.Checkpoint, error) {
	dir, err := models.Open(name)
	if err != nil {
		return nil, err
	}
	return checkpoint.ReadFS(dir)
}

// net is the network of c, with parameters.
func (c Case) net(run hrm.Run) (*learn.Net, error) {
	if c.Model != "" {
		from, err := shipped(c.Model)
		if err != nil {
			return nil, err
		}
		defer from.Close()
		return learn.NewNet(c.Model, from, run)
	}
	params := torch.NewParams(run.Device)
	n, err := c.Recipe.NewNetwork(params, seed)
	if err != nil {
		params.Close()
		return nil, err
	}
	return &learn.Net{Name: c.Name, Recipe: c.Recipe, Network: n}, nil
}
