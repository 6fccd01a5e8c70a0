// Package bench has the scripts that measure others beside ponder. They are run by themselves, and hrm.py by
// package agent/learn/speed.
package bench

import _ "embed"

// HRM is hrm.py, a segment or a training step of our networks in PyTorch.
//
//go:embed hrm.py
var HRM []byte
