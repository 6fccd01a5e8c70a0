//go:build cgo && !notorch

package host

import (
	"context"

	"github.com/ponder-agents/ponder/internal/setup/libtorch"
	"github.com/ponder-agents/ponder/torch"
)

// libtorchVersion is the version of libtorch, and what its headers say, if that is something else.
func libtorchVersion() (version, headers string) {
	headers = torch.Version()
	return libtorch.Packaged(headers, libtorch.DebianVersion(context.Background()))
}
