//go:build cgo && !notorch

package verify

import (
	"errors"

	"github.com/ponder-agents/ponder/torch"
)

func replayCheckpoint(r *Report, dir string, dev torch.Device) error {
	return errors.New("not yet")
}
