//go:build js

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"slices"
	"syscall/js"
	"time"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
	"github.com/ponder-agents/ponder/models"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/window"
)

// show is what is seen.
func show() error {
	location := js.Global().Get("location")
	address, err := url.Parse(location.Get("href").String())
	if err != nil {
		return fmt.Errorf("the page's address: %w", err)
	}
	query := address.Query()
	cfg := window.Config{
		Play:     query.Get("play") != "0",
		Light:    lightTheme(query),
		Painters: viz.FamilyPainters(),
		PickFile: func() { js.Global().Get("document").Call("getElementById", "file").Call("click") },
	}
	cfg.Tour = !toured()
	var app *window.App
	var at place
	names := query["trace"]
	if cfg.Traces, err = fetchTraces(names[:min(len(names), 2)]); err != nil {
		return err
	}
	if cfg.Choice, err = parseChoice(query, uint64(time.Now().UnixMilli())%1e6); err != nil {
		return err
	}
	port := newPort(js.Global().Get("ponderThinker"))
	cfg.Open = func(ctx context.Context, c session.Choice) (*session.Scene, error) {
		e, err := env.Make(c.Env, c.OptionList()...)
		if err != nil {
			return nil, err
		}
		return session.OpenScene(e, c, func(w session.World) (session.Agent, error) {
			return session.OpenFar(ctx, port.call, c, w.Spec())
		})
	}
	cfg.Envs, cfg.Agents, cfg.Edit = env.Names(), window.Agents(shipped()), true
	cfg.Gallery = slices.Concat(open.Gallery(), open.Recordings())
	cfg.Load = func(name string) {
		go func() {
			b, err := fetch(recordings + name)
			app.Drop(window.File{Name: name, Data: b, Err: err, Recording: name})
		}()
	}
	cfg.Share = func() { share(app) }
	if app, err = window.New(cfg); err != nil {
		return err
	}
	js.Global().Call("ponderStarted", js.FuncOf(func(js.Value, []js.Value) any {
		b, _ := json.Marshal(app.State()) // numbers, texts and no NaN
		return string(b)
	}))
	return window.Run(app, window.Options{Title: "ponder", Frame: func() { at.follow(app) }})
}

// recordings is the folder beside the page with those of the gallery.
const recordings = "recordings/"

// shipped are the models that can be picked.
func shipped() (list []window.Model) {
	for _, name := range models.Names() {
		m := window.Model{Name: name, Fits: func(spec env.Spec) error { return models.Fits(name, spec) }}
		if c, err := models.Card(name); err == nil {
			m.About, m.World = c.Summary, c.Env
		}
		list = append(list, m)
	}
	return list
}

// lightTheme is what the address says, or else what was chosen last, or else what the system prefers.
func lightTheme(query url.Values) bool {
	theme := query.Get("theme")
	if theme == "" {
		if kept, err := keep(func(store js.Value) js.Value { return store.Call("getItem", "ponder-theme") }); err == nil && kept.Type() == js.TypeString {
			theme = kept.String()
		}
	}
	return theme == "light"
}

// toured reports whether the tour was seen or left in this browser.
func toured() bool {
	kept, err := keep(func(store js.Value) js.Value { return store.Call("getItem", "ponder-toured") })
	return err != nil || kept.Type() == js.TypeString
}

// keep uses what the browser keeps for the page, which a person can forbid.
func keep(use func(store js.Value) js.Value) (v js.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return use(js.Global().Get("localStorage")), nil
}

func fetchTraces(names []string) (traces []window.Trace, err error) {
	for _, name := range names {
		b, err := fetch(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		f, err := trace.NewFile(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		traces = append(traces, window.Trace{Name: path.Base(name), Header: f.Header(), History: f})
	}
	return traces, nil
}

// A place is what the page's address and the browser's memory say.
type place struct {
	choice session.Choice
	loaded string
	light  bool
	toured bool
	known  bool
}

// follow brings both up to date.
func (p *place) follow(app *window.App) {
	if light := app.Light(); light != p.light || !p.known {
		if p.known {
			theme := "dark"
			if light {
				theme = "light"
			}
			keep(func(store js.Value) js.Value { return store.Call("setItem", "ponder-theme", theme) })
		}
		p.light = light
	}
	p.known = true
	if app.Toured() && !p.toured {
		p.toured = true
		keep(func(store js.Value) js.Value { return store.Call("setItem", "ponder-toured", "1") })
	}
	c, live := app.Choice()
	loaded := app.Loaded()
	switch {
	case live && (c != p.choice || p.loaded != ""):
		js.Global().Get("history").Call("replaceState", nil, "", "?"+formatChoice(c))
		p.choice = c
	case loaded != "" && loaded != p.loaded:
		js.Global().Get("history").Call("replaceState", nil, "", "?trace="+url.QueryEscape(recordings+loaded))
	}
	p.loaded = loaded
}

// share hands the page's address on: by the system's own sheet on a phone, else to the clipboard.
func share(app *window.App) {
	address := js.Global().Get("location").Get("href")
	navigator := js.Global().Get("navigator")
	var promise js.Value
	what := "shared this address"
	switch {
	case navigator.Get("share").Truthy() && app.Touch():
		promise = navigator.Call("share", map[string]any{"title": "ponder", "url": address})
	case navigator.Get("clipboard").Truthy():
		promise, what = navigator.Get("clipboard").Call("writeText", address), "copied the address of this run: whoever opens it sees the same"
	default:
		app.Say("the address of this page is this run: copy it from the browser's bar")
		return
	}
	go func() {
		if _, err := await(promise); err != nil {
			what = "the address of this page is this run: copy it from the browser's bar (" + err.Error() + ")"
		}
		app.Say(what)
	}()
}
