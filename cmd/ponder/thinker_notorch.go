//go:build !cgo || notorch

package main

import (
	"context"
	"fmt"

	"github.com/ponder-agents/ponder/viz/live"
)

// openThinker opens the model that is to think about w, which needs libtorch.
func openThinker(_ context.Context, _ live.Choice, w live.World) (live.Thinker, error) {
	return nil, fmt.Errorf("%w for %s: this build has no libtorch (make build)", errNoModel, w.Spec().ID)
}
