package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/ponder-agents/ponder/internal/stamp"
)

// A Build says what the running program was made of. Fields that the build does not know are empty.
type Build struct {
	Version  string `json:"version"`  // of the module: a tag, or "(devel)" in a checkout
	Revision string `json:"revision"` // of git
	Time     string `json:"time"`     // of the revision, RFC 3339
	Modified bool   `json:"modified"` // there were changes that are not in the revision
	Go       string `json:"go"`
	Platform string `json:"platform"` // "linux/amd64"
}

// ReadBuild is the Build of this program.
func ReadBuild() Build {
	v := Build{Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	v.Revision, v.Time, v.Modified = stamp.Source()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Version = info.Main.Version
	return v
}

// String is the version, the revision in short, the Go version and the platform.
func (v Build) String() string {
	s := v.Version
	if v.Revision != "" {
		s += " " + v.Revision[:min(12, len(v.Revision))]
		if v.Modified {
			s += "+changes"
		}
	}
	return fmt.Sprintf("%s, %s, %s", s, v.Go, v.Platform)
}
