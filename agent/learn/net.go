//go:build cgo && !notorch

package learn

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A Net is a trained network with parameters, to fit or to begin training with: a checkpoint folder that
// was read.
type Net struct {
	Name    string // for messages
	Recipe  Recipe // what it was trained with; Task, Loss and Evaluation say how to use it
	Network hrm.Network
}

// ErrPolicy is what is said of the checkpoint of a policy, which package rl opens.
var ErrPolicy = errors.New("a policy that learned by acting: rl.Open opens it")

// NewNet makes the network of a checkpoint; errors begin with name. Where run has no precision, it is the
// one that the network was trained in. The checkpoint may be closed afterwards.
func NewNet(name string, c *checkpoint.Checkpoint, run hrm.Run) (*Net, error) {
	n := &Net{Name: name}
	weights, err := n.Recipe.read(c)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	n.Recipe.Precision = n.Recipe.run(run).Precision
	params := torch.NewParams(run.Device)
	if n.Network, err = n.Recipe.NetworkFrom(params, weights); err != nil {
		params.Close()
		return nil, fmt.Errorf("model %s: %s: %w", name, checkpoint.ModelFile, err)
	}
	return n, nil
}

// Thinking is the network, with its parameters as they are now, to think with.
func (n *Net) Thinking() (*think.Model, error) { return n.Recipe.thinking(n.Name, n.Network) }

// Close frees the network.
func (n *Net) Close() {
	n.Network.Close()
	n.Network.Params().Close()
}

// Load makes the network of a checkpoint, to think with, as NewNet makes it with parameters.
func Load(name string, c *checkpoint.Checkpoint, run hrm.Run) (*think.Model, error) {
	var r Recipe
	weights, err := r.read(c)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	chosen := think.Precision{}
	if run.Precision == open.Auto {
		if chosen, err = r.choose(weights, run); err != nil {
			return nil, fmt.Errorf("model %s: %w", name, err)
		}
		run.Precision = hrm.Precision(chosen.Name)
	}
	core, err := r.LoadCore(weights, run)
	if err != nil {
		return nil, fmt.Errorf("model %s: %s: %w", name, checkpoint.ModelFile, err)
	}
	m := r.model(name, core, r.run(run).Precision)
	m.Precision.Times = chosen.Times
	return m, nil
}

// Shipped is Load of the checkpoint folder that open gives for a name: models.Open.
func Shipped(name string, open func(name string) (fs.FS, error), run hrm.Run) (*think.Model, error) {
	dir, err := open(name)
	if err != nil {
		return nil, err
	}
	c, err := checkpoint.ReadFS(dir)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	defer c.Close()
	return Load(name, c, run)
}

// thinking is n, a network of r with its parameters as they are now, to think with.
func (r Recipe) thinking(name string, n hrm.Network) (*think.Model, error) {
	c, err := n.Compile(hrm.Run{Device: n.Params().Device(), Precision: r.Precision})
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	return r.model(name, c, r.Precision), nil
}

func (r Recipe) model(name string, c *hrm.Core, in hrm.Precision) *think.Model {
	return &think.Model{Name: name, Engine: open.Torch, Kernels: Kernels, Core: NewCore(c), Usage: r.usage(), Precision: think.Precision{Name: string(cmp.Or(in, hrm.Float32))}}
}

// read reads r and the weights from a checkpoint, and checks that r says what to do with them.
func (r *Recipe) read(c *checkpoint.Checkpoint) (map[string]safetensors.Tensor, error) {
	if u, err := think.ReadUsage(c.Config); err == nil && u.Task == task.PolicyTask {
		return nil, ErrPolicy
	}
	err := json.Unmarshal(c.Config, r)
	if err == nil {
		err = r.checkNetwork()
	}
	if bad := r.Evaluation.Check(); err == nil && bad != nil {
		err = fmt.Errorf("evaluation: %w", bad)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", checkpoint.ConfigFile, err)
	}
	weights, err := c.Model.Tensors()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", checkpoint.ModelFile, err)
	}
	return weights, nil
}
