//go:build cgo && !notorch

package main

import (
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/learn/rl"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
	"github.com/spf13/pflag"
)

// addDevice adds the flags of what trains, which is libtorch alone.
func (f *modelFlags) addDevice(flags *pflag.FlagSet) {
	flags.StringVar(&f.device, "device", "cpu", "cpu, cuda or cuda:N")
	flags.IntVar(&f.threads, "threads", 0, "threads of one operation; 0 leaves it to libtorch")
}

// openTorch is the model of c on libtorch.
func (f *modelFlags) openTorch(c *checkpoint.Checkpoint) (*think.Model, error) {
	if u, err := think.ReadUsage(c.Config); err == nil && u.Task == task.PolicyTask {
		dev, err := f.use()
		if err != nil {
			return nil, err
		}
		return rl.Open(f.model, c, dev)
	}
	run, err := f.run()
	if err != nil {
		return nil, err
	}
	return learn.Load(f.model, c, run)
}

// load loads a network with its parameters, to fit.
func (f *modelFlags) load(name string, c *checkpoint.Checkpoint) (*learn.Net, error) {
	run, err := f.run()
	if err != nil {
		return nil, err
	}
	return learn.NewNet(name, c, run)
}

// run is where and in which number format the model runs.
func (f *modelFlags) run() (hrm.Run, error) {
	if err := f.checkPrecision(engineTorch); err != nil {
		return hrm.Run{}, err
	}
	dev, err := f.use()
	return hrm.Run{Device: dev, Precision: hrm.Precision(f.precision)}, err
}

// use applies the flags that concern the process and returns the device.
func (f *modelFlags) use() (torch.Device, error) {
	if f.threads < 0 {
		return 0, cli.Usagef("--threads %d: want 1 or more, or 0 for libtorch's choice", f.threads)
	}
	if f.threads > 0 {
		torch.SetThreads(f.threads)
	}
	return openDevice(f.device)
}

// openDevice is the device of that name, once libtorch is known to be the one this program was built for.
func openDevice(name string) (torch.Device, error) {
	if err := torch.CheckLibrary(); err != nil {
		return 0, cli.WithCode(cli.ExitEnvironment, err)
	}
	dev, err := torch.ParseDevice(name)
	return dev, cli.WithCode(cli.ExitEnvironment, err)
}
