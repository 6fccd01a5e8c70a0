//go:build cgo && !notorch

package verify

import "github.com/ponder-agents/ponder/torch"

func engines() []Engine {
	torch.SetThreads(1) // they wait for each other where others compute too
	return []Engine{Torch(torch.CPU), Go()}
}
