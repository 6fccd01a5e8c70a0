//go:build cgo && !notorch

package main

import (
	"fmt"

	"github.com/ponder-agents/ponder/reference/verify"
	"github.com/ponder-agents/ponder/torch"
)

const hasTorch = true

// torchKernels is libtorch's version and the instructions that ponder's own operations use.
func torchKernels() string { return "libtorch " + torch.Version() + ", " + torch.Kernels() }

func torchVerifier(device string) (verify.Engine, string, error) {
	dev, err := openDevice(device)
	if err != nil {
		return nil, "", err
	}
	return verify.Torch(dev), fmt.Sprintf("engine torch, libtorch %s, %s, kernels %s", torch.Version(), dev, torch.Kernels()), nil
}
