//go:build !cgo || notorch

package main

import "github.com/ponder-agents/ponder/agent/learn/verify"

const hasTorch = false

// torchVerifier is not reached: choose refuses torch here.
func torchVerifier(string) (verify.Engine, string, error) { panic("no libtorch in this build") }
