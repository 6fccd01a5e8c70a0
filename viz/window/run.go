//go:build !nowindow && !js

package window

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/hajimehoshi/ebiten/v2"
	"github.com/hajimehoshi/ebiten/v2/inpututil"
)

// ErrNoDisplay is what Run returns where no window can be opened.
var ErrNoDisplay = errors.New("no display: set DISPLAY or WAYLAND_DISPLAY, or use `ponder record`, which needs none")

// Options are the looks of the window itself.
type Options struct {
	Title string
	Place string // file in which the window's place and looks are kept; empty for none
}

// Run shows the app in a window until it is closed, and closes the app. It must be called from the
// main goroutine.
func Run(a *App, o Options) (err error) {
	defer func() { err = errors.Join(err, a.Close()) }()
	if !HasDisplay() {
		return ErrNoDisplay
	}
	a.Budget = 2 * time.Millisecond
	g := &game{app: a, place: readPlace(o.Place), path: o.Place, textures: make(map[string]*texture)}
	// Ebitengine reports some failures to open a window by a panic.
	defer func() {
		if p := recover(); p != nil {
			err = g.failed(fmt.Errorf("the window could not be opened: %v", p))
		}
	}()
	ebiten.SetWindowTitle(o.Title)
	ebiten.SetWindowIcon(appIcons())
	ebiten.SetWindowResizingMode(ebiten.WindowResizingModeEnabled)
	ebiten.SetWindowSizeLimits(640, 480, -1, -1)
	ebiten.SetWindowSize(g.place.W, g.place.H)
	if g.place.Known {
		ebiten.SetWindowPosition(g.place.X, g.place.Y)
	}
	ebiten.SetWindowClosingHandled(true)
	ebiten.SetScreenClearedEveryFrame(false)
	if err := ebiten.RunGame(g); err != nil && !errors.Is(err, ebiten.Termination) {
		return g.failed(fmt.Errorf("window: %w", err))
	}
	return g.place.write(o.Place)
}

// failed is the error of a window that was never there, as where DISPLAY names none that answers, as ErrNoDisplay.
func (g *game) failed(err error) error {
	if g.begun {
		return err
	}
	return fmt.Errorf("%w (%w)", ErrNoDisplay, err)
}

// HasDisplay reports whether opening a window can succeed.
func HasDisplay() bool {
	switch runtime.GOOS {
	case "linux", "freebsd", "openbsd", "netbsd":
		// A guest of a virtual display has the third.
		return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "" || os.Getenv("EBITENGINE_VM_ENDPOINT") != ""
	}
	return true
}

// A game shows an app by Ebitengine: it polls, blits and takes keys.
type game struct {
	app      *App
	begun    bool // the window was there
	place    place
	path     string
	textures map[string]*texture
	scale    float64
	full     bool
	w, h     float64 // of the window, in points
	keys     []ebiten.Key
	runes    []rune
	blits    []Blit
	drawn    frame // what the screen shows
	updated  bool  // since the last Draw

	still time.Time // since when nothing has changed
	calm  bool      // fewer updates are enough
}

// A frame is what a screen shows, as far as it can be told without looking at its pixels.
type frame struct {
	back  color.RGBA
	size  image.Point
	blits []shownBlit
}

type shownBlit struct {
	id      string
	version int
	at      image.Point
	part    image.Rectangle
}

func (f *frame) equal(o *frame) bool {
	return f.back == o.back && f.size == o.size && slices.Equal(f.blits, o.blits)
}

// calmAfter is how long nothing changes until there are calmTPS updates a second: a paused window takes little of a core.
const (
	calmAfter = time.Second
	calmTPS   = 10
)

// rest lowers the number of updates where nothing has changed for a while, or raises it again.
func (g *game) rest(still bool) {
	now := time.Now()
	if !still {
		g.still = now
	}
	if calm := now.Sub(g.still) > calmAfter; calm != g.calm {
		g.calm = calm
		tps := ebiten.DefaultTPS
		if calm {
			tps = calmTPS
		}
		ebiten.SetTPS(tps)
	}
}

// A texture is a picture on the graphics card.
type texture struct {
	img     *ebiten.Image
	version int
	size    image.Point
	used    bool
}

// LayoutF implements ebiten.LayoutFer: one pixel of the screen is one of the display.
func (g *game) LayoutF(w, h float64) (float64, float64) {
	g.scale = ebiten.Monitor().DeviceScaleFactor()
	g.w, g.h = w, h
	return w * g.scale, h * g.scale
}

// Layout implements ebiten.Game; LayoutF is called instead.
func (g *game) Layout(w, h int) (int, int) { return w, h }

// Update implements ebiten.Game.
func (g *game) Update() error {
	g.begun = true
	if ebiten.IsWindowBeingClosed() {
		return ebiten.Termination
	}
	g.remember()
	x, y := ebiten.CursorPosition()
	_, wheel := ebiten.Wheel()
	in := Input{
		Now: time.Now(), Width: g.w, Height: g.h, Scale: g.scale,
		X: float64(x) / g.scale, Y: float64(y) / g.scale,
		Down: ebiten.IsMouseButtonPressed(ebiten.MouseButtonLeft), Wheel: wheel,
	}
	in.Keys = g.pressed(in.Keys)
	if files := ebiten.DroppedFiles(); files != nil {
		in.Files = dropped(files)
	}
	g.updated = true
	if !g.app.Update(in) {
		return ebiten.Termination
	}
	if full := g.app.Full(); full != g.full {
		g.full = full
		ebiten.SetFullscreen(full)
	}
	return nil
}

// remember keeps where the window is.
func (g *game) remember() {
	g.place.Light, g.place.Zoom, g.place.Toured = g.app.Light(), g.app.Zoom(), g.place.Toured || g.app.Toured()
	g.place.Recent = g.app.Recent()
	if ebiten.IsFullscreen() || ebiten.IsWindowMinimized() || ebiten.IsWindowMaximized() {
		return
	}
	g.place.X, g.place.Y = ebiten.WindowPosition()
	g.place.W, g.place.H = ebiten.WindowSize()
	g.place.Known = true
}

// named are the keys that type no character.
var named = map[ebiten.Key]Key{
	ebiten.KeyArrowLeft: "left", ebiten.KeyArrowRight: "right", ebiten.KeyArrowUp: "up", ebiten.KeyArrowDown: "down",
	ebiten.KeyHome: "home", ebiten.KeyEnd: "end", ebiten.KeyPageUp: "pgup", ebiten.KeyPageDown: "pgdn",
	ebiten.KeyEnter: "enter", ebiten.KeyNumpadEnter: "enter", ebiten.KeyEscape: "esc", ebiten.KeySpace: "space",
	ebiten.KeyBackspace: "backspace", ebiten.KeyTab: "tab", ebiten.KeyF1: "f1", ebiten.KeyF11: "f11",
}

// held are the keys that repeat while they are held down.
var held = map[Key]bool{"left": true, "right": true, "up": true, "down": true, "pgup": true, "pgdn": true, "backspace": true}

// withCtrl are the characters that have a meaning together with Ctrl.
var withCtrl = map[ebiten.Key]Key{
	ebiten.KeyQ: "ctrl+q", ebiten.KeyW: "ctrl+q", ebiten.KeyEqual: "ctrl+=", ebiten.KeyNumpadAdd: "ctrl+=",
	ebiten.KeyZ: "ctrl+z", ebiten.KeyY: "ctrl+y",
	ebiten.KeyMinus: "ctrl+-", ebiten.KeyNumpadSubtract: "ctrl+-",
}

// pressed appends the keys that went down, or repeat.
func (g *game) pressed(keys []Key) []Key {
	ctrl := ebiten.IsKeyPressed(ebiten.KeyControl) || ebiten.IsKeyPressed(ebiten.KeyMeta)
	shift := ebiten.IsKeyPressed(ebiten.KeyShift)
	// A tap that is shorter than a tick is among the just pressed, not among the pressed.
	g.keys = inpututil.AppendJustPressedKeys(g.keys[:0])
	just := len(g.keys)
	g.keys = inpututil.AppendPressedKeys(g.keys)
	for i, k := range g.keys {
		name, ok := named[k]
		if d := inpututil.KeyPressDuration(k); i >= just && !(held[name] && d > 24 && d%4 == 0) {
			continue
		}
		switch {
		case ctrl && withCtrl[k] != "":
			keys = append(keys, withCtrl[k])
		case !ok:
		case shift && (name == "left" || name == "right"):
			keys = append(keys, "shift+"+name)
		default:
			keys = append(keys, name)
		}
	}
	g.runes = ebiten.AppendInputChars(g.runes[:0])
	for _, r := range g.runes {
		if r > ' ' && !ctrl {
			keys = append(keys, Key(string(r)))
		}
	}
	return keys
}

// maxDropped bounds a file that is dropped on the window.
const maxDropped = 1 << 30

// dropped reads what was dropped, but folders.
func dropped(files fs.FS) []File {
	var out []File
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f := File{Name: d.Name()}
		if info, err := d.Info(); err != nil {
			f.Err = err
		} else if info.Size() > maxDropped {
			f.Err = fmt.Errorf("%d bytes are too many", info.Size())
		} else if r, err := files.Open(path); err != nil {
			f.Err = err
		} else {
			f.Data, f.Err = io.ReadAll(io.LimitReader(r, maxDropped))
			r.Close()
		}
		out = append(out, f)
		return nil
	})
	if err != nil {
		out = append(out, File{Name: "what was dropped", Err: err})
	}
	return out
}

// Draw implements ebiten.Game.
func (g *game) Draw(screen *ebiten.Image) {
	if !g.updated {
		return // the screen keeps what it shows
	}
	g.updated = false
	r, gr, b := g.app.Back()
	g.blits = g.app.Draw()
	now := frame{back: color.RGBA{r, gr, b, 255}, size: screen.Bounds().Size()}
	for i := range g.blits {
		b := &g.blits[i]
		now.blits = append(now.blits, shownBlit{b.ID, b.Version, b.At, b.Part})
	}
	same := now.equal(&g.drawn)
	if g.rest(same); same {
		return
	}
	g.drawn = now
	screen.Fill(now.back)
	for _, t := range g.textures {
		t.used = false
	}
	for i := range g.blits {
		b := &g.blits[i]
		t := g.upload(b)
		op := &ebiten.DrawImageOptions{}
		op.GeoM.Translate(float64(b.At.X), float64(b.At.Y))
		img := t.img
		if b.Part != b.Image.Rect {
			img = t.img.SubImage(b.Part.Sub(b.Image.Rect.Min)).(*ebiten.Image)
		}
		screen.DrawImage(img, op)
	}
	for id, t := range g.textures {
		if !t.used {
			t.img.Deallocate()
			delete(g.textures, id)
		}
	}
}

// upload brings a picture that has changed to the graphics card.
func (g *game) upload(b *Blit) *texture {
	t := g.textures[b.ID]
	if size := b.Image.Rect.Size(); t == nil || t.size != size {
		if t != nil {
			t.img.Deallocate()
		}
		t = &texture{img: ebiten.NewImage(size.X, size.Y), size: size, version: -1}
		g.textures[b.ID] = t
	}
	t.used = true
	if t.version != b.Version {
		t.version = b.Version
		t.img.WritePixels(b.Image.Pix)
	}
	return t
}
