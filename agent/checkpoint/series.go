package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// stepPrefix begins the names of a series: step-000001200.
const stepPrefix = "step-"

// SaveStep saves s as the checkpoint of a step of the series in the folder root, which is made if it
// does not exist, and removes all but the newest keep of the series (0 keeps all).
func SaveStep(root string, step int, keep int, s Snapshot) error {
	if step < 0 || keep < 0 {
		return fmt.Errorf("save checkpoint %s: step %d, keep %d: want none negative", root, step, keep)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	if err := kind().Sweep(root, "."+stepPrefix); err != nil { // of a process that was killed
		return fmt.Errorf("save checkpoint: %w", err)
	}
	if err := Save(StepDir(root, step), s); err != nil {
		return err
	}
	steps, err := Steps(root)
	if err != nil {
		return err
	}
	if keep == 0 || len(steps) <= keep {
		return nil
	}
	for _, old := range steps[:len(steps)-keep] {
		dir := StepDir(root, old)
		gone := filepath.Join(root, "."+filepath.Base(dir)+".tmp-removed") // hides it from Steps while it is removed
		if !kind().Only(dir) {
			continue // somebody keeps something in it
		}
		if err := os.Rename(dir, gone); err != nil {
			return fmt.Errorf("remove checkpoint: %w", err)
		}
		err := os.RemoveAll(gone)
		if before := previous(dir); kind().Only(before) {
			err = errors.Join(err, os.RemoveAll(before))
		}
		if err != nil {
			return fmt.Errorf("remove checkpoint: %w", err)
		}
	}
	return nil
}

// StepDir is the folder of a step of the series in root.
func StepDir(root string, step int) string {
	return filepath.Join(root, fmt.Sprintf("%s%09d", stepPrefix, step))
}

// Writing reports whether a folder of that name is a step that was being written, or removed, when its process was killed.
func Writing(name string) bool {
	return strings.HasPrefix(name, "."+stepPrefix) && strings.Contains(name, ".tmp-")
}

// Steps returns the steps of the series in root, ascending; none if root does not exist.
func Steps(root string) ([]int, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoints: %w", err)
	}
	var steps []int
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), stepPrefix)
		if !ok || !e.IsDir() {
			continue
		}
		if n, err := strconv.Atoi(digits); err == nil && filepath.Base(StepDir(root, n)) == e.Name() {
			steps = append(steps, n)
		}
	}
	slices.Sort(steps)
	return steps, nil
}

// LoadNewest loads the newest whole checkpoint of the series in root and returns its step. Newer
// ones that are damaged are named in Warning. The error is fs.ErrNotExist if the series is empty.
func LoadNewest(root string) (c *Checkpoint, step int, err error) {
	steps, err := Steps(root)
	if err != nil {
		return nil, 0, err
	}
	if len(steps) == 0 {
		return nil, 0, fmt.Errorf("checkpoints in %s: %w", root, fs.ErrNotExist)
	}
	var broken []error
	for _, step := range slices.Backward(steps) {
		c, err := Load(StepDir(root, step))
		if err != nil {
			broken = append(broken, err)
			continue
		}
		if len(broken) > 0 {
			c.Warning = fmt.Errorf("%w; using %s", errors.Join(append(broken, c.Warning)...), c.Dir)
		}
		return c, step, nil
	}
	return nil, 0, errors.Join(broken...)
}
