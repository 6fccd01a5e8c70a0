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
	Toured     bool     // the tour was seen or left
	Recent     []string `json:",omitempty"` // paths that were opened, the newest first
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

// A Memory is what a window remembers of the one before.
type Memory struct {
	Light  bool
	Zoom   float64
	Toured bool     // its tour was seen or left
	Recent []string // paths that were opened, the newest first
}

// Remembered is what the window at path remembers.
func Remembered(path string) Memory {
	p := readPlace(path)
	return Memory{p.Light, p.Zoom, p.Toured, p.Recent[:min(len(p.Recent), maxRecent)]}
}
