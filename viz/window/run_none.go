//go:build nowindow

package window

import "errors"

// ErrNoDisplay is what Run returns where no window can be opened.
var ErrNoDisplay = errors.New("this build has no window: use `ponder record`, which needs none")

// Options are the looks of the window itself.
type Options struct {
	Title string
	Place string
}

// Run closes the app and returns ErrNoDisplay.
func Run(a *App, _ Options) error { return errors.Join(ErrNoDisplay, a.Close()) }
