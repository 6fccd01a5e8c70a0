// Package stamp says which source the running program was built from.
package stamp

import (
	"runtime/debug"
	"strings"
)

// git is what the Makefile gives the linker: REVISION,TIME,changed. Go stamps no build in a workspace.
var git string

// Source is the revision of git that the program was built from, its time in RFC 3339, and whether there were
// changes that are not in it. What is not known is empty.
func Source() (revision, time string, modified bool) {
	if f := strings.Split(git, ","); len(f) == 3 && f[0] != "" {
		return f[0], f[1], f[2] != ""
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", "", false
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.time":
			time = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	return revision, time, modified
}
