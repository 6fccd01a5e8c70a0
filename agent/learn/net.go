//go:build cgo && !notorch

package learn

import (
	"encoding/json"
	"fmt"
	"io/fs"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A Net is a trained network with its parameters, to fit or to think with: a checkpoint folder that was
// read.
type Net struct {
	Name   string // for traces and messages
	Recipe Recipe // what it was trained with; Task, Model, Loss and Evaluation say how to use it
	Model  *hrm.Model
}

// Thinking is the network, with its parameters as they are now, to think with. Closing it closes the
// network.
func (n *Net) Thinking() *think.Model {
	return &think.Model{Name: n.Name, Engine: "torch", Core: ownedCore{NewCore(n.Model), n}, Usage: n.Recipe.usage()}
}

// An ownedCore closes its network.
type ownedCore struct {
	think.Core
	net *Net
}

func (c ownedCore) Close() error {
	c.net.Close()
	return nil
}

// NewNet makes the network of a checkpoint on dev; errors begin with name. The checkpoint may be
// closed afterwards.
func NewNet(name string, c *checkpoint.Checkpoint, dev torch.Device) (*Net, error) {
	n := &Net{Name: name}
	if err := n.load(c, dev); err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	return n, nil
}

// Shipped is the model of the checkpoint folder that open gives for a name: models.Open.
func Shipped(name string, open func(name string) (fs.FS, error), dev torch.Device) (*think.Model, error) {
	dir, err := open(name)
	if err != nil {
		return nil, err
	}
	c, err := checkpoint.ReadFS(dir)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	defer c.Close()
	n, err := NewNet(name, c, dev)
	if err != nil {
		return nil, err
	}
	return n.Thinking(), nil
}

func (n *Net) load(c *checkpoint.Checkpoint, dev torch.Device) error {
	if err := json.Unmarshal(c.Config, &n.Recipe); err != nil {
		return fmt.Errorf("%s: %w", checkpoint.ConfigFile, err)
	}
	if err := n.Recipe.Evaluation.Validate(); err != nil {
		return fmt.Errorf("%s: evaluation: %w", checkpoint.ConfigFile, err)
	}
	weights, err := tensors(c.Model)
	if err != nil {
		return fmt.Errorf("%s: %w", checkpoint.ModelFile, err)
	}
	params := torch.NewParams(dev)
	m, err := hrm.New(n.Recipe.Model, params, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", checkpoint.ConfigFile, err)
	}
	n.Model = m
	if err := params.Load(weights); err != nil {
		n.Close()
		return fmt.Errorf("%s: %w", checkpoint.ModelFile, err)
	}
	return nil
}

// tensors reads all tensors of a file.
func tensors(f *safetensors.File) (map[string]safetensors.Tensor, error) {
	out := map[string]safetensors.Tensor{}
	for _, name := range f.Names() {
		t, err := f.Tensor(name)
		if err != nil {
			return nil, err
		}
		out[name] = t
	}
	return out, nil
}

// Close frees the network.
func (n *Net) Close() {
	n.Model.Close()
	n.Model.Params().Close()
}
