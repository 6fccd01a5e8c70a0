//go:build !nowindow

package window

import (
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
	"syscall/js"
	"time"
)

// ErrNoDisplay is what Run returns where nothing can be shown.
var ErrNoDisplay = errors.New("no canvas: the page has no element with the id screen")

// Options are what the page wants of the window.
type Options struct {
	Title string
	Frame func() // called after every Update; may be nil
}

// Run shows the app in the page's canvas of the id screen, as long as the page lives. Files come from
// what is dropped on the page, and from its input of the id file.
//
// It puts the pictures of Draw together itself, by the canvas's 2D context: Ebitengine would add 2 MB to
// what is loaded, and a page without WebGL would show nothing.
func Run(a *App, o Options) (err error) {
	defer func() { err = errors.Join(err, a.Close()) }()
	doc := js.Global().Get("document")
	screen := doc.Call("getElementById", "screen")
	if !screen.Truthy() {
		return ErrNoDisplay
	}
	a.Budget = 2 * time.Millisecond
	doc.Set("title", o.Title)
	p := &page{
		app: a, screen: screen, doc: doc, frame: o.Frame,
		context: screen.Call("getContext", "2d", map[string]any{"alpha": false}),
		layers:  make(map[string]*layer), x: -1, y: -1, lastX: -1, lastY: -1,
	}
	p.listen()
	// The page calls back; the callback of a frame ends before the next one.
	done := make(chan struct{})
	var next js.Func
	next = js.FuncOf(func(js.Value, []js.Value) any {
		if !p.tick() {
			close(done)
			return nil
		}
		js.Global().Call("requestAnimationFrame", next)
		return nil
	})
	defer next.Release()
	js.Global().Call("requestAnimationFrame", next)
	<-done
	return nil
}

// A page shows an app in a canvas.
type page struct {
	app                  *App
	doc, screen, context js.Value
	frame                func()

	layers       map[string]*layer
	shown        []Blit // in the canvas
	buffer       []byte
	full         bool
	w, h         int // of the canvas, in pixels
	x, y         float64
	lastX, lastY float64 // of the last event
	down         bool
	touch        bool // the pointer was a finger
	events       []event
	wheel        float64
	waiting      []File
}

// An event is what the pointer, or a key, did between two frames.
type event struct {
	x, y float64
	down bool
	key  Key
}

// A layer is a picture in a canvas of its own.
type layer struct {
	canvas, context, data js.Value // data is an ImageData
	size                  image.Point
	version               int
}

// on calls f for events of that name; those of a page are never taken back.
func on(target js.Value, event string, f func(e js.Value)) {
	target.Call("addEventListener", event, js.FuncOf(func(_ js.Value, args []js.Value) any {
		f(args[0])
		return nil
	}), map[string]any{"passive": false})
}

// listen takes what a person does.
func (p *page) listen() {
	window := js.Global()
	pointer := func(e js.Value, down bool) {
		e.Call("preventDefault")
		p.touch = e.Get("pointerType").String() == "touch"
		p.at(event{x: e.Get("offsetX").Float(), y: e.Get("offsetY").Float(), down: down})
	}
	on(p.screen, "pointerdown", func(e js.Value) {
		if e.Get("button").Int() != 0 || !e.Get("isPrimary").Bool() {
			return
		}
		p.screen.Call("setPointerCapture", e.Get("pointerId"))
		p.down = true
		pointer(e, true)
	})
	on(p.screen, "pointermove", func(e js.Value) {
		if e.Get("isPrimary").Bool() {
			pointer(e, p.down)
		}
	})
	up := func(e js.Value) {
		if e.Get("isPrimary").Bool() && p.down {
			p.down = false
			pointer(e, false)
			if p.touch { // a finger that is lifted points at nothing
				p.at(event{x: -1, y: -1})
			}
		}
	}
	on(p.screen, "pointerup", up)
	on(p.screen, "pointercancel", up)
	on(p.screen, "contextmenu", func(e js.Value) { e.Call("preventDefault") })
	on(p.screen, "wheel", func(e js.Value) {
		e.Call("preventDefault")
		// A notch of a wheel is about 100 pixels, three lines or a page.
		p.wheel -= e.Get("deltaY").Float() / [...]float64{100, 3, 1}[min(max(e.Get("deltaMode").Int(), 0), 2)]
	})
	on(window, "keydown", func(e js.Value) {
		if k := keyOf(e); k != "" {
			e.Call("preventDefault")
			p.events = append(p.events, event{p.lastX, p.lastY, p.down, k})
		}
	})
	on(window, "dragover", func(e js.Value) { e.Call("preventDefault") })
	on(window, "drop", func(e js.Value) {
		e.Call("preventDefault")
		p.read(e.Get("dataTransfer").Get("files"))
	})
	if input := p.doc.Call("getElementById", "file"); input.Truthy() {
		on(input, "change", func(js.Value) {
			p.read(input.Get("files"))
			input.Set("value", "") // so that the same file can be picked again
		})
	}
	on(p.doc, "fullscreenchange", func(js.Value) {
		p.full = p.doc.Get("fullscreenElement").Truthy()
		p.app.full = p.full
	})
}

// at keeps what the pointer did.
func (p *page) at(e event) {
	p.lastX, p.lastY = e.x, e.y
	p.events = append(p.events, e)
}

// named are the keys that type no character; a page leaves the others to the browser.
var named = map[string]Key{
	"ArrowLeft": "left", "ArrowRight": "right", "ArrowUp": "up", "ArrowDown": "down",
	"Home": "home", "End": "end", "PageUp": "pgup", "PageDown": "pgdn",
	"Enter": "enter", "Escape": "esc", " ": "space", "Backspace": "backspace",
}

// keyOf is the key of an event, empty if it is none of the viewer's.
func keyOf(e js.Value) Key {
	if k := e.Get("key").String(); e.Get("ctrlKey").Bool() && (k == "z" || k == "y") {
		return Key("ctrl+" + k)
	}
	if e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool() || e.Get("altKey").Bool() {
		return ""
	}
	key := e.Get("key").String()
	k, ok := named[key]
	switch {
	case ok && e.Get("shiftKey").Bool() && (k == "left" || k == "right"):
		return "shift+" + k
	case ok:
		return k
	case len([]rune(key)) == 1:
		return Key(key)
	}
	return ""
}

// read reads files of a FileList in the background.
func (p *page) read(list js.Value) {
	for i := range list.Length() {
		f := list.Index(i)
		name := f.Get("name").String()
		if size := f.Get("size").Float(); size > maxDropped {
			p.waiting = append(p.waiting, File{Name: name, Err: fmt.Errorf("%.0f bytes are too many", size)})
			continue
		}
		var then, fail js.Func
		release := func() { then.Release(); fail.Release() }
		then = js.FuncOf(func(_ js.Value, args []js.Value) any {
			defer release()
			bytes := js.Global().Get("Uint8Array").New(args[0])
			data := make([]byte, bytes.Length())
			js.CopyBytesToGo(data, bytes)
			p.waiting = append(p.waiting, File{Name: name, Data: data})
			return nil
		})
		fail = js.FuncOf(func(_ js.Value, args []js.Value) any {
			defer release()
			p.waiting = append(p.waiting, File{Name: name, Err: errors.New(args[0].Call("toString").String())})
			return nil
		})
		f.Call("arrayBuffer").Call("then", then, fail)
	}
}

// maxDropped bounds a file that is dropped on the page.
const maxDropped = 256 << 20

// mostScale bounds the pixels of a point: phones have three, which nobody sees and all are drawn.
const mostScale = 2

// tick is a frame. It reports whether to go on.
func (p *page) tick() bool {
	window := js.Global()
	in := Input{
		Now: time.Now(), Width: window.Get("innerWidth").Float(), Height: window.Get("innerHeight").Float(),
		Scale: min(max(window.Get("devicePixelRatio").Float(), 0.5), mostScale),
		Files: p.waiting, Wheel: p.wheel, X: p.x, Y: p.y,
	}
	in.Touch = p.touch || in.Width < narrow
	if w, h := int(math.Round(in.Width*in.Scale)), int(math.Round(in.Height*in.Scale)); w != p.w || h != p.h {
		p.w, p.h = w, h
		p.screen.Set("width", w)
		p.screen.Set("height", h)
		p.shown = nil
	}
	p.waiting, p.wheel = nil, 0
	// Every press, release and key is an Update of its own, however short the tap, in the order in which they came.
	held := p.app.in.Down
	for i, e := range p.events {
		p.x, p.y = e.x, e.y
		in.X, in.Y, in.Down = e.x, e.y, e.down
		if e.key == "" && e.down == held && i+1 < len(p.events) {
			continue
		}
		held = e.down
		if in.Keys = nil; e.key != "" {
			in.Keys = []Key{e.key}
		}
		if !p.app.Update(in) {
			return false
		}
		in.Keys, in.Files, in.Wheel = nil, nil, 0
	}
	p.events = p.events[:0]
	in.Down = held
	if !p.app.Update(in) {
		return false
	}
	if p.frame != nil {
		p.frame()
	}
	if full := p.app.Full(); full != p.full {
		p.full = full
		if target := p.doc.Get("documentElement"); full && target.Get("requestFullscreen").Truthy() {
			target.Call("requestFullscreen")
		} else if !full && p.doc.Get("fullscreenElement").Truthy() {
			p.doc.Call("exitFullscreen")
		}
	}
	p.compose(p.app.Draw())
	return true
}

// compose brings what has changed into the canvas.
func (p *page) compose(blits []Blit) {
	same := func(a, b Blit) bool {
		return a.ID == b.ID && a.Version == b.Version && a.At == b.At && a.Part == b.Part
	}
	if p.shown != nil && slices.EqualFunc(blits, p.shown, same) {
		return
	}
	p.shown = append(p.shown[:0], blits...)
	r, g, b := p.app.Back()
	p.context.Set("fillStyle", fmt.Sprintf("rgb(%d,%d,%d)", r, g, b))
	p.context.Call("fillRect", 0, 0, p.w, p.h)
	used := make(map[string]bool, len(blits))
	for _, b := range blits {
		used[b.ID] = true
		l := p.upload(b)
		at := b.Part.Min.Sub(b.Image.Rect.Min)
		w, h := b.Part.Dx(), b.Part.Dy()
		p.context.Call("drawImage", l.canvas, at.X, at.Y, w, h, b.At.X, b.At.Y, w, h)
	}
	for id := range p.layers {
		if !used[id] {
			delete(p.layers, id)
		}
	}
}

// upload brings a picture that has changed into its canvas.
func (p *page) upload(b Blit) *layer {
	l := p.layers[b.ID]
	if size := b.Image.Rect.Size(); l == nil || l.size != size {
		l = &layer{canvas: p.doc.Call("createElement", "canvas"), size: size, version: -1}
		l.canvas.Set("width", size.X)
		l.canvas.Set("height", size.Y)
		l.context = l.canvas.Call("getContext", "2d")
		l.data = js.Global().Get("ImageData").New(size.X, size.Y)
		p.layers[b.ID] = l
	}
	if l.version != b.Version {
		l.version = b.Version
		p.buffer = straight(p.buffer[:0], b.Image)
		js.CopyBytesToJS(l.data.Get("data"), p.buffer)
		l.context.Call("putImageData", l.data, 0, 0)
	}
	return l
}
