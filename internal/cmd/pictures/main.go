// Command pictures writes the pictures of the window and of the page that the documentation shows, into the folder it is
// given. Shipped models think in them, in pure Go, and the window draws them as on a screen (window.App.Compose), so neither
// a display nor a browser is needed.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	_ "github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
	"github.com/ponder-agents/ponder/models"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/window"
)

// A shot is a picture of the window.
type shot struct {
	name          string
	choice        session.Choice
	width, height float64
	scale         float64 // pixels a point
	light         bool
	page          bool                      // as the page has it
	keys          []window.Key              // pressed first,
	views         int                       // to which they lead, where that is 2
	segments      int                       // thought then
	ready         func(s window.State) bool // when it is taken; nil: at once
}

func shots() []shot {
	network := func(env, model string, seed uint64) session.Choice {
		return session.Choice{Env: env, Agent: trace.Network, Model: model, Seed: seed}
	}
	demo := open.Demo(1)
	other := []window.Key{"c", "s", "t", "a", "t", "i", "c", "enter"} // the model sudoku-static beside it
	byHand := session.Choice{Env: "arc/fall-v0", Agent: trace.Human, Seed: 3}
	return []shot{
		{name: "viewer-dark", choice: demo, width: 1280, height: 800, segments: 5},
		{name: "viewer-light-800", choice: network("maze/15x15-v0", "maze", 3), width: 800, height: 600, segments: 2, light: true},
		{name: "compare", choice: demo, width: 1280, height: 800, light: true, keys: other, views: 2, segments: 3},
		{name: "regret", choice: network("maze/11x11-v0", "maze-reward", 5), width: 1280, height: 800, keys: []window.Key{"Q"}, ready: hasPane("regret")},
		{name: "arc-by-hand", choice: byHand, width: 1280, height: 800},
		{name: "browser", choice: network("sudoku/9x9-v0", "sudoku-static", 3), width: 1280, height: 800, page: true, segments: 3},
		{name: "phone", choice: network("sudoku/9x9-v0", "sudoku-static", 3), width: 390, height: 844, scale: 2, page: true, segments: 3},
		{name: "phone-arc", choice: byHand, width: 390, height: 844, scale: 2, page: true},
	}
}

func hasPane(id string) func(window.State) bool {
	return func(s window.State) bool {
		for _, p := range s.Panes {
			if p.ID == id {
				return true
			}
		}
		return false
	}
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: pictures FOLDER")
	}
	for _, s := range shots() {
		if err := s.take(os.Args[1]); err != nil {
			log.Fatalf("%s: %v", s.name, err)
		}
	}
}

// patience is how long a picture may take.
const patience = 5 * time.Minute

func (s *shot) take(dir string) (err error) {
	cfg := window.Config{
		Open: func(_ context.Context, c session.Choice) (*session.Scene, error) {
			return open.Scene(c, think.Wishes{}, open.Run{Engine: open.Go})
		},
		Choice: s.choice, Envs: env.Names(), Gallery: open.Gallery(), Painters: viz.FamilyPainters(), Light: s.light, Edit: s.page,
	}
	var list []window.Model
	for _, name := range models.Names() {
		list = append(list, window.Model{Name: name})
	}
	cfg.Agents = window.Agents(list)
	if s.page {
		cfg.PickFile, cfg.Share = func() {}, func() {}
	} else {
		cfg.Dir = dir
	}
	app, err := window.New(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, app.Close()) }()
	in := window.Input{Now: time.Now(), Width: s.width, Height: s.height, Scale: max(s.scale, 1), X: -1, Y: -1}
	in.Touch = s.width < 600
	deadline := in.Now.Add(patience)
	until := func(ok func(window.State) bool) error {
		for !ok(app.State()) {
			if time.Now().After(deadline) {
				return fmt.Errorf("not there after %v: %s", patience, app.State().Message)
			}
			time.Sleep(5 * time.Millisecond)
			in.Now = time.Now()
			app.Update(in)
		}
		return nil
	}
	press := func(k window.Key) {
		in.Keys = []window.Key{k}
		app.Update(in)
		in.Keys = nil
	}
	app.Update(in)
	if err := until(func(st window.State) bool { return len(st.Cells) > 0 && st.Busy == "" }); err != nil {
		return err
	}
	for _, k := range s.keys {
		press(k)
	}
	if s.views == 2 {
		if err := until(func(st window.State) bool { return st.Views == 2 && st.Busy == "" }); err != nil {
			return err
		}
	}
	for n := 1; n <= s.segments; n++ {
		press(".")
		if err := until(func(st window.State) bool { return st.Thought >= n && st.Segment == st.Thought && st.Busy == "" }); err != nil {
			return err
		}
	}
	if s.ready != nil {
		if err := until(s.ready); err != nil {
			return err
		}
	}
	in.Now = time.Now().Add(time.Minute) // after all that moves
	app.Update(in)
	app.Compose()
	return viz.SavePNG(filepath.Join(dir, s.name+".png"), app.Compose())
}
