package checkpoint

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

type train struct {
	Step   int    `json:"step"`
	Stream []byte `json:"stream"`
}

// snapshot has the step in every file, so that a mixture of two is seen; its weights take n bytes.
func snapshot(step, n int) Snapshot {
	weights := make([]uint8, n)
	for i := range weights {
		weights[i] = uint8(step)
	}
	return Snapshot{
		Config:    map[string]int{"step": step},
		Model:     map[string]safetensors.Tensor{"w": safetensors.OfUint8s([]int64{int64(n)}, weights)},
		Metadata:  map[string]string{"step": strconv.Itoa(step)},
		Card:      Card{Name: "test", Summary: fmt.Sprintf("step %d", step)},
		Optimizer: map[string]safetensors.Tensor{"m": safetensors.OfInt64s(nil, []int64{int64(step)})},
		Train:     train{Step: step, Stream: []byte{1, 2, byte(step)}},
	}
}

// check returns the step that every file of c agrees on.
func check(t *testing.T, c *Checkpoint, n int) int {
	t.Helper()
	var tr train
	if err := json.Unmarshal(c.Train, &tr); err != nil {
		t.Fatal(err)
	}
	want := snapshot(tr.Step, n)
	var cfg map[string]int
	if err := json.Unmarshal(c.Config, &cfg); err != nil {
		t.Fatal(err)
	}
	w, err := c.Model.Tensor("w")
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Optimizer.Tensor("m")
	if err != nil {
		t.Fatal(err)
	}
	for _, diff := range []string{
		cmp.Diff(want.Config, any(cfg)), cmp.Diff(want.Model["w"].Data, w.Data), cmp.Diff(want.Metadata, c.Model.Metadata()),
		cmp.Diff(want.Optimizer["m"].Data, m.Data), cmp.Diff(want.Train, any(tr)), cmp.Diff(want.Card.Markdown(), c.Card),
	} {
		if diff != "" {
			t.Fatalf("step %d is mixed: %s", tr.Step, diff)
		}
	}
	return tr.Step
}

func loadStep(t *testing.T, dir string, n int) (step int, warning error) {
	t.Helper()
	c, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return check(t, c, n), c.Warning
}

func TestSaveLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	if _, err := Load(dir); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrDamaged) {
		t.Errorf("nothing there: error = %v, want fs.ErrNotExist", err)
	}
	for step := 1; step <= 4; step++ {
		if err := Save(dir, snapshot(step, 10)); err != nil {
			t.Fatal(err)
		}
		if got, warning := loadStep(t, dir, 10); got != step || warning != nil {
			t.Errorf("loaded step %d (%v), want %d", got, warning, step)
		}
	}
	if got, _ := loadStep(t, previous(dir), 10); got != 3 {
		t.Errorf("the one before is step %d, want 3", got)
	}
	c, err := ReadFS(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if got := check(t, c, 10); got != 4 {
		t.Errorf("ReadFS: step %d, want 4", got)
	}
	names, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*"))
	hidden, err2 := filepath.Glob(filepath.Join(filepath.Dir(dir), ".*"))
	if err != nil || err2 != nil || len(names) != 2 || len(hidden) != 0 {
		t.Errorf("left over: %v %v", names, hidden)
	}
	if err := Save(dir, Snapshot{}); err == nil {
		t.Error("a model without tensors was saved")
	}
	broken := snapshot(5, 10)
	broken.Train = func() {}
	if err := Save(dir, broken); err == nil || !strings.Contains(err.Error(), TrainFile) {
		t.Errorf("an unwritable train state: %v", err)
	}
	if got, warning := loadStep(t, dir, 10); got != 4 || warning != nil {
		t.Errorf("after a failed save: step %d (%v), want 4", got, warning)
	}
}

// TestSha256sum lets the tool of that name check what we wrote.
func TestSha256sum(t *testing.T) {
	tool, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("no sha256sum")
	}
	dir := filepath.Join(t.TempDir(), "net")
	if err := Save(dir, snapshot(1, 10)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool, "-c", "--strict", SumsFile)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "OK") != 4 {
		t.Errorf("%v: %s", err, out)
	}
}

func TestInferenceOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	s := snapshot(1, 3)
	s.Optimizer, s.Train = nil, nil
	if err := Save(dir, s); err != nil {
		t.Fatal(err)
	}
	c, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Optimizer != nil || c.Train != nil {
		t.Errorf("optimizer %v and train %s of a checkpoint that has none", c.Optimizer, c.Train)
	}
}

// TestDamage cuts, changes and removes each file.
func TestDamage(t *testing.T) {
	files := []string{ConfigFile, ModelFile, OptimizerFile, TrainFile, SumsFile}
	damages := map[string]func(path string) error{
		"cut":   func(path string) error { return os.Truncate(path, 7) },
		"empty": func(path string) error { return os.Truncate(path, 0) },
		"changed": func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			b[len(b)-3] ^= 1
			return os.WriteFile(path, b, 0o644)
		},
		"removed": os.Remove,
	}
	for name, damage := range damages {
		for _, file := range files {
			if name == "removed" && file == SumsFile {
				continue // then nothing is compared
			}
			t.Run(name+" "+file, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "net")
				if err := Save(dir, snapshot(1, 50)); err != nil {
					t.Fatal(err)
				}
				if err := damage(filepath.Join(dir, file)); err != nil {
					t.Fatal(err)
				}
				if c, err := Load(dir); !errors.Is(err, ErrDamaged) {
					t.Fatalf("the only one: %v, %v, want ErrDamaged", c, err)
				}
				if _, err := ReadFS(os.DirFS(dir)); err == nil {
					t.Error("ReadFS has no error")
				}
				// A save over the damaged one is whole, and becomes the one to fall back to.
				if err := Save(dir, snapshot(2, 50)); err != nil {
					t.Fatal(err)
				}
				if err := Save(dir, snapshot(3, 50)); err != nil {
					t.Fatal(err)
				}
				if err := damage(filepath.Join(dir, file)); err != nil {
					t.Fatal(err)
				}
				got, warning := loadStep(t, dir, 50)
				if got != 2 || !errors.Is(warning, ErrDamaged) || !strings.Contains(warning.Error(), previous(dir)) {
					t.Errorf("fell back to step %d with %v, want 2 and a warning", got, warning)
				}
			})
		}
	}
}

// TestBounds: a file of more bytes than its kind may have, which cost nothing to claim, and what is no file are refused by
// name, not read; and Save does not write what Load would refuse.
func TestBounds(t *testing.T) {
	for _, name := range []string{ConfigFile, TrainFile, CardFile, SumsFile} {
		for what, put := range map[string]func(path string) error{
			"more than":          func(path string) error { return os.Truncate(path, bound(name)+1) },
			"not a regular file": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o755)) },
		} {
			dir := filepath.Join(t.TempDir(), "net")
			if err := Save(dir, snapshot(1, 5)); err != nil {
				t.Fatal(err)
			}
			if name != SumsFile {
				if err := os.Remove(filepath.Join(dir, SumsFile)); err != nil {
					t.Fatal(err)
				}
			}
			if err := put(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			_, err := Load(dir)
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), name+": "+what) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error %v, want %q", name, err, what)
			}
		}
	}
	s := snapshot(1, 5)
	s.Config = strings.Repeat("a", int(bound(ConfigFile)))
	dir := filepath.Join(t.TempDir(), "net")
	if err := Save(dir, s); err == nil || !strings.Contains(err.Error(), "config.json: 16777219 bytes, and Load reads at most 16777216") {
		t.Errorf("a large configuration: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a checkpoint: %v", err)
	}
}

func TestHandMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	if err := Save(dir, snapshot(1, 5)); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{SumsFile, CardFile, OptimizerFile, TrainFile} {
		if err := os.Remove(filepath.Join(dir, f)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ConfigFile), []byte(`{"step": 2}`), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if string(c.Config) != `{"step": 2}` || c.Card != "" {
		t.Errorf("config %s, card %q", c.Config, c.Card)
	}
	if err := os.WriteFile(filepath.Join(dir, ConfigFile), []byte(`{"step"`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); !errors.Is(err, ErrDamaged) {
		t.Errorf("a broken config.json: %v", err)
	}
}

// TestForeign: what is no checkpoint of ours is neither replaced nor, as the one before, deleted.
func TestForeign(t *testing.T) {
	for name, files := range map[string][]string{
		"a folder":              {"net/thesis.tex"},
		"weights of a hub":      {"net/config.json", "net/model.safetensors", "net/README.md"},
		"the one before":        {"net.previous/thesis.tex"},
		"something beside one":  {"net.previous/SHA256SUMS", "net.previous/thesis.tex"},
		"checksums of the rest": {"net/SHA256SUMS", "net/thesis.tex"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dir := filepath.Join(root, "net")
			if strings.HasPrefix(files[0], "net.previous") {
				if err := Save(dir, snapshot(1, 5)); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range files {
				path := filepath.Join(root, f)
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					t.Fatal(err)
				}
				text := "theirs"
				if f == "net.previous/SHA256SUMS" {
					text = "00  " + ModelFile + "\n"
				}
				if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			checked := CheckDir(dir)
			if err := Save(dir, snapshot(2, 5)); err == nil || checked == nil {
				t.Errorf("saved over it: %v, CheckDir: %v", err, checked)
			}
			for _, f := range files {
				if _, err := os.Stat(filepath.Join(root, f)); err != nil {
					t.Error(err)
				}
			}
			if hidden, _ := filepath.Glob(filepath.Join(root, ".*")); len(hidden) != 0 {
				t.Errorf("left over: %v", hidden)
			}
		})
	}
}

// TestPruneKeepsNotes: a checkpoint of a series to which somebody has added something stays.
func TestPruneKeepsNotes(t *testing.T) {
	root := t.TempDir()
	for step := 1; step <= 4; step++ {
		if err := SaveStep(root, step, 1, snapshot(step, 5)); err != nil {
			t.Fatal(err)
		}
		if step == 2 {
			if err := os.WriteFile(filepath.Join(StepDir(root, 2), "notes"), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	if steps, err := Steps(root); err != nil || !cmp.Equal(steps, []int{2, 4}) {
		t.Errorf("steps %v (%v), want 2 with its notes and 4", steps, err)
	}
}

func TestSeries(t *testing.T) {
	root := filepath.Join(t.TempDir(), "run", "checkpoints")
	if _, _, err := LoadNewest(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty series: %v", err)
	}
	for step := 100; step <= 500; step += 100 {
		if err := SaveStep(root, step, 3, snapshot(step, 5)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "step-notes"), 0o755); err != nil {
		t.Fatal(err)
	}
	steps, err := Steps(root)
	if err != nil || !cmp.Equal(steps, []int{300, 400, 500}) {
		t.Errorf("steps = %v, %v, want the newest 3", steps, err)
	}
	newest := func(want int, damaged bool) {
		t.Helper()
		c, step, err := LoadNewest(root)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if step != want || check(t, c, 5) != want || errors.Is(c.Warning, ErrDamaged) != damaged {
			t.Errorf("newest = %d with %v, want %d", step, c.Warning, want)
		}
	}
	newest(500, false)
	if err := os.Truncate(filepath.Join(StepDir(root, 500), ModelFile), 9); err != nil {
		t.Fatal(err)
	}
	newest(400, true)
	if err := os.RemoveAll(filepath.Join(StepDir(root, 400), ConfigFile)); err != nil {
		t.Fatal(err)
	}
	newest(300, true)
	if err := os.RemoveAll(filepath.Join(StepDir(root, 300), ConfigFile)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadNewest(root); !errors.Is(err, ErrDamaged) {
		t.Errorf("all damaged: %v", err)
	}
	if hidden, _ := filepath.Glob(filepath.Join(root, ".*")); len(hidden) != 0 {
		t.Errorf("left over: %v", hidden)
	}
}

// The variables that make the test binary a process that saves until it is killed.
const (
	saverEnv   = "PONDER_TEST_SAVE_TO"
	saverBytes = 300_000
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(saverEnv); dir != "" {
		first, err := strconv.Atoi(os.Args[1])
		for step := first; err == nil; step++ {
			if err = Save(dir, snapshot(step, saverBytes)); err == nil {
				fmt.Println(step)
			}
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestKill kills a process that saves again and again, at moments that chance chooses: what is
// loaded afterwards is whole, and not older than what the process had been told is saved.
func TestKill(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs kill -9")
	}
	dir := filepath.Join(t.TempDir(), "net")
	r := rand.New(rand.NewPCG(1, 2))
	saved, warned := 0, 0
	for range 8 {
		cmd := exec.Command(os.Args[0], strconv.Itoa(saved+1))
		cmd.Env = append(os.Environ(), saverEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		told := bufio.NewScanner(out)
		if !told.Scan() { // one save at least, so that there is something to lose
			t.Fatal("the process saved nothing")
		}
		saved, _ = strconv.Atoi(told.Text())
		time.AfterFunc(time.Duration(r.IntN(120_000))*time.Microsecond, func() { cmd.Process.Kill() })
		for told.Scan() {
			saved, _ = strconv.Atoi(told.Text())
		}
		cmd.Wait() // killed
		got, warning := loadStep(t, dir, saverBytes)
		if warning != nil {
			warned++
		}
		if got < saved || got > saved+1 {
			t.Fatalf("loaded step %d (%v), but %d had been saved", got, warning, saved)
		}
		saved = got
	}
	if err := Save(dir, snapshot(saved+1, saverBytes)); err != nil {
		t.Fatal(err)
	}
	if hidden, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), ".*")); len(hidden) != 0 {
		t.Errorf("left over of killed processes: %v", hidden)
	}
	t.Logf("%d steps saved, %d times the folder was just being renamed", saved, warned)
}

// TestBetweenRenames is what a kill leaves between the two renames of a save.
func TestBetweenRenames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	if err := Save(dir, snapshot(1, 5)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, previous(dir)); err != nil {
		t.Fatal(err)
	}
	if got, warning := loadStep(t, dir, 5); got != 1 || !errors.Is(warning, fs.ErrNotExist) {
		t.Errorf("step %d with %v, want 1 and a warning that %s is missing", got, warning, dir)
	}
	if err := Save(dir, snapshot(2, 5)); err != nil {
		t.Fatal(err)
	}
	if got, warning := loadStep(t, dir, 5); got != 2 || warning != nil {
		t.Errorf("step %d (%v), want 2", got, warning)
	}
}

func TestCard(t *testing.T) {
	in := Card{
		License: "apache-2.0", Tags: []string{"hrm", "maze"}, Name: "maze: \"small\"", Summary: "walks through # mazes", Env: "maze/15x15-v0",
		Parameters: 98432, Command: "ponder train maze --seed 1", Results: []Result{{"optimal", "15x15", 0.97}}, Text: "It has limits.",
	}
	md := in.Markdown()
	for _, part := range []string{"---\nlibrary_name: ponder\n", "\n# maze: \"small\"\n", "| optimal | 15x15 | 0.97 |", "    ponder train maze --seed 1\n", "It has limits.\n"} {
		if !strings.Contains(md, part) {
			t.Errorf("the card has no %q:\n%s", part, md)
		}
	}
	out, err := ParseCard(md)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.Text, in.Text) {
		t.Errorf("text = %q", out.Text)
	}
	in.Library, out.Text = "ponder", in.Text
	if diff := cmp.Diff(in, out); diff != "" {
		t.Error(diff)
	}
	for _, md := range []string{"", "# title", "---\nname: x\n", "---\n\tx: [\n---\n"} {
		if _, err := ParseCard(md); err == nil {
			t.Errorf("%q is no error", md)
		}
	}
}
