//go:build cgo && !notorch

package host

import (
	"fmt"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/reference/verify"
)

func torchVerifier(r open.Run) (verify.Engine, string, error) {
	dev, err := learn.Device(r)
	if err != nil {
		return nil, "", ask.Code(err)
	}
	return verify.Torch(dev), fmt.Sprintf("engine torch on %s, %s", dev, learn.Kernels()), nil
}
