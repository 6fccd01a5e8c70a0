//go:build !unix

package gotch

import "context"

// lock does nothing where there is no flock: set-up prepares nothing there.
func lock(context.Context, string, func(string, ...any)) (unlock func(), err error) {
	return func() {}, nil
}
