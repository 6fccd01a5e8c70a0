//go:build cgo && !notorch

package learn

import (
	"fmt"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

func init() {
	open.Register(open.Opener{Engine: open.Torch, Open: func(name string, c *checkpoint.Checkpoint, r open.Run) (*think.Model, error) {
		defer c.Close()
		run, err := Run(r)
		if err != nil {
			return nil, err
		}
		return Load(name, c, run)
	}})
}

// Run is r for libtorch: Device, and the number format.
func Run(r open.Run) (hrm.Run, error) {
	dev, err := Device(r)
	return hrm.Run{Device: dev, Precision: hrm.Precision(r.Precision)}, err
}

// Device is the device of r, once libtorch is known to be the one that this program was built for, and sets the
// threads of the process. An error is an open.ErrMachine.
func Device(r open.Run) (torch.Device, error) {
	if err := torch.CheckLibrary(); err != nil {
		return 0, open.Lacking(err)
	}
	if r.Threads > 0 {
		torch.SetThreads(r.Threads)
	}
	if r.Device == "" {
		return torch.CPU, nil
	}
	dev, err := torch.ParseDevice(r.Device)
	return dev, open.Lacking(err)
}

// Kernels is libtorch's version and the instructions that ponder's own operations use.
func Kernels() string { return fmt.Sprintf("libtorch %s, %s", torch.Version(), torch.Kernels()) }
