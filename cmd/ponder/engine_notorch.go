//go:build !cgo || notorch

package main

import (
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/reference/verify"
)

const hasTorch = false

// torchVerifier is not reached: choose refuses torch here.
func torchVerifier(string) (verify.Engine, string, error) { panic("no libtorch in this build") }

func torchKernels() string { panic("no libtorch in this build") }

func (f *modelFlags) openTorch(*checkpoint.Checkpoint) (*think.Model, error) {
	panic("no libtorch in this build")
}
