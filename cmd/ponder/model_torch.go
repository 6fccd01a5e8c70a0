//go:build cgo && !notorch

package main

import (
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/torch"
)

// openTorch is the model of c on libtorch.
func (f *modelFlags) openTorch(c *checkpoint.Checkpoint) (*think.Model, error) {
	n, err := f.load(f.model, c)
	if err != nil {
		return nil, err
	}
	return n.Thinking(), nil
}

// load loads a network with its parameters, to train or to fit.
func (f *modelFlags) load(name string, c *checkpoint.Checkpoint) (*learn.Net, error) {
	dev, err := f.use()
	if err != nil {
		return nil, err
	}
	return learn.NewNet(name, c, dev)
}

// use applies the flags that concern the process and returns the device.
func (f *modelFlags) use() (torch.Device, error) {
	if f.threads < 0 {
		return 0, usagef("--threads %d: want 1 or more, or 0 for libtorch's choice", f.threads)
	}
	if f.threads > 0 {
		torch.SetThreads(f.threads)
	}
	return openDevice(f.device)
}

// openDevice is the device of that name, once libtorch is known to be the one this program was built for.
func openDevice(name string) (torch.Device, error) {
	if err := torch.CheckLibrary(); err != nil {
		return 0, withCode(exitEnvironment, err)
	}
	dev, err := torch.ParseDevice(name)
	return dev, withCode(exitEnvironment, err)
}
