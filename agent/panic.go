package agent

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// Recover, deferred, makes an error of a panic of who, a policy or a network, which may be a user's: it ends
// the run with its name and place, not the process.
func Recover(err *error, kind string, who any) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s %T panics: %v%s", kind, who, p, place())
	}
}

// place is where the panic in progress began: the frame that called the runtime's panic, the outermost of
// them, as one may have been passed on.
func place() (where string) {
	var pcs [128]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	panicking := false
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicking = true
		case panicking && !strings.HasPrefix(f.Function, "runtime."):
			where, panicking = fmt.Sprintf(" (%s:%d)", filepath.Base(f.File), f.Line), false
		}
		if !more {
			return where
		}
	}
}
