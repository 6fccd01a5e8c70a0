package verify

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// Path replays every case below path, a file or a folder, on e and hands out a report for each
// file. A folder without any case is an error.
func Path(path string, e Engine, each func(*Report)) error {
	cases := 0
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		r := File(name, e)
		if !r.Skipped {
			cases++
		}
		each(r)
		return nil
	})
	if err == nil && cases == 0 {
		err = fmt.Errorf("%s: no recorded case in it", path)
	}
	return err
}

// File replays one file.
func File(path string, e Engine) *Report {
	r := &Report{File: path, Engine: e.Name()}
	if err := file(r, path, e); err != nil {
		r.problem("%v", err)
	}
	return r
}

func file(r *Report, path string, e Engine) error {
	name := filepath.Base(path)
	switch {
	case name == "lr_schedule.json":
		r.Format = "lr-schedule"
		return replaySchedule(r, path, e)
	case filepath.Ext(name) != ".safetensors":
		r.Skipped = true
		return nil
	case name == "expected.safetensors":
		r.Format = "checkpoint"
		return replayCheckpoint(r, filepath.Dir(path), e)
	}
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r.TensorsInFile = len(f.Names())
	r.Format = f.Metadata()["format"]
	switch r.Format {
	case "hrm-parity-1":
		return replay(r, f, false, e)
	case "trm-parity-1":
		return replay(r, f, true, e)
	case "hrm-parity-1-init":
		return replayInit(r, f, e)
	}
	if slices.ContainsFunc(f.Names(), func(n string) bool { return strings.HasPrefix(n, "call.") }) {
		return fmt.Errorf("format %q is unknown", r.Format)
	}
	r.Skipped = true
	return nil
}

// replaySchedule compares learning rates at given steps.
func replaySchedule(r *Report, path string, e Engine) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var cases []struct {
		LR       float64      `json:"base_lr"`
		Warmup   int64        `json:"num_warmup_steps"`
		Steps    int64        `json:"num_training_steps"`
		MinRatio float64      `json:"min_ratio"`
		Points   [][2]float64 `json:"points"`
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		return err
	}
	_, trains := e.(trainer)
	for i, c := range cases {
		r.TensorsInFile++
		key := fmt.Sprintf("schedule %d", i)
		if !trains {
			r.NotThisEngine = append(r.NotThisEngine, key)
			continue
		}
		sched := torch.Schedule{LR: c.LR, MinRatio: c.MinRatio, Warmup: c.Warmup, Steps: c.Steps}
		var got, want []float64
		for _, p := range c.Points {
			got = append(got, sched.At(int64(p[0])))
			want = append(want, p[1])
		}
		r.compare("learning rate", Relative, 1e-12, key, got, want)
	}
	if r.TensorsInFile == 0 {
		return fmt.Errorf("%s: no schedule in it", path)
	}
	return nil
}
