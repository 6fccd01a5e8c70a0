//go:build js

package main

import (
	"os"
	"slices"
	"syscall/js"
)

func main() {
	if slices.Contains(os.Args, "think") {
		serve()
		return
	}
	if err := show(); err != nil {
		js.Global().Call("ponderFailed", err.Error())
	}
}
