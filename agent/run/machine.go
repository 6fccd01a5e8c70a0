package run

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/ponder-agents/ponder/internal/stamp"
)

// describe fills in what a run records of program and machine: versions, source revision,
// processor. The host's name is not recorded.
func (i *Info) describe() {
	i.Machine = fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if model := cpuModel(); model != "" {
		i.Machine += ", " + model
	}
	if i.Versions == nil {
		i.Versions = map[string]string{}
	}
	i.Versions["go"] = runtime.Version()
	revision, _, modified := stamp.Source()
	if i.Revision = revision; modified && revision != "" {
		i.Revision += "+changes"
	}
}

// cpuModel is the processor's name where the system tells it as a file.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
