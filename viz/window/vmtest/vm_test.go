//go:build linux && !nowindow

package vmtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hajimehoshi/ebiten/v2"
	"github.com/hajimehoshi/ebiten/v2/exp/vmhost"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/viztest"
	"github.com/ponder-agents/ponder/viz/window"
)

// frames takes work that must run inside a frame of the host.
var frames = make(chan func())

type host struct{ done chan int }

// Update implements ebiten.Game.
func (h *host) Update() error {
	for {
		select {
		case f := <-frames:
			f()
		case code := <-h.done:
			h.done <- code
			return ebiten.Termination
		case <-time.After(2 * time.Millisecond):
			return nil
		}
	}
}

// Draw implements ebiten.Game.
func (h *host) Draw(*ebiten.Image) {}

// Layout implements ebiten.Game.
func (h *host) Layout(w, hgt int) (int, int) { return w, hgt }

// inFrame runs f inside a frame of the host.
func inFrame(f func()) {
	done := make(chan struct{})
	frames <- func() { defer close(done); f() }
	<-done
}

// noDisplay says why the tests cannot run; empty if they can.
var noDisplay string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	runtime.LockOSThread()
	if os.Getenv("DISPLAY") == "" {
		stop, err := startXvfb()
		if err != nil {
			noDisplay = "no display, and Xvfb (package xvfb) does not start: " + err.Error()
			return m.Run()
		}
		defer stop()
	}
	h := &host{done: make(chan int, 1)}
	go func() { h.done <- m.Run() }()
	ebiten.SetWindowVisible(false)
	if err := ebiten.RunGame(h); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return <-h.done
}

// startXvfb starts a display of its own and sets DISPLAY.
func startXvfb() (stop func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1600x1000x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{w}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return nil, err
	}
	stop = func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		stop()
		return nil, err
	}
	return stop, os.Setenv("DISPLAY", ":"+strings.TrimSpace(line))
}

// guestBin is the guest program, built once.
var guestBin string

func build(t *testing.T) {
	t.Helper()
	if noDisplay != "" {
		t.Skip(noDisplay)
	}
	if testing.Short() {
		t.Skip("builds and drives a program")
	}
	if guestBin != "" {
		return
	}
	dir, err := os.MkdirTemp("", "guest")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "guest")
	cmd := exec.Command("go", "build", "-tags", "ebitenginevmguest", "-o", bin, "./testdata/guest")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the guest: %v\n%s", err, out)
	}
	guestBin = bin
}

// A guest is the viewer in a process of its own.
type guest struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr bytes.Buffer
	vm     *vmhost.GuestSession
	screen *ebiten.Image
	w, h   int
	exited chan error
}

func start(t *testing.T, w, h int, args ...string) *guest {
	t.Helper()
	build(t)
	dir, err := os.MkdirTemp("", "vm")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ln, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	endpoint, err := vmhost.EndpointURLFromAddr(ln.Addr())
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{t: t, w: w, h: h, exited: make(chan error, 1)}
	g.cmd = exec.Command(guestBin, args...)
	g.cmd.Env = append(os.Environ(), "EBITENGINE_VM_ENDPOINT="+endpoint)
	g.cmd.Stderr = &g.stderr
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { g.exited <- g.cmd.Wait() }()
	ln.(*net.UnixListener).SetDeadline(time.Now().Add(20 * time.Second))
	conn, err := ln.Accept()
	if err != nil {
		g.cmd.Process.Kill()
		t.Fatalf("the guest does not come: %v\n%s", err, g.stderr.String())
	}
	inFrame(func() {
		if g.vm, err = vmhost.NewGuestSession(conn, &vmhost.NewGuestSessionOptions{IdleTimeout: 20 * time.Second}); err != nil {
			return
		}
		err = g.resize(w, h)
	})
	if err != nil {
		g.cmd.Process.Kill()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		inFrame(func() { g.vm.Close() })
		g.cmd.Process.Kill()
	})
	return g
}

// resize is to be called in a frame.
func (g *guest) resize(w, h int) error {
	g.w, g.h = w, h
	g.screen = ebiten.NewImage(w, h)
	return g.vm.SetOutsideScreen(g.screen)
}

// do runs f and then n ticks.
func (g *guest) do(n int, f func()) {
	inFrame(func() {
		if f != nil {
			f()
		}
		g.vm.AdvanceTicks(n)
		g.vm.WaitTicks()
	})
}

// press presses a key for a tick.
func (g *guest) press(keys ...ebiten.Key) {
	g.do(1, func() {
		for _, k := range keys {
			g.vm.PressKey(k)
		}
	})
	g.do(1, func() {
		for _, k := range keys {
			g.vm.ReleaseKey(k)
		}
	})
}

func (g *guest) typed(r rune) { g.do(1, func() { g.vm.TypeRune(r) }) }

func (g *guest) click(x, y float64) {
	g.do(1, func() { g.vm.MoveCursor(x, y) })
	g.do(1, func() { g.vm.PressMouseButton(ebiten.MouseButtonLeft) })
	g.do(1, func() { g.vm.ReleaseMouseButton(ebiten.MouseButtonLeft) })
}

// frame is what the guest's window shows.
func (g *guest) frame() *image.RGBA {
	g.t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, g.w, g.h))
	ok := false
	inFrame(func() {
		g.vm.AdvanceTicks(1)
		g.vm.AdvanceFrame()
		if ok = g.vm.WaitFrame() && g.vm.CompositeFrame(); ok {
			g.screen.ReadPixels(img.Pix)
		}
	})
	if !ok {
		g.t.Fatalf("no frame: %v\n%s", g.vm.Err(), g.stderr.String())
	}
	return img
}

// differing counts the pixels in which a and b differ by more than a rounding of the blending.
func differing(a, b *image.RGBA) int {
	n := 0
	for i := 0; i < len(a.Pix); i += 4 {
		for k := range 3 {
			if d := int(a.Pix[i+k]) - int(b.Pix[i+k]); d > 2 || d < -2 {
				n++
				break
			}
		}
	}
	return n
}

// record plays an episode by a wave into a trace file.
func record(t *testing.T) string {
	t.Helper()
	e, err := env.Make("maze")
	if err != nil {
		t.Fatal(err)
	}
	w, err := session.WorldOf(e)
	if err != nil {
		t.Fatal(err)
	}
	s := &session.Scene{World: w, Agent: &viztest.Wave{World: w, Name: "wave", Wall: maze.KindWall, Goal: maze.KindGoal, Reach: 4, MaxSegments: 16}}
	path := filepath.Join(t.TempDir(), "test.trace")
	out, err := trace.Create(path, s.Header())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(session.Record(context.Background(), s, 3, 12, out), out.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestWindowShowsWhatTheAppDraws drives the window and an App without one by the same keys and
// clicks: every frame of the window must be the App's picture.
func TestWindowShowsWhatTheAppDraws(t *testing.T) {
	path := record(t)
	build(t)
	began := time.Now()
	g := start(t, 1000, 700, "replay", path)
	g.frame()
	t.Logf("from the start of the process to its first frame: %v", time.Since(began))
	f, err := trace.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := window.New(window.Config{
		Painters: viz.Painters{"maze": maze.PaintBoard},
		Traces:   []window.Trace{{Name: "test.trace", Header: f.Header(), History: f}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	in := window.Input{Now: time.Unix(1000, 0), Width: 1000, Height: 700, Scale: 1}
	app := func(key window.Key) {
		in.Keys = nil
		if key != "" {
			in.Keys = []window.Key{key}
		}
		a.Update(in)
		in.Keys = nil
		in.Now = in.Now.Add(time.Second)
	}
	appClick := func(x, y float64) {
		in.X, in.Y = x, y
		app("")
		in.Down = true
		app("")
		in.Down = false
		app("")
	}
	steps := []struct {
		name  string
		guest func()
		app   func()
	}{
		{"as it opens", func() {}, func() { app("") }},
		{"right", func() { g.press(ebiten.KeyArrowRight) }, func() { app("right") }},
		{"right again", func() { g.press(ebiten.KeyArrowRight) }, func() { app("right") }},
		{"shift left", func() { g.press(ebiten.KeyShiftLeft, ebiten.KeyArrowLeft) }, func() { app("shift+left") }},
		{"a character", func() { g.typed('l') }, func() { app("l") }},
		{"end", func() { g.press(ebiten.KeyEnd) }, func() { app("end") }},
		{"the theme", func() { g.typed('t') }, func() { app("t") }},
		{"a click on the timeline", func() { g.click(60, 630) }, func() { appClick(60, 630) }},
		{"a click on a cell", func() { g.click(300, 200) }, func() { appClick(300, 200) }},
		{"smaller", func() { inFrame(func() { g.resize(800, 600) }); g.do(2, nil) }, func() { in.Width, in.Height = 800, 600; app("") }},
		{"larger text", func() { g.press(ebiten.KeyControlLeft, ebiten.KeyEqual) }, func() { app("ctrl+=") }},
		{"help", func() { g.typed('?') }, func() { app("?") }},
		{"help closed", func() { g.press(ebiten.KeyEscape) }, func() { app("esc") }},
	}
	for _, s := range steps {
		s.guest()
		s.app()
		// The pointer away from buttons; then what moves on screen has come to rest.
		g.do(1, func() { g.vm.MoveCursor(4, 60) })
		in.X, in.Y = 4, 60
		app("")
		app("")
		want := a.Compose()
		var got *image.RGBA
		n := 1
		for deadline := time.Now().Add(5 * time.Second); n > 0 && time.Now().Before(deadline); {
			got = g.frame()
			n = differing(want, got)
		}
		if n > 0 {
			dir := t.ArtifactDir()
			save(t, filepath.Join(dir, "got.png"), got)
			save(t, filepath.Join(dir, "want.png"), want)
			t.Fatalf("%s: %d of %d pixels differ; see %s", s.name, n, len(want.Pix)/4, dir)
		}
	}
}

func save(t *testing.T, path string, img image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the guest to end, which it must have been asked to, and returns how long that took.
func (g *guest) ends() (time.Duration, error) {
	start := time.Now()
	// Its RunGame returns when it asked to end and the host let go of it.
	var asked error
	inFrame(func() {
		asked = g.vm.Err()
		g.vm.Close()
	})
	if !errors.Is(asked, ebiten.Termination) {
		return 0, fmt.Errorf("it did not ask to end: %v", asked)
	}
	for {
		select {
		case err := <-g.exited:
			return time.Since(start), err
		case <-time.After(10 * time.Millisecond):
			if time.Since(start) > 10*time.Second {
				return 0, errors.New("it does not end")
			}
		}
	}
}

func TestCloseWhileThinkingSavesTheRecording(t *testing.T) {
	dir := t.TempDir()
	g := start(t, 1000, 700, "slow", dir)
	g.typed('v')
	// Until some steps are in the file.
	deadline := time.Now().Add(20 * time.Second)
	var path string
	for {
		g.do(2, nil)
		if m, _ := filepath.Glob(filepath.Join(dir, "*.trace")); len(m) == 1 {
			path = m[0]
			if f, err := trace.Open(path); err == nil {
				_, end := f.Range()
				f.Close()
				if end >= 3 {
					break
				}
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing is recorded in %s", dir)
		}
	}
	g.do(1, func() {
		g.vm.PressKey(ebiten.KeyControlLeft)
		g.vm.PressKey(ebiten.KeyQ)
	})
	took, err := g.ends()
	if err != nil {
		t.Fatalf("the guest: %v\n%s", err, g.stderr.String())
	}
	if took > 1500*time.Millisecond {
		t.Errorf("closing took %v", took)
	}
	f, err := trace.Open(path)
	if err != nil || f.Damage() != nil {
		t.Fatalf("the recording: error %v, damage %v", err, f.Damage())
	}
	f.Close()
}

func TestCloseWhileStuck(t *testing.T) {
	g := start(t, 800, 600, "stuck")
	g.do(10, nil)
	g.frame()
	g.do(1, func() {
		g.vm.PressKey(ebiten.KeyControlLeft)
		g.vm.PressKey(ebiten.KeyQ)
	})
	took, err := g.ends()
	if took > 2*time.Second {
		t.Errorf("closing took %v", took)
	}
	// It ends and says that the model was left behind.
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(g.stderr.String(), "did not stop within a second") {
		t.Errorf("the guest: %v\n%s", err, g.stderr.String())
	}
}
