package window

import (
	"time"
	"unicode/utf8"
)

// Input is what a person did since the last Update.
type Input struct {
	Now    time.Time
	Width  float64 // of the window, in points
	Height float64
	Scale  float64 // pixels a point of the display
	Keys   []Key   // pressed or repeated, in order
	X, Y   float64 // of the pointer, in points of the window
	Down   bool    // the left button is held
	Wheel  float64 // turned up by
	Files  []File  // dropped on the window, or picked
	Touch  bool    // by a finger, which needs large controls
}

// A Key is a character that was typed, as "e" or "?", or the name of a key without one, as "left",
// "space", "enter", "esc", "home", "f1"; shift and ctrl stand before names: "shift+left", "ctrl+q".
type Key string

// typed is the character of k, if it is one.
func (k Key) typed() (rune, bool) {
	if k == "space" {
		return ' ', true
	}
	r, n := utf8.DecodeRuneInString(string(k))
	return r, n > 0 && n == len(k) && r >= ' '
}

// A File was dropped on the window.
type File struct {
	Name string
	Data []byte
	Err  error // it could not be read

	Recording string // of the gallery, by its name there; empty of what a person has dropped
}
