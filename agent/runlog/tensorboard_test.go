package runlog

import (
	"encoding/json"
	"image"
	"math"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TensorBoard's own reader finds what was written, and forgets what a resumed run wrote again.
// Run it with a Python that has tensorboard first in PATH; 2.21.0 was used.
func TestTensorBoardReadsEvents(t *testing.T) {
	if err := exec.Command("python3", "-c", "import tensorboard").Run(); err != nil {
		t.Skip("no python3 with the package tensorboard in PATH")
	}
	dir := filepath.Join(t.TempDir(), "run")
	l, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	write := func(step int64, loss float64) {
		if err := l.Write(step, "train", Float("loss", loss), Int("rows", step), String("note", "x")); err != nil {
			t.Fatal(err)
		}
	}
	for step := int64(1); step <= 20; step++ {
		write(step, 100) // from step 11 on these points are written again
	}
	l.Events.Hyper(map[string]any{"lr": 0.5, "model.kind": "hrm", "ema": true}, time.Unix(1000, 0))
	l.Events.Histogram("weights", 4, []float32{1, 2, 2, -3, float32(math.NaN())})
	l.Events.Histogram("zeros", 4, make([]float32, 1000))
	l.Events.Image("board", 4, image.NewRGBA(image.Rect(0, 0, 5, 3)))
	l.Close()
	if l, err = Resume(dir, 10); err != nil {
		t.Fatal(err)
	}
	for step := int64(11); step <= 12; step++ {
		write(step, 0.5)
	}
	l.Close()

	out, err := exec.Command("python3", filepath.Join("testdata", "read_events.py"), dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		HParams    map[string]map[string]any
		Scalars    map[string][][2]float64
		Histograms map[string][][5]float64
		Images     map[string][][4]any
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want := got
	want.HParams = map[string]map[string]any{"_hparams_/session_start_info": {"lr": 0.5, "model.kind": "hrm", "ema": true}}
	want.Scalars = map[string][][2]float64{"train/loss": nil, "train/rows": nil}
	for step := 1.0; step <= 12; step++ {
		loss := 100.0
		if step > 10 {
			loss = 0.5
		}
		want.Scalars["train/loss"] = append(want.Scalars["train/loss"], [2]float64{step, loss})
		want.Scalars["train/rows"] = append(want.Scalars["train/rows"], [2]float64{step, step})
	}
	want.Histograms = map[string][][5]float64{"weights": {{4, 4, -3, 2, 4}}, "zeros": {{4, 1000, 0, 0, 1000}}}
	want.Images = map[string][][4]any{"board": {{4.0, 5.0, 3.0, "PNG"}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
