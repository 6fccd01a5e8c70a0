//go:build cgo && !notorch

package main

import "github.com/ponder-agents/ponder/torch"

func libtorchVersion() string { return torch.Version() }
