//go:build js

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall/js"
	"testing/fstest"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/models"
)

// serve is what thinks: it answers the requests of the page, one after the other, as long as it lives.
func serve() {
	server := session.NewServer(openMind)
	requests := make(chan js.Value, 256)
	js.Global().Call("ponderThinks", js.FuncOf(func(_ js.Value, args []js.Value) any {
		requests <- args[0]
		return nil
	}))
	for m := range requests {
		request := make([]byte, m.Get("request").Length())
		js.CopyBytesToGo(request, m.Get("request"))
		reply := server.Answer(context.Background(), request)
		array := js.Global().Get("Uint8Array").New(len(reply))
		js.CopyBytesToJS(array, reply)
		js.Global().Call("postMessage", map[string]any{"id": m.Get("id"), "reply": array})
	}
}

// quick are models that a page opens in the place of better ones with a multiple of their arithmetic; who picks one
// of these by name has it.
var quick = map[string]string{"sudoku": "sudoku-static"}

// openMind opens the model of c, or the one shipped for the world.
func openMind(c session.Choice, spec env.Spec) (session.Agent, error) {
	name := c.Model
	if name == "" {
		if name = models.For(spec.ID); name == "" {
			return nil, fmt.Errorf("%w is shipped for %s", session.ErrNoModel, spec.ID)
		}
		if q := quick[name]; q != "" {
			name = q
		}
	}
	m, err := engine.Shipped(name, openModel)
	if err != nil {
		return nil, err
	}
	return open.MindOf(m, spec, think.Wishes{Rule: c.Rule}, c.Model == "")
}

// openModel is the folder of a shipped model. Weights that are not compiled in are fetched from beside the page.
func openModel(name string) (fs.FS, error) {
	dir, err := models.Open(name)
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(dir, checkpoint.ModelFile); !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	whole := fstest.MapFS{}
	for _, file := range []string{checkpoint.ConfigFile, checkpoint.CardFile, checkpoint.SumsFile} {
		b, err := fs.ReadFile(dir, file)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", name, err)
		}
		whole[file] = &fstest.MapFile{Data: b}
	}
	b, err := fetch("models/" + name + "/" + checkpoint.ModelFile)
	if err != nil {
		return nil, fmt.Errorf("model %s: fetching its weights: %w", name, err)
	}
	whole[checkpoint.ModelFile] = &fstest.MapFile{Data: b}
	return whole, nil
}
