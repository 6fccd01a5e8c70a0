//go:build !js

package main

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ponder-agents/ponder/viz/canvas"
	"github.com/ponder-agents/ponder/viz/window"
)

var (
	pageDir = flag.String("page", "", "drive the page in this folder, as `make web` builds it, in a headless Chromium")
	shotDir = flag.String("shots", "", "folder for screenshots")
)

// A browser shows the page.
type browser struct {
	*testing.T
	*chrome
	phone  bool
	server *httptest.Server

	chooser chan int // node of what asks for a file

	tracing struct {
		sync.Mutex
		events []traceEvent
		done   chan struct{}
	}
	complaints struct {
		sync.Mutex
		list []string // of the console
	}
}

// watch leaves the tour out, and keeps what the browser reports of tasks that kept the page waiting for more than 50 ms: when each began and how
// long it took, in milliseconds.
const watch = `
localStorage.setItem("ponder-toured", "1");
window.blocked = [];
new PerformanceObserver(list => list.getEntries().forEach(e => blocked.push([e.startTime, e.duration]))).observe({ type: "longtask", buffered: true });
`

// openPage opens the page at an address.
func openPage(t *testing.T, phone bool, address string) *browser {
	t.Helper()
	if *pageDir == "" {
		t.Skip("`make test-web` drives the page in a browser")
	}
	if _, err := os.Stat(filepath.Join(*pageDir, "ponder.wasm")); err != nil {
		t.Fatalf("no page to test, `make web` builds it: %v", err)
	}
	w := &browser{T: t, chooser: make(chan int, 1)}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(*pageDir)))
	mux.HandleFunc("/test.trace", func(out http.ResponseWriter, _ *http.Request) { out.Write(recording(t)) })
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	w.chrome = startChrome(t, w.heard)
	w.become(phone)
	w.page("Log.enable", nil, nil)
	w.page("Runtime.enable", nil, nil)
	w.page("Page.enable", nil, nil)
	w.page("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": watch}, nil)
	w.goTo(address)
	return w
}

// become makes it a window of 1280x800, or a phone of 390x844.
func (w *browser) become(phone bool) {
	w.Helper()
	w.phone = phone
	width, height, scale := 1280, 800, 1
	if phone {
		width, height, scale = 390, 844, 2
	}
	w.page("Emulation.setTouchEmulationEnabled", map[string]any{"enabled": phone}, nil)
	w.page("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone}, nil)
}

func (w *browser) goTo(address string) {
	w.Helper()
	w.page("Page.navigate", map[string]any{"url": w.server.URL + "/" + address}, nil)
}

// page calls a method of the page.
func (w *browser) page(method string, params map[string]any, result any) {
	w.Helper()
	w.must(w.T, w.session, method, params, result)
}

// A traceEvent is what Chromium tells of a thread: times in microseconds, Tdur those of the processor.
type traceEvent struct {
	Name, Ph  string
	Dur, Tdur float64
	Pid, Tid  int
	Args      struct{ Name any }
}

// busy measures by the processor's time, in which others' work on the machine does not count, while f runs: the longest task
// of the page's thread, and all tasks of its worker, in milliseconds.
func (w *browser) busy(f func()) (longest, worker float64) {
	w.Helper()
	w.tracing.events = nil
	w.tracing.done = make(chan struct{})
	w.page("Tracing.start", map[string]any{"transferMode": "ReportEvents", "traceConfig": map[string]any{"includedCategories": []string{"toplevel"}}}, nil)
	f()
	w.page("Tracing.end", nil, nil)
	<-w.tracing.done
	w.tracing.Lock()
	defer w.tracing.Unlock()
	type thread struct{ pid, tid int }
	names := map[thread]any{}
	for _, e := range w.tracing.events {
		if e.Ph == "M" && e.Name == "thread_name" {
			names[thread{e.Pid, e.Tid}] = e.Args.Name
		}
	}
	for _, e := range w.tracing.events {
		switch name := names[thread{e.Pid, e.Tid}]; {
		case e.Ph != "X" || !strings.HasSuffix(e.Name, "RunTask"):
		case name == "CrRendererMain":
			longest = max(longest, e.Tdur/1000)
		case name == "DedicatedWorker thread":
			worker += e.Tdur / 1000
		}
	}
	return longest, worker
}

// heard keeps what the console has to complain about, and traces.
func (w *browser) heard(method string, params json.RawMessage) {
	switch method {
	case "Tracing.dataCollected":
		var e struct{ Value []traceEvent }
		if err := json.Unmarshal(params, &e); err != nil {
			w.Errorf("%s: %v", method, err)
		}
		w.tracing.Lock()
		w.tracing.events = append(w.tracing.events, e.Value...)
		w.tracing.Unlock()
		return
	case "Page.fileChooserOpened":
		var e struct{ BackendNodeID int }
		if err := json.Unmarshal(params, &e); err != nil {
			w.Errorf("%s: %v", method, err)
		}
		w.chooser <- e.BackendNodeID
		return
	case "Tracing.tracingComplete":
		close(w.tracing.done)
		return
	}
	var e struct {
		Type             string
		Args             []struct{ Value, Description any }
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
		Entry struct{ Level, Text, URL string }
	}
	if err := json.Unmarshal(params, &e); err != nil {
		return
	}
	w.complaints.Lock()
	defer w.complaints.Unlock()
	switch {
	case method == "Runtime.exceptionThrown":
		w.complaints.list = append(w.complaints.list, e.ExceptionDetails.Text+" "+e.ExceptionDetails.Exception.Description)
	case method == "Runtime.consoleAPICalled" && (e.Type == "error" || e.Type == "warning"):
		w.complaints.list = append(w.complaints.list, fmt.Sprint(e.Type, e.Args))
	case method == "Log.entryAdded" && (e.Entry.Level == "error" || e.Entry.Level == "warning"):
		w.complaints.list = append(w.complaints.list, e.Entry.Text+" "+e.Entry.URL)
	}
}

// quiet fails if the console had anything to complain about.
func (w *browser) quiet() {
	w.Helper()
	w.complaints.Lock()
	defer w.complaints.Unlock()
	if len(w.complaints.list) > 0 {
		w.Errorf("the console complains: %q", w.complaints.list)
	}
}

// eval evaluates an expression in the page.
func (w *browser) eval(expression string, result any) {
	w.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	w.page("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		w.Fatalf("%s: %s", expression, r.ExceptionDetails.Exception.Description)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(r.Result.Value, result); err != nil {
		w.Fatalf("%s: %s: %v", expression, r.Result.Value, err)
	}
}

// state is what the page says it shows, the zero value before it shows anything.
func (w *browser) state() (s window.State) {
	w.Helper()
	var text string
	w.eval(`typeof ponderState == "function" ? ponderState() : "{}"`, &text)
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		w.Fatal(err)
	}
	return s
}

// until waits until the page shows what is waited for, and returns that.
func (w *browser) until(what string, ok func(s *window.State) bool) *window.State {
	w.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		s := w.state()
		if ok(&s) {
			return &s
		}
		if time.Now().After(deadline) {
			w.shot("failed-" + w.Name())
			s.Cells, s.Panes = nil, nil
			w.quiet()
			w.Fatalf("waited in vain until %s; the page shows %+v", what, s)
		}
	}
}

// tap clicks the middle of a place, with a finger on a phone.
func (w *browser) tap(r canvas.Rect) {
	w.Helper()
	x, y := r.X+r.W/2, r.Y+r.H/2
	if w.phone {
		w.page("Input.dispatchTouchEvent", map[string]any{"type": "touchStart", "touchPoints": []map[string]any{{"x": x, "y": y}}}, nil)
		w.page("Input.dispatchTouchEvent", map[string]any{"type": "touchEnd", "touchPoints": []any{}}, nil)
		return
	}
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		w.page("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}, nil)
	}
}

// typeKey types a character.
func (w *browser) typeKey(text string) {
	w.Helper()
	w.page("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": text, "text": text}, nil)
	w.page("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": text}, nil)
}

// control uses a control by its name, or by its title in the list of those that have no button.
func (w *browser) control(id, title string) {
	w.Helper()
	s := w.state()
	i := find(s.Controls, id)
	if i < 0 {
		w.tap(s.Controls[find(s.Controls, "more")].At)
		w.pick(title)
		return
	}
	w.tap(s.Controls[i].At)
}

// pick picks from the list that is open the first item that begins so, pulling it up as far as it must.
func (w *browser) pick(title string) {
	w.Helper()
	begins := func(p window.Place) bool { return strings.HasPrefix(p.ID, title) }
	w.until("a list is open", func(s *window.State) bool { return len(s.List) > 0 })
	if !w.phone {
		for _, r := range title {
			w.typeKey(string(r))
		}
	}
	// The list follows what is typed or pulled some frames later: an item is tapped when it stays where it is, at the top
	// of what is left, or for long.
	var last canvas.Rect
	still := 0
	for range 100 {
		s := w.state()
		if i := slices.IndexFunc(s.List, begins); i >= 0 {
			if s.List[i].At != last {
				still = 0
			}
			last = s.List[i].At
			if still++; still > 1 && (i == 0 || w.phone) || still > 20 {
				w.tap(last)
				return
			}
			time.Sleep(50 * time.Millisecond)
			continue
		}
		if !w.phone || len(s.List) == 0 {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		low, high := s.List[len(s.List)-1].At, s.List[0].At
		x := low.X + low.W/2
		point := func(kind string, y float64) {
			w.page("Input.dispatchTouchEvent", map[string]any{"type": kind, "touchPoints": []map[string]any{{"x": x, "y": y}}}, nil)
		}
		point("touchStart", low.Y)
		point("touchMove", (low.Y+high.Y)/2)
		point("touchMove", high.Y)
		w.page("Input.dispatchTouchEvent", map[string]any{"type": "touchEnd", "touchPoints": []any{}}, nil)
		time.Sleep(50 * time.Millisecond)
	}
	w.Fatalf("no %q in the list %+v", title, w.state().List)
}

func find(places []window.Place, id string) int {
	return slices.IndexFunc(places, func(p window.Place) bool { return p.ID == id })
}

// shot takes a screenshot.
func (w *browser) shot(name string) {
	w.Helper()
	if *shotDir == "" {
		return
	}
	var r struct{ Data string }
	w.page("Page.captureScreenshot", map[string]any{"format": "png"}, &r)
	b, err := base64.StdEncoding.DecodeString(r.Data)
	if err == nil {
		err = os.WriteFile(filepath.Join(*shotDir, strings.ReplaceAll(name, "/", "-")+".png"), b, 0o644)
	}
	if err != nil {
		w.Fatal(err)
	}
}

// blocked says how many tasks of the page took more than 50 ms, and how long the longest, of those that began between two
// moments of its clock.
func (w *browser) blocked(from, to float64) (n int, most float64) {
	w.Helper()
	var tasks [][2]float64
	w.eval(`blocked`, &tasks)
	for _, t := range tasks {
		if from <= t[0] && t[0] < to {
			n, most = n+1, max(most, t[1])
		}
	}
	return n, most
}

// now is the page's clock, in milliseconds since it was asked for.
func (w *browser) now() (ms float64) {
	w.Helper()
	w.eval(`performance.now()`, &ms)
	return ms
}
