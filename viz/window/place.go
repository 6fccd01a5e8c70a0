package window

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ponder-agents/ponder/internal/output"
)

// A place is what a window remembers from one run to the next.
type place struct {
	Known      bool
	X, Y, W, H int // in points
	Light      bool
	Zoom       float64
	Toured     bool // the tour was seen or left
}

// readPlace reads the place kept at path; what is missing or senseless is the default.
func readPlace(path string) place {
	p := place{W: 1280, H: 800, Zoom: 1}
	b, err := os.ReadFile(path)
	if path == "" || err != nil || json.Unmarshal(b, &p) != nil {
		return place{W: 1280, H: 800, Zoom: 1}
	}
	p.W, p.H = min(max(p.W, 640), 16384), min(max(p.H, 480), 16384)
	if p.X < -16384 || p.X > 16384 || p.Y < -16384 || p.Y > 16384 {
		p.Known = false
	}
	if !(p.Zoom >= zooms[0] && p.Zoom <= zooms[len(zooms)-1]) {
		p.Zoom = 1
	}
	return p
}

// write keeps p at path.
func (p place) write(path string) error {
	if path == "" {
		return nil
	}
	b, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		return fmt.Errorf("window: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("window: %w", err)
	}
	err = output.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
	if err != nil {
		return fmt.Errorf("window: %w", err)
	}
	return nil
}

// Looks are the theme and the zoom that the window at path had last, and whether its tour was seen or left.
func Looks(path string) (light bool, zoom float64, toured bool) {
	p := readPlace(path)
	return p.Light, p.Zoom, p.Toured
}
