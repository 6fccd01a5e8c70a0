//go:build js

// Command web is the viewer in a browser: it replays the trace that the page's address names,
// ?trace=URL, or one that is dropped on the page.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"path"
	"syscall/js"

	"github.com/ponder-agents/ponder/agent/trace"
	_ "github.com/ponder-agents/ponder/env/families"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/window"
)

func main() {
	if err := run(); err != nil {
		js.Global().Call("ponderFailed", err.Error())
	}
}

func run() error {
	query, err := url.ParseQuery(trimQuery(js.Global().Get("location").Get("search").String()))
	if err != nil {
		return fmt.Errorf("the page's address: %w", err)
	}
	cfg := window.Config{
		Play:     query.Get("play") != "0",
		Light:    query.Get("theme") == "light",
		Painters: viz.FamilyPainters(),
	}
	names := query["trace"]
	if len(names) == 0 {
		names = []string{"demo.trace"}
	}
	for _, name := range names[:min(len(names), 2)] {
		b, err := fetch(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		f, err := trace.NewFile(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		cfg.Traces = append(cfg.Traces, window.Trace{Name: path.Base(name), Header: f.Header(), History: f})
	}
	app, err := window.New(cfg)
	if err != nil {
		return err
	}
	js.Global().Call("ponderStarted")
	return window.Run(app, window.Options{Title: "ponder"})
}

func trimQuery(s string) string {
	if len(s) > 0 && s[0] == '?' {
		return s[1:]
	}
	return s
}

// fetch loads a file from the page's server.
func fetch(name string) ([]byte, error) {
	response, err := await(js.Global().Call("fetch", name))
	if err != nil {
		return nil, err
	}
	if !response.Get("ok").Bool() {
		return nil, fmt.Errorf("the server answers %d", response.Get("status").Int())
	}
	buffer, err := await(response.Call("arrayBuffer"))
	if err != nil {
		return nil, err
	}
	array := js.Global().Get("Uint8Array").New(buffer)
	b := make([]byte, array.Length())
	js.CopyBytesToGo(b, array)
	return b, nil
}

// await waits for a promise.
func await(promise js.Value) (js.Value, error) {
	type result struct {
		v   js.Value
		err error
	}
	done := make(chan result, 1)
	then := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- result{v: args[0]}
		return nil
	})
	defer then.Release()
	fail := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- result{err: errors.New(args[0].Call("toString").String())}
		return nil
	})
	defer fail.Release()
	promise.Call("then", then, fail)
	r := <-done
	return r.v, r.err
}
