package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/internal/output"
)

// begun is the folder of a run that has no checkpoint yet. What is hidden was being written.
var begun = output.Kind{Name: "run", Has: func(name string) bool {
	hidden := slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool { return strings.HasPrefix(part, ".") })
	return hidden || slices.Contains([]string{ConfigFile, InfoFile, "metrics.jsonl", BatchFile}, name) ||
		path.Dir(name) == "." && strings.HasPrefix(name, "events.out.tfevents.")
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
