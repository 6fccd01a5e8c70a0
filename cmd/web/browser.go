//go:build js

package main

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"
)

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
		r := result{}
		if len(args) > 0 {
			r.v = args[0]
		}
		done <- r
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

// A port is the page's end of its worker; one goroutine of the page runs at a time.
type port struct {
	worker  js.Value
	last    int
	waiting map[int]chan<- js.Value
	failed  error
}

func newPort(worker js.Value) *port {
	p := &port{worker: worker, waiting: map[int]chan<- js.Value{}}
	worker.Call("addEventListener", "message", js.FuncOf(func(_ js.Value, args []js.Value) any {
		m := args[0].Get("data")
		if text := m.Get("failed"); text.Truthy() {
			p.fail(text.String())
			return nil
		}
		id := m.Get("id").Int()
		if c := p.waiting[id]; c != nil {
			delete(p.waiting, id)
			c <- m.Get("reply")
		}
		return nil
	}))
	worker.Call("addEventListener", "error", js.FuncOf(func(_ js.Value, args []js.Value) any {
		p.fail(args[0].Get("message").String())
		return nil
	}))
	return p
}

// fail lets all that wait, and whoever asks later, know that no reply will come.
func (p *port) fail(text string) {
	p.failed = fmt.Errorf("the thinker of this page has ended (%s): load the page again", text)
	for id, c := range p.waiting {
		delete(p.waiting, id)
		close(c)
	}
}

// call implements session.Port.
func (p *port) call(ctx context.Context, request []byte) ([]byte, error) {
	if p.failed != nil {
		return nil, p.failed
	}
	array := js.Global().Get("Uint8Array").New(len(request))
	js.CopyBytesToJS(array, request)
	p.last++
	id, done := p.last, make(chan js.Value, 1)
	p.waiting[id] = done
	p.worker.Call("postMessage", map[string]any{"id": id, "request": array})
	select {
	case <-ctx.Done():
		delete(p.waiting, id) // its reply is nobody's
		return nil, context.Cause(ctx)
	case reply, ok := <-done:
		if !ok {
			return nil, p.failed
		}
		b := make([]byte, reply.Length())
		js.CopyBytesToGo(b, reply)
		return b, nil
	}
}
