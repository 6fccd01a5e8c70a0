package run

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/internal/output"
	"github.com/ponder-agents/ponder/internal/text"
)

// The files of a run; its folders are checkpoint.RunSeries and RunModel.
const (
	InfoFile   = "run.json"
	ConfigFile = "config.toml"
)

// A State says whether a run goes on.
type State string

// The states of a run. One that was killed is Running for ever, or until it is resumed.
const (
	Running     State = "running"
	Finished    State = "finished"
	Interrupted State = "interrupted" // and saved
	Failed      State = "failed"
	Damaged     State = "damaged" // of a Summary: its folder cannot be read
)

// Info is run.json.
type Info struct {
	Command  []string          `json:"command"`
	Learner  string            `json:"learner,omitempty"`
	Seed     uint64            `json:"seed"`
	Started  time.Time         `json:"started"`
	Resumed  []time.Time       `json:"resumed,omitempty"`
	Ended    *time.Time        `json:"ended,omitempty"` // nil while it runs, and of one that was killed
	State    State             `json:"state"`
	Error    string            `json:"error,omitempty"` // why it failed
	Step     int64             `json:"step"`            // done at the end; while it runs, at the last start
	Compute  Compute           `json:"compute,omitzero"`
	Machine  string            `json:"machine,omitempty"`
	Revision string            `json:"revision,omitempty"` // of the source, with "+changes" if it was modified
	Versions map[string]string `json:"versions,omitempty"`
}

// Compute is what a run's numbers depend on beside its configuration: with another, the same steps
// differ in their last bits, and soon in more. Compute and Machine are those of the last start.
type Compute struct {
	Device    string `json:"device,omitempty"`    // "cpu", "cuda:0"
	Threads   int    `json:"threads,omitempty"`   // of one operation
	Precision string `json:"precision,omitempty"` // of the network's forward pass: "float32", "bfloat16"
	Library   string `json:"library,omitempty"`   // "libtorch 1.13.0"
	Kernels   string `json:"kernels,omitempty"`   // which of those that the libraries have for a processor
}

// differences are what makes now compute otherwise than the run did before, on was.
func differences(before Compute, was string, now Compute, is string) []string {
	var list []string
	differ := func(name, before, now string) {
		if before != "" && before != now {
			list = append(list, fmt.Sprintf("%s %s, was %s", name, now, before))
		}
	}
	threads := func(n int) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprint(n)
	}
	differ("device", before.Device, now.Device)
	differ("threads", threads(before.Threads), threads(now.Threads))
	differ("precision", before.Precision, now.Precision)
	differ("library", before.Library, now.Library)
	differ("kernels", before.Kernels, now.Kernels)
	differ("machine", was, is)
	return list
}

// ReadInfo reads run.json.
func ReadInfo(dir string) (info Info, err error) {
	path := filepath.Join(dir, InfoFile)
	data, err := text.ReadBytes(path, maxInfo)
	if err != nil {
		return info, err
	}
	if err := json.Unmarshal(data, &info); err != nil {
		return info, fmt.Errorf("%s: %w", path, err)
	}
	if info.Compute == (Compute{}) {
		info.Compute.Threads = threadsOf(info.Command)
	}
	if n := info.Compute.Threads; n < 0 || n > maxThreads {
		return info, fmt.Errorf("%s: compute.threads is %d, want 0 to %d", path, n, maxThreads)
	}
	return info, nil
}

// threadsOf is the number of threads that a command line of ponder asks for, 0 if none: runs of older
// versions say it there alone.
func threadsOf(command []string) int {
	for i, arg := range command {
		text, ok := strings.CutPrefix(arg, "--threads=")
		if arg == "--threads" && i+1 < len(command) {
			text, ok = command[i+1], true
		}
		if n, err := strconv.Atoi(text); ok && err == nil {
			return n
		}
	}
	return 0
}

// maxInfo bounds run.json, in bytes.
const maxInfo = 1 << 20

// maxThreads is how many threads a run may record: more is not a machine but a damaged file.
const maxThreads = 4096

func writeInfo(dir string, info Info) error {
	data, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, InfoFile), append(data, '\n'))
}

// replaceFile puts data in place of path's content, or leaves what was there.
func replaceFile(path string, data []byte) error {
	return output.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
