//go:build cgo && !notorch

package verify

import "github.com/ponder-agents/ponder/torch"

func engines() []Engine { return []Engine{Torch(torch.CPU), Go()} }
