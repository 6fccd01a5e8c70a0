//go:build !js

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/viz/window"
)

// recording is a trace of the oracle in a small maze.
func recording(t *testing.T) []byte {
	t.Helper()
	e, err := env.Make("maze/9x9-v0")
	if err != nil {
		t.Fatal(err)
	}
	scene, err := session.OpenScene(e, session.Choice{Agent: trace.Oracle}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := trace.NewWriter(&b, scene.Header())
	if err == nil {
		err = session.Record(t.Context(), scene, 3, 0, w)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// count counts the segments that come from the worker.
const count = `
window.segments = 0;
ponderThinker.addEventListener("message", e => { if (e.data.reply && new TextDecoder().decode(e.data.reply).startsWith('{"Segment"')) segments++; });
`

// TestPage drives the page as a person would, first in a window, then on a phone. It measures and asserts no times.
func TestPage(t *testing.T) {
	w := openPage(t, false, "")

	// A sudoku that is worth watching, and then a fresh maze.
	s := w.until("it thinks", func(s *window.State) bool { return s.Thought >= 6 })
	if !strings.HasPrefix(s.Who, "model sudoku,") || !s.Choice.Whole || !s.Playing {
		t.Errorf("the page opens with %+v", s)
	}
	w.shot("opens")
	w.goTo("?env=maze")
	s = w.until("it thinks", func(s *window.State) bool { return s.Thought > 0 && strings.HasPrefix(s.Who, "model maze,") })
	t.Logf("a thought is seen %.0f ms after the page was asked for", w.now())
	if s.Engine != "go" || !strings.HasPrefix(s.Who, "model maze,") || !s.Playing || !s.Editing {
		t.Errorf("the page opens with %+v", s)
	}
	began := w.now()
	n, most := w.blocked(0, began)
	t.Logf("opening: %d tasks of more than 50 ms, the longest %.0f ms", n, most)
	w.eval(count, nil)
	for range session.Speeds {
		w.typeKey("]")
	}
	before := w.now()
	w.eval("segments = 0", nil)
	var segments float64
	longest, worker := w.busy(func() {
		w.eval("new Promise(done => setTimeout(() => done(segments), 8000))", &segments)
	})
	after := w.now()
	t.Logf("%.1f segments/s", segments/(after-before)*1000)
	n, most = w.blocked(began, after)
	t.Logf("thinking: %d tasks of more than 50 ms in %.0f s, the longest %.0f ms", n, (after-began)/1000, most)
	t.Logf("thinking, by the processor's time: the longest task %.0f ms; %.1f segments for a second of the worker", longest, segments/worker*1000)
	if segments == 0 {
		t.Error("no segment in 8 s")
	}
	w.shot("desktop")

	// In pause a click on a wall opens it, and it thinks again.
	w.control("play", "Play or pause")
	w.until("it pauses", func(s *window.State) bool { return !s.Playing })
	w.control("restart", "The episode again")
	s = w.until("it begins again", func(s *window.State) bool { return s.Step == 0 && len(s.Cells) == 225 && !s.Playing })
	wall := innerWall(s)
	w.tap(s.Cells[wall].At)
	s = w.until("it thinks about the way through the wall", func(s *window.State) bool {
		return s.Cells[wall].Kind == int(maze.KindFloor) && s.Halted
	})
	thought := s.Thought
	w.typeKey("+")
	w.until("it thinks longer", func(s *window.State) bool { return s.Thought == thought+1 })
	w.control("now", "Answer now")
	w.until("it answers", func(s *window.State) bool { return s.Step == 1 })

	// The address says it all.
	var address string
	w.until("the address has the edit", func(*window.State) bool {
		w.eval("location.search", &address)
		return strings.Contains(address, "edits=")
	})
	w.control("share", "Share this run")
	w.until("it is said", func(s *window.State) bool { return strings.Contains(s.Message, "address") })
	var again *window.State
	longest, worker = w.busy(func() {
		w.goTo(address)
		again = w.until("the shared run is there", func(a *window.State) bool { return len(a.Cells) == 225 && a.Thought > 0 && a.Choice == s.Choice })
	})
	t.Logf("opening, by the processor's time: the longest task %.0f ms; the worker %.0f ms to its first thought", longest, worker)
	w.control("play", "Play or pause")
	for i := range s.Cells {
		if again.Cells[i].Kind != s.Cells[i].Kind {
			t.Fatalf("cell %d of the shared run is of kind %d, not %d", i, again.Cells[i].Kind, s.Cells[i].Kind)
		}
	}

	w.control("theme", "Dark or light")
	w.until("it is light", func(s *window.State) bool { return s.Light })
	w.control("compare", "Compare")
	w.pick("HRM, always")
	w.until("two think", func(s *window.State) bool { return s.Views == 2 })
	w.control("play", "Play or pause")
	w.until("they think", func(s *window.State) bool { return s.Step > 0 })
	w.shot("compare")
	w.control("theme", "Dark or light")
	w.control("compare", "Compare")
	s = w.until("one thinks", func(s *window.State) bool { return s.Views == 1 && !s.Light })
	if strings.Contains(s.Message, "did not stop") {
		t.Errorf("the end of comparing says %q", s.Message)
	}

	// Other worlds and models from the list; these weights are beside the page.
	w.control("env", "")
	w.pick("MiniGrid-DoorKey-5x5-v0")
	w.until("another model thinks", func(s *window.State) bool { return strings.HasPrefix(s.Who, "model doorkey-5x5") && s.Thought > 0 })
	w.shot("doorkey")

	w.goTo("?env=sudoku&seed=3&play=0")
	s = w.until("there is a sudoku", func(s *window.State) bool { return len(s.Cells) == 81 })
	cell := given(s)
	digit := s.Cells[cell].Kind
	w.tap(s.Cells[cell].At)
	w.typeKey("0")
	w.until("the cell is empty, and it thinks", func(s *window.State) bool { return s.Cells[cell].Kind == 0 && s.Halted })
	w.typeKey(fmt.Sprint(digit))
	w.until("the digit is there, and it thinks", func(s *window.State) bool { return s.Cells[cell].Kind == digit && s.Halted })
	w.shot("sudoku")

	w.goTo("?trace=test.trace")
	w.until("the trace is replayed", func(s *window.State) bool { return !s.Live && s.Step > 2 && s.Who == "played by the oracle" })
	w.shot("trace")

	w.become(true)
	w.goTo("?env=maze&seed=7")
	s = w.until("it thinks on a phone", func(s *window.State) bool { return s.Step > 0 && len(s.Cells) == 225 })
	for _, c := range s.Controls {
		if c.At.W < 44 || c.At.H < 44 || !c.On {
			t.Errorf("%+v on a phone", c)
		}
	}
	w.shot("phone")
	w.control("play", "")
	s = w.until("it pauses", func(s *window.State) bool { return !s.Playing && s.Busy == "" })
	wall = innerWall(s)
	w.tap(s.Cells[wall].At)
	w.until("the wall is gone", func(s *window.State) bool { return s.Cells[wall].Kind == int(maze.KindFloor) && s.Thought > 0 })
	w.control("theme", "Dark or light")
	w.until("it is light", func(s *window.State) bool { return s.Light })
	w.goTo("?env=sudoku&seed=3&play=0&theme=dark")
	s = w.until("there is a sudoku", func(s *window.State) bool { return len(s.Cells) == 81 })
	cell = given(s)
	w.tap(s.Cells[cell].At)
	s = w.until("there are digits to tap", func(s *window.State) bool { return len(s.Keys) == 10 })
	w.tap(s.Keys[9].At)
	w.until("the cell is empty, and it thinks", func(s *window.State) bool { return s.Cells[cell].Kind == 0 && s.Halted })
	w.shot("phone-sudoku")
	w.quiet()
}

// TestPageByFinger plays a task of ARC, replays a recording of the gallery and a file of a person's, all on a phone.
func TestPageByFinger(t *testing.T) {
	w := openPage(t, true, "?env=arc/fall-v0&agent=human&seed=3&play=0")
	s := w.until("a person plays", func(s *window.State) bool { return s.Human && len(s.Tools) > 0 })
	w.shot("phone-arc")
	tool := func(name string) window.Place {
		s := w.state()
		return s.Tools[find(s.Tools, name)]
	}
	for range 2 { // colours, and the drawer
		for _, b := range w.state().Tools {
			if b.At.W < 44 || b.At.H < 44 {
				w.Errorf("%+v on a phone", b)
			}
		}
		w.tap(tool("more").At)
		w.until("the drawer is open, or shut", func(s *window.State) bool { return (find(s.Tools, "row +") < 0) == (find(s.Tools, "9") >= 0) })
	}
	w.tap(tool("4").At)
	w.tap(s.Cells[7].At)                                                           // the last of the first row, of the canvas
	w.until("a cell is painted", func(s *window.State) bool { return s.Step > 0 }) // it goes there first
	w.tap(tool("more").At)
	w.until("the drawer is open", func(s *window.State) bool { return find(s.Tools, "row +") >= 0 })
	w.shot("phone-arc-drawer")

	w.control("gallery", "What is worth seeing")
	w.shot("phone-gallery")
	w.pick("Recorded: a door and its key")
	s = w.until("it is replayed", func(s *window.State) bool {
		return !s.Live && strings.HasPrefix(s.Who, "model doorkey-5x5") && s.Steps > 5
	})
	var address string
	w.until("the address has the recording", func(*window.State) bool {
		w.eval("location.search", &address)
		return address == "?trace=recordings%2Fdoor.trace"
	})
	w.shot("phone-recording")
	w.eval("window.before = true", nil)
	w.goTo(address)
	w.until("whoever has the address sees it", func(a *window.State) bool {
		var before bool
		w.eval("!!window.before", &before)
		return !before && !a.Live && a.Who == s.Who
	})

	w.page("Page.setInterceptFileChooserDialog", map[string]any{"enabled": true}, nil)
	w.control("file", "Open a trace")
	file := filepath.Join(w.TempDir(), "mine.trace")
	if err := os.WriteFile(file, recording(w.T), 0o666); err != nil {
		w.Fatal(err)
	}
	w.page("DOM.setFileInputFiles", map[string]any{"files": []string{file}, "backendNodeId": <-w.chooser}, nil)
	w.until("the file is replayed", func(s *window.State) bool { return !s.Live && s.Who == "played by the oracle" && s.Steps > 5 })
	w.control("gallery", "What is worth seeing")
	w.pick("A maze, step by step")
	w.until("it thinks again", func(s *window.State) bool { return s.Live && s.Thought > 0 })
	w.quiet()
}

// innerWall is a wall of a maze of 15x15 that can be opened.
func innerWall(s *window.State) int {
	for i, c := range s.Cells {
		if x, y := i%15, i/15; c.Kind == int(maze.KindWall) && x > 0 && y > 0 && x < 14 && y < 14 {
			return i
		}
	}
	return 0
}

// given is a given of a sudoku.
func given(s *window.State) int {
	for i, c := range s.Cells {
		if c.Given {
			return i
		}
	}
	return 0
}
