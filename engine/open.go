package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/vec"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

func init() {
	open.Register(open.Opener{Engine: open.Go, Open: func(name string, c *checkpoint.Checkpoint, r open.Run) (*think.Model, error) {
		if r.Threads > 0 {
			runtime.GOMAXPROCS(r.Threads)
		}
		return Open(name, c)
	}})
}

// Open makes the model of a checkpoint folder; errors begin with name. The checkpoint becomes the
// model's and is closed with it, or here if there is an error.
func Open(name string, c *checkpoint.Checkpoint) (*think.Model, error) {
	m, err := ofCheckpoint(name, c)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, errors.Join(err, c.Close()))
	}
	return m, nil
}

func ofCheckpoint(name string, c *checkpoint.Checkpoint) (*think.Model, error) {
	u, err := think.ReadUsage(c.Config)
	var net struct {
		Model  arch.Config       `json:"model"`
		Cell   *arch.CellConfig  `json:"cell"`
		Policy arch.PolicyConfig `json:"policy"` // of one that learned by acting
		Spec   env.Spec          `json:"spec"`   // of the world in which it did
	}
	if err == nil {
		err = json.Unmarshal(c.Config, &net)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", checkpoint.ConfigFile, err)
	}
	weights := map[string]safetensors.Tensor{}
	for _, n := range c.Model.Names() {
		if weights[n], err = c.Model.Tensor(n); err != nil {
			return nil, fmt.Errorf("%s: %w", checkpoint.ModelFile, err)
		}
	}
	var m *Model
	switch {
	case u.Task == task.PolicyTask:
		m, err = NewPolicy(net.Policy, net.Spec, weights)
	case net.Cell != nil:
		m, err = NewCell(*net.Cell, weights)
	default:
		m, err = New(net.Model, weights)
	}
	if err != nil {
		return nil, err
	}
	return &think.Model{Name: name, Engine: open.Go, Kernels: vec.Kernels, Core: owner{m, c}, Usage: u, Precision: think.Precision{Name: string(arch.Float32)}}, nil
}

// Shipped is the model of the checkpoint folder that open gives for a name: models.Open.
func Shipped(name string, open func(name string) (fs.FS, error)) (*think.Model, error) {
	dir, err := open(name)
	if err != nil {
		return nil, err
	}
	c, err := checkpoint.ReadFS(dir)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	return Open(name, c)
}

// An owner is a network that closes the checkpoint in which its tables lie.
type owner struct {
	*Model
	from *checkpoint.Checkpoint
}

func (o owner) Close() error { return o.from.Close() }
