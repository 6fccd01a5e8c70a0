package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/internal/output"
)

// begun is the folder of a run that has no checkpoint yet.
var begun = output.Kind{Name: "run", Has: func(name string) bool {
	dir, file := path.Split(name)
	switch {
	case dir == "":
		whole, _, writing := strings.Cut(strings.TrimPrefix(file, "."), ".tmp-") // hidden as long as it is being written
		return file == "metrics.jsonl" || strings.HasPrefix(file, "events.out.tfevents.") ||
			writing == strings.HasPrefix(file, ".") && slices.Contains([]string{ConfigFile, InfoFile, BatchFile}, whole)
	case path.Dir(path.Clean(dir)) == checkpoint.RunSeries:
		return checkpoint.Writing(path.Base(dir)) && checkpoint.Has(file)
	}
	return false
}}

// Discard removes the folder of a run that ended before its first checkpoint, so that it can begin anew; it does
// nothing where there is no folder, and refuses one with anything else in it.
func Discard(dir string) error {
	switch _, err := os.Lstat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !begun.Only(dir):
		return fmt.Errorf("%s: it has more in it than a run without a checkpoint: move it away", dir)
	}
	return os.RemoveAll(dir)
}
