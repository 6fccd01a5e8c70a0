//go:build cgo && !notorch

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/models"
	"github.com/ponder-agents/ponder/torch"
	"github.com/spf13/pflag"
)

// netFlags choose a network and where it runs.
type netFlags struct {
	model   string
	device  string
	threads int
}

func (f *netFlags) add(flags *pflag.FlagSet, model string) {
	flags.StringVar(&f.model, "model", model, "name of a shipped model (ponder models) or a checkpoint folder")
	f.addDevice(flags)
}

func (f *netFlags) addDevice(flags *pflag.FlagSet) {
	flags.StringVar(&f.device, "device", "cpu", "cpu, cuda or cuda:N")
	flags.IntVar(&f.threads, "threads", 0, "threads of one operation; 0 leaves it to libtorch")
}

// use applies the flags that concern the process and returns the device.
func (f *netFlags) use() (torch.Device, error) {
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

// open loads the network.
func (f *netFlags) open() (*learn.Net, error) {
	dev, err := f.use()
	if err != nil {
		return nil, err
	}
	return openNet(f.model, dev)
}

// openNet loads a shipped model by name, a checkpoint folder, or the newest checkpoint of a run.
func openNet(name string, dev torch.Device) (*learn.Net, error) {
	c, err := openCheckpoint(name)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if c.Warning != nil {
		fmt.Fprintln(os.Stderr, "ponder:", c.Warning)
	}
	return learn.NewNet(name, c, dev)
}

func openCheckpoint(name string) (*checkpoint.Checkpoint, error) {
	if slices.Contains(models.Names(), name) {
		dir, err := models.Open(name)
		if err != nil {
			return nil, err
		}
		return checkpoint.ReadFS(dir)
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("model %q: neither a folder nor one of the shipped models %q", name, models.Names())
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("model %s: a file; want the checkpoint folder it is in", name)
	}
	if _, err := os.Stat(filepath.Join(name, runModel)); err == nil {
		return checkpoint.Load(filepath.Join(name, runModel))
	}
	if steps, err := checkpoint.Steps(filepath.Join(name, runCheckpoints)); err == nil && len(steps) > 0 {
		c, _, err := checkpoint.LoadNewest(filepath.Join(name, runCheckpoints))
		return c, err
	}
	c, err := checkpoint.Load(name)
	if _, serr := os.Stat(filepath.Join(name, checkpoint.ConfigFile)); err != nil && errors.Is(serr, fs.ErrNotExist) {
		return nil, fmt.Errorf("model %s: neither a checkpoint (it has no %s) nor a run's folder", name, checkpoint.ConfigFile)
	}
	return c, err
}

// createTrace opens a trace of a network acting in a world.
func createTrace(path string, n *learn.Net, spec env.Spec) (*trace.Writer, error) {
	mind, err := learn.NewMind(n, spec, learn.PolicyConfig{})
	if err != nil {
		return nil, err
	}
	h := trace.Header{EnvID: spec.ID, Actions: spec.Actions}
	mind.Describe(&h)
	return trace.Create(path, h)
}
