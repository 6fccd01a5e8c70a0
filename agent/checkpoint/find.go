package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The folders of a run that hold checkpoints.
const (
	RunModel  = "model"       // the finished weights
	RunSeries = "checkpoints" // a series, to go on from
)

// Find opens the checkpoint at dir: itself, or if it is a run's folder the finished weights, or else
// the newest of the series.
func Find(dir string) (*Checkpoint, error) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("model %s: a file; want the checkpoint folder it is in", dir)
	}
	if _, err := os.Stat(filepath.Join(dir, RunModel)); err == nil {
		return Load(filepath.Join(dir, RunModel))
	}
	if steps, err := Steps(filepath.Join(dir, RunSeries)); err == nil && len(steps) > 0 {
		c, _, err := LoadNewest(filepath.Join(dir, RunSeries))
		return c, err
	}
	c, err := Load(dir)
	if _, serr := os.Stat(filepath.Join(dir, ConfigFile)); err != nil && errors.Is(serr, fs.ErrNotExist) {
		return nil, fmt.Errorf("model %s: neither a checkpoint (it has no %s) nor a run's folder", dir, ConfigFile)
	}
	return c, err
}
