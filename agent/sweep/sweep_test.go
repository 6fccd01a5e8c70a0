package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// The test's own program stands for ponder train, and for a sweep that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "train" {
		if err := train(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "ponder:", err)
			os.Exit(2)
		}
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == "sweep" {
		s, err := Open(os.Args[2], os.Args[3])
		if err == nil {
			s.Command = []string{os.Args[0], "train"}
			err = s.Run(context.Background())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A climber's figure rises by its rate at each step.
type climber struct {
	cfg climb
	at  int64
}

type climb struct {
	Rate  float64 `json:"rate"`
	Steps int64   `json:"steps"`
	Seed  uint64  `json:"seed"`
	Sleep int     `json:"sleep"` // milliseconds of a step
}

func (c *climber) Describe() run.Description {
	return run.Description{Learner: "climber", Seed: c.cfg.Seed, Config: c.cfg}
}
func (c *climber) Steps() (done, all int64) { return c.at, c.cfg.Steps }
func (c *climber) Step(context.Context) error {
	time.Sleep(time.Duration(c.cfg.Sleep) * time.Millisecond)
	c.at++
	return nil
}
func (c *climber) Progress() []string { return nil }
func (c *climber) Metrics(time.Duration) []runlog.Field {
	return []runlog.Field{runlog.Float("mean_return", float64(c.at)*c.cfg.Rate+float64(c.cfg.Seed)/1000)}
}

func (c *climber) Evaluate(context.Context, int) (run.Evaluation, error) {
	return run.Evaluation{Text: "high", Fields: []runlog.Field{runlog.Int("count", 1)}}, nil
}

func (c *climber) Snapshot() (checkpoint.Snapshot, error) {
	x := map[string]safetensors.Tensor{"x": safetensors.OfFloat32s([]int64{1}, []float32{float32(c.at)})}
	return checkpoint.Snapshot{Config: c.cfg, Model: x, Optimizer: x, Train: c.at, Card: checkpoint.Card{Summary: "a climb"}}, nil
}
func (c *climber) Close() {}

// train is ponder train of a climber.
func train(args []string) error {
	var file, resume, out string
	var sets []string
	cfg := climb{Steps: 20, Rate: 1}
	o := run.Options{}
	dry := false
	for i := 0; i < len(args); i++ {
		value := func() string { i++; return args[i] }
		switch a := args[i]; a {
		case "--resume":
			resume = value()
		case "--out":
			out = value()
		case "--set":
			sets = append(sets, value())
		case "--seed":
			fmt.Sscan(value(), &cfg.Seed)
		case "--until":
			fmt.Sscan(value(), &o.Until)
		case "--threads":
			value()
		case "--dry-run":
			dry = true
		default:
			file = a
		}
	}
	seed := cfg.Seed
	if file != "" {
		var err error
		if cfg, err = run.ReadTOML(file, "preset", func(string) (climb, error) { return climb{}, nil }); err != nil {
			return err
		}
		cfg.Seed = seed
	}
	cfg, err := run.Override(cfg, sets...)
	if err != nil {
		return err
	}
	switch {
	case dry:
		text, err := run.TOML(cfg)
		if err == nil {
			_, err = os.Stdout.Write(text)
		}
		return err
	case resume != "":
		err = run.Resume(context.Background(), resume, func(s *run.Saved) (run.Learner, error) {
			c := &climber{}
			return c, errors.Join(json.Unmarshal(s.Config, &c.cfg), json.Unmarshal(s.State, &c.at))
		}, o)
	default:
		if cfg.Rate < 0 {
			return fmt.Errorf("rate %v falls", cfg.Rate)
		}
		err = run.Begin(context.Background(), out, &climber{cfg: cfg}, run.Plan{LogEvery: 1, SaveEvery: 3, EvalCount: 1}, o)
	}
	if errors.Is(err, run.ErrUntil) {
		return nil
	}
	return err
}

func files(t *testing.T, sweep, train string) (file, dir string) {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{"sweep.toml": sweep, "climb.toml": train} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(root, "sweep.toml"), filepath.Join(root, "out")
}

const halving = `
train = "climb.toml"
seeds = [1, 2]
stop = "halving"
rungs = [0.25, 0.5]
[fields]
rate = [0.5, 3.0, 1.0, 2.0]
`

// lastSteps are the steps of the last lines of all runs.
func lastSteps(t *testing.T, dir string, n int) (steps []int64) {
	t.Helper()
	for i := range n {
		at := int64(-1)
		if _, err := run.EachLine(filepath.Join(dir, Trial{Index: i}.Name()), func(l run.Line) { at = l.Step }); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		steps = append(steps, at)
	}
	return steps
}

// TestHalving: of four settings two go on after a quarter, one after half; begun again there is nothing to do.
func TestHalving(t *testing.T) {
	file, dir := files(t, halving, "steps = 20\nrate = 1.0\n")
	for range 2 {
		s, err := Open(file, dir)
		if err != nil {
			t.Fatal(err)
		}
		s.Command, s.Parallel = []string{os.Args[0], "train"}, 3
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]int64{5, 5, 20, 20, 5, 5, 10, 10}, lastSteps(t, dir, 8)); d != "" {
			t.Fatal(d)
		}
		all := s.Standings()
		if all[0].Sets[0] != "rate=3.0" || all[0].State != "finished" || *all[0].Figure != 60.0015 || all[1].Step != 10 || all[1].Done != 0 {
			t.Errorf("standings %+v", all)
		}
	}
	if err := os.WriteFile(file, []byte(halving+"# another\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, dir); err == nil || !strings.Contains(err.Error(), "begun with another sweep.toml") {
		t.Errorf("error %v", err)
	}
}

// To look at a sweep writes nothing.
func TestLook(t *testing.T) {
	file, dir := files(t, halving, "steps = 20\n")
	if _, err := Look(file, dir); err == nil || err.Error() != dir+": no sweep there" {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder: %v", err)
	}
	if _, err := Open(file, dir); err != nil {
		t.Fatal(err)
	}
	if s, err := Look(file, dir); err != nil || len(s.Standings()) != 4 {
		t.Errorf("standings %+v, error %v", s, err)
	}
}

// TestKilled: killed again and again, a sweep ends as one in one go.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	file, dir := files(t, halving, "steps = 20\nrate = 1.0\nsleep = 20\n")
	for i := 0; ; i++ {
		cmd := exec.Command(os.Args[0], "sweep", file, dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]int64{5, 5, 20, 20, 5, 5, 10, 10}, lastSteps(t, dir, 8)); d != "" {
				t.Fatal(d)
			}
			return
		case <-time.After(time.Duration(400+300*i) * time.Millisecond): // later each time: it must come to an end
			cmd.Process.Kill()
			<-ended
		}
	}
}

// What would be refused is, before any run; what fails is told when the others are done.
func TestFailures(t *testing.T) {
	file, dir := files(t, "train = \"climb.toml\"\n[fields]\nrtae = [1.0]\n", "steps = 4\n")
	s, err := Open(file, dir)
	if err != nil {
		t.Fatal(err)
	}
	s.Command = []string{os.Args[0], "train"}
	if err := s.Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "setting rtae=1.0: rtae=1.0: field rtae: unknown") {
		t.Errorf("error %v", err)
	}
	file, dir = files(t, "train = \"climb.toml\"\n[fields]\nrate = [-1.0, 1.0]\n", "steps = 4\n")
	if s, err = Open(file, dir); err != nil {
		t.Fatal(err)
	}
	s.Command = []string{os.Args[0], "train"}
	if err := s.Run(t.Context()); err == nil || !strings.HasSuffix(err.Error(), "run-000: rate -1 falls") {
		t.Errorf("error %v", err)
	}
	if got := lastSteps(t, dir, 2); got[1] != 4 {
		t.Errorf("steps %v: the other one did not run", got)
	}
	if err := s.One(t.Context(), 1); err != nil {
		t.Error(err)
	}
	if err := s.One(t.Context(), 2); err == nil {
		t.Error("a run that there is not was trained")
	}
}

// A metric that no run has decides nothing: the sweep stops and says what there is.
func TestMetric(t *testing.T) {
	for _, tt := range []struct{ plan, want string }{
		{halving, ""},
		{strings.Replace(halving, "stop", "metric = \"train mean_retrun\"\nstop", 1), `metric "train mean_retrun": no run has it up to 25 %, they have train mean_return`},
		{strings.Replace(halving, "stop", "metric = \"eval count\"\nstop", 1), `metric "eval count": no run has it up to 25 %, they have train mean_return`}, // at the end alone
		{"train = \"climb.toml\"\nmetric = \"eval count\"\n[fields]\nrate = [1.0]\n", ""},
		{"train = \"climb.toml\"\nmetric = \"eval cuont\"\n[fields]\nrate = [1.0]\n", `metric "eval cuont": no run has it up to 100 %, they have eval count, train mean_return`},
	} {
		file, dir := files(t, tt.plan, "steps = 8\n")
		s, err := Open(file, dir)
		if err != nil {
			t.Fatal(err)
		}
		s.Command, s.Parallel = []string{os.Args[0], "train"}, 2
		got := ""
		if err := s.Run(t.Context()); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: error %q, want %q", tt.plan, got, tt.want)
		}
	}
}

func TestPlan(t *testing.T) {
	p := &Plan{Train: "x", Method: "random", Trials: 50, Seed: 3, Seeds: []uint64{4}, Fields: map[string]any{
		"lr": map[string]any{"low": 1e-4, "high": 1e-2, "log": true}, "net": map[string]any{"width": map[string]any{"low": int64(2), "high": int64(4)}}, "kind": []any{"a", "b"},
	}}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	trials := p.List()
	if d := cmp.Diff(trials, p.List()); d != "" || len(trials) != 50 {
		t.Error("the draw is another the second time")
	}
	seen, small := map[string]bool{}, 0
	for _, trial := range trials {
		var lr float64
		fmt.Sscanf(trial.Sets[1], "lr=%g", &lr)
		if lr < 1e-4 || lr > 1e-2 {
			t.Errorf("lr %g", lr)
		}
		if lr < 1e-3 {
			small++
		}
		seen[trial.Sets[0]], seen[trial.Sets[2]] = true, true
	}
	if len(seen) != 5 || small < 15 || small > 35 { // log-uniform: half are below the geometric mean
		t.Errorf("drawn %v, %d of 50 below 1e-3", seen, small)
	}
	for text, want := range map[string]string{
		"train = \"x\"\nmethod = \"best\"\n[fields]\na = [1]":                `f.toml:2:1: field method is "best", want grid or random`,
		"train = \"x\"\n[fields]\na = 3":                                     "f.toml:3:1: field fields.a is 3, want a list of values, or {low, high}",
		"train = \"x\"\n[fields]\na = {low = 1, high = 2}":                   "f.toml:3:1: field fields.a is a range, which is for method random; want a list",
		"train = \"x\"\nseds = [1]\n[fields]\na = [1]":                       "f.toml:2:1: field seds: unknown",
		"[fields]\na = [1]":                                                  "f.toml: train is empty, want a TOML file or a recipe",
		"train = ":                                                           "f.toml:1:8: ",
		"\ufefftrain = \"x\"\r\nseds = [1]\r\n":                              "f.toml:2:1: field seds: unknown",
		"a" + strings.Repeat(".a", 40) + " = 1":                              "f.toml:1:66: a key of more than 32 parts",
		"train = \"x\"\nargs = [\"--seed\", \"7\"]\n[fields]\na = [1]":       `f.toml:2:1: field args is ["--seed" "7"], want no --seed: the sweep gives it`,
		"train = \"x\"\nargs = [\"--dry-run=true\"]\n[fields]\na = [1]":      `f.toml:2:1: field args is ["--dry-run=true"], want no --dry-run: the sweep gives it`,
		"train = \"x\"\nargs = [\"--set\", \"Seed = 7\"]\n[fields]\na = [1]": `f.toml:2:1: field args is ["--set" "Seed = 7"], want no seed: seeds has them`,
		"train = \"x\"\nargs = [\"--set=seed=7\"]\n[fields]\na = [1]":        `f.toml:2:1: field args is ["--set=seed=7"], want no seed: seeds has them`,
		"train = \"x\"\nargs = [\"--\"]\n[fields]\na = [1]":                  `f.toml:2:1: field args is ["--"], want flags alone`,
		"train = \"x\"\n[fields]\nseed = [1, 2]":                             "f.toml:3:1: field fields.seed is [1 2], want none: seeds has them",
		"train = \"x\"\nseeds = [1, 2, 1]\n[fields]\na = [1]":                "f.toml:2:1: field seeds is [1 2 1], want each once",
		"train = \"x\"\nrungs = [0.5, 0.2]\n[fields]\na = [1]":               "f.toml:2:1: field rungs is [0.5 0.2], want rising shares between 0 and 1",
	} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("f.toml", []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Read("f.toml"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

func TestArray(t *testing.T) {
	p := &Plan{Train: "x", Seeds: []uint64{1, 2}, Fields: map[string]any{"a": []any{int64(1), int64(2)}}}
	got, err := Array(p, "slurm", "my sweep.toml", "out")
	if want := `sbatch --array=0-3 --job-name=ponder --wrap='ponder sweep '\''my sweep.toml'\'' --out out --index $SLURM_ARRAY_TASK_ID'` + "\n"; err != nil || got != want {
		t.Errorf("%s, error %v, want %s", got, err, want)
	}
	if got, err = Array(p, "kubernetes", "s.toml", "out"); err != nil || !strings.Contains(got, "completions: 4\n") || !strings.Contains(got, `--index $JOB_COMPLETION_INDEX"`) {
		t.Errorf("%s, error %v", got, err)
	}
	p.Stop = "halving"
	if _, err := Array(p, "slurm", "s.toml", "out"); err == nil {
		t.Error("an array of runs that wait for each other")
	}
}
