package reference

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/plainyaml"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

const shared = "../../shared/hrm"

func need(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(shared); err != nil {
		t.Skip("the recorded checkpoints are not beside this checkout")
	}
}

// own is a checkpoint that testdata/record.py wrote.
const own = "testdata/checkpoint"

// TestReadOwn: what the configuration leaves out is found in the weights, and those are float32 under the
// names of the network, of whatever type and name they were saved.
func TestReadOwn(t *testing.T) {
	c, err := Read(own, Length{})
	if err != nil {
		t.Fatal(err)
	}
	want := Model{
		HaltExplorationProb: 0.4, HaltMaxSteps: 2, HCycles: 2, LCycles: 2, HLayers: 1, LLayers: 1, HiddenSize: 8, NumHeads: 2, Expansion: 4,
		PuzzleEmbNDim: 8, PosEncodings: "learned", RMSNormEps: 1e-5, RopeTheta: 10000, ForwardDType: "bfloat16",
		SeqLen: 6, VocabSize: 5, NumPuzzleIdentifiers: 3,
	}
	if diff := cmp.Diff(want, c.Model); diff != "" {
		t.Errorf("model (-want +got):\n%s", diff)
	}
	if c.Step != 2 || c.File != "step_2" || c.Training.Run != "HierarchicalReasoningModel_ACTV1 own tiny" || c.Training.LRWarmupSteps != 2 {
		t.Errorf("%s step %d, training %+v", c.File, c.Step, c.Training)
	}
	for name, x := range c.Tensors {
		if x.DType != safetensors.F32 || !strings.HasPrefix(name, "inner.") {
			t.Errorf("%s is %s", name, x.DType)
		}
	}
	net, err := c.Model.Network()
	if err != nil {
		t.Fatal(err)
	}
	wantNet := Network{
		Config: arch.Config{
			Vocab: 5, Seq: 6, Hidden: 8, Heads: 2, Levels: arch.HL(1, 1, 2, 2), Expansion: 4, NormEps: 1e-5, Positions: arch.Learned, RopeTheta: 10000,
			PuzzleIDs: 3, PuzzleDim: 8,
		},
		Precision: arch.BFloat16, Halting: act.Config{MaxSegments: 2, ExplorationProb: 0.4},
	}
	if diff := cmp.Diff(wantNet, net); diff != "" {
		t.Errorf("in our words (-want +got):\n%s", diff)
	}
}

// TestRead reads the recorded checkpoints of the original trainer: compiled and not, learned
// positions and rope, bfloat16 and float32.
func TestRead(t *testing.T) {
	need(t)
	base := Model{
		HaltExplorationProb: 0.1, HCycles: 2, LCycles: 2, HLayers: 1, LLayers: 1, Expansion: 4,
		RMSNormEps: 1e-5, RopeTheta: 10000,
	}
	sudoku, maze, arc := base, base, base
	sudoku.HaltMaxSteps, sudoku.HiddenSize, sudoku.NumHeads, sudoku.PuzzleEmbNDim = 4, 64, 4, 64
	sudoku.PosEncodings, sudoku.ForwardDType, sudoku.SeqLen, sudoku.VocabSize, sudoku.NumPuzzleIdentifiers = "rope", "bfloat16", 81, 11, 1
	maze.HaltMaxSteps, maze.HiddenSize, maze.NumHeads, maze.PuzzleEmbNDim = 4, 48, 3, 48
	maze.PosEncodings, maze.ForwardDType, maze.SeqLen, maze.VocabSize, maze.NumPuzzleIdentifiers = "learned", "float32", 81, 6, 1
	arc.HaltMaxSteps, arc.HiddenSize, arc.NumHeads, arc.PuzzleEmbNDim = 2, 32, 2, 32
	arc.PosEncodings, arc.ForwardDType, arc.SeqLen, arc.VocabSize = "rope", "bfloat16", 900, 12
	tests := []struct {
		dir  string
		want Model
		step int
		loss string
		run  string
	}{
		{"sudoku-official-bf16", sudoku, 3, "stablemax_cross_entropy", "HierarchicalReasoningModel_ACTV1 tiny-fixture"},
		{"maze-f32-learned", maze, 2, "softmax_cross_entropy", "HierarchicalReasoningModel_ACTV1 tiny-fixture"},
		{"arc-uncompiled-bf16", arc, 1, "stablemax_cross_entropy", "HierarchicalReasoningModel_ACTV1 tiny-fixture"},
	}
	for _, tt := range tests {
		t.Run(tt.dir, func(t *testing.T) {
			c, err := Read(filepath.Join(shared, "torch_ckpt", tt.dir), Length{})
			if err != nil {
				t.Fatal(err)
			}
			var meta struct {
				Identifiers int `json:"num_puzzle_identifiers"`
				Seq         int `json:"seq_len"`
				Vocab       int `json:"vocab_size"`
			}
			data := map[string]string{"sudoku-official-bf16": "sudoku9-tiny", "maze-f32-learned": "maze9-tiny", "arc-uncompiled-bf16": "arc-tiny"}
			b, err := os.ReadFile(filepath.Join(shared, "dataset", data[tt.dir], "train", "dataset.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, &meta); err != nil {
				t.Fatal(err)
			}
			tt.want.NumPuzzleIdentifiers, tt.want.VocabSize, tt.want.SeqLen = meta.Identifiers, meta.Vocab, meta.Seq
			if diff := cmp.Diff(tt.want, c.Model); diff != "" {
				t.Error(diff)
			}
			if _, err := c.Model.Network(); err != nil {
				t.Error(err)
			}
			if c.Step != tt.step || c.Training.Loss != tt.loss || c.Training.Run != tt.run || c.Training.LRWarmupSteps != 2 || c.Training.Beta2 != 0.95 {
				t.Errorf("step %d, training %+v", c.Step, c.Training)
			}
			for name, x := range c.Tensors {
				if x.DType != safetensors.F32 || !strings.HasPrefix(name, "inner.") {
					t.Errorf("%s is %s", name, x.DType)
				}
			}
			if _, err := Read(filepath.Join(shared, "torch_ckpt", tt.dir), Length{Want: 80}); (err == nil) != (tt.dir != "maze-f32-learned") {
				t.Errorf("another length of sequence: %v", err)
			}
		})
	}
}

// TestCases compares every recorded case's weights with its configuration, TRM's too, and finds what
// the configuration would leave out.
func TestCases(t *testing.T) {
	paths, err := filepath.Glob("testdata/*_*.safetensors")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases of our own: %v", err)
	}
	recorded, err := filepath.Glob(shared + "/*/*_*.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	paths = append(paths, recorded...)
	cases := 0
	for _, path := range paths {
		f, err := safetensors.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		meta := f.Metadata()
		if !strings.HasSuffix(meta["format"], "parity-1") {
			continue
		}
		cases++
		var want Model
		if err := json.Unmarshal([]byte(meta["config"]), &want); err != nil {
			t.Fatal(err)
		}
		want.TRM = meta["format"] == "trm-parity-1"
		c := &Checkpoint{Model: want, Tensors: map[string]safetensors.Tensor{}}
		for _, name := range f.Names() {
			if strings.HasPrefix(name, "inner.") {
				c.Tensors[name], _ = f.Tensor(name)
			}
		}
		c.Model.VocabSize, c.Model.NumPuzzleIdentifiers, c.Model.SeqLen = 0, 0, 0
		if want.PuzzleEmbNDim == 0 {
			want.NumPuzzleIdentifiers = 0 // there is no table to count
		}
		if err := c.infer(Length{}, func() (int, error) { return want.SeqLen, nil }); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if diff := cmp.Diff(want, c.Model); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		if err := c.check(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		// Each tensor counts: without it, with another shape, and with one too many it is no match.
		for name, x := range c.Tensors {
			changed := maps.Clone(c.Tensors)
			delete(changed, name)
			if err := (&Checkpoint{Model: c.Model, Tensors: changed}).check(); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s without %s: %v", path, name, err)
			}
			x.Shape = append([]int64{1}, x.Shape...)
			changed[name] = x
			if err := (&Checkpoint{Model: c.Model, Tensors: changed}).check(); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s with another %s: %v", path, name, err)
			}
		}
		more := maps.Clone(c.Tensors)
		more["inner.extra"] = safetensors.OfFloat32s(nil, []float32{1})
		if err := (&Checkpoint{Model: c.Model, Tensors: more}).check(); err == nil || !strings.Contains(err.Error(), "inner.extra") {
			t.Errorf("%s with one more: %v", path, err)
		}
	}
	if cases < 5 {
		t.Errorf("%d cases, want those of our own", cases)
	}
}

// folder copies our checkpoint, its configuration changed.
func folder(t *testing.T, change func(yaml string) string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{ConfigFile, "step_2"} {
		b, err := os.ReadFile(filepath.Join(own, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == ConfigFile {
			b = []byte(change(string(b)))
		}
		if err := os.WriteFile(filepath.Join(to, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func TestMismatch(t *testing.T) {
	replace := func(old, new string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, old) {
				t.Fatalf("no %q in the configuration", old)
			}
			return strings.ReplaceAll(s, old, new)
		}
	}
	tests := []struct {
		name   string
		change func(string) string
		want   string
	}{
		{"hidden size", replace("hidden_size: 8", "hidden_size: 16"), "want [16], and"},
		{"layers", replace("L_layers: 1", "L_layers: 2"), "L_level.layers.1"},
		{"very many layers", replace("L_layers: 1", "L_layers: 1000000"), "only"},
		{"fewer layers", replace("H_layers: 1", "H_layers: 0"), "H_layers is 0"},
		{"expansion", replace("expansion: 4", "expansion: 100"), "want [8 768]"},
		{"positions", replace("pos_encodings: learned", "pos_encodings: rope"), "in none of the files"},
		{"TRM", replace("HierarchicalReasoningModel_ACTV1\n  num", "TinyRecursiveReasoningModel_ACTV1\n  num"), "belong together"},
		{"another network", replace("hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1", "baseline@Transformer"), "neither"},
		{"ablation", replace("hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1", "recursive_reasoning.trm_singlez@TinyRecursiveReasoningModel_ACTV1"), "neither"},
		{"no arch", func(string) string { return "lr: 1\n" }, "no arch"},
		{"not YAML", func(string) string { return "arch: [\n" }, ConfigFile + ": line 1, column 7: "},
		{"a word for a number", replace("hidden_size: 8", "hidden_size: wide"), "line 9, column 16: cannot unmarshal"},
		{"huge", func(s string) string { return s + strings.Repeat("#", plainyaml.MaxBytes) }, "at most"},
	}
	for _, tt := range tests {
		if _, err := Read(folder(t, tt.change), Length{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error = %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

func TestFolder(t *testing.T) {
	same := func(s string) string { return s }
	dir := folder(t, same)
	if _, err := Read(filepath.Join(dir, "none"), Length{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	move("step_2", "checkpoint") // as the published ones are called
	c, err := Read(dir, Length{})
	if err != nil {
		t.Fatal(err)
	}
	if c.File != "checkpoint" || c.Step != -1 || c.Model.SeqLen != 6 {
		t.Errorf("%s step %d, sequences of %d", c.File, c.Step, c.Model.SeqLen)
	}
	b, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("other.pt", b)
	if _, err := Read(dir, Length{}); err == nil || !strings.Contains(err.Error(), "checkpoint, other.pt") {
		t.Errorf("two candidates: %v", err)
	}
	put("step_9", b)
	put("step_10.pt", b)
	if c, err := Read(dir, Length{}); err != nil || c.File != "step_10.pt" || c.Step != 10 {
		t.Errorf("newest step: %+v, %v", c, err)
	}
	for _, name := range []string{"checkpoint", "other.pt", "step_9", "step_10.pt"} {
		put(name, []byte("old format"))
	}
	if _, err := Read(dir, Length{}); err == nil || !strings.Contains(err.Error(), "no weights in the folder") {
		t.Errorf("no weights: %v", err)
	}
}

// TestSources: the same weights are read from wherever people have them.
func TestSources(t *testing.T) {
	want, err := Read(own, Length{})
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(own, ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(want.Tensors))
	named := func(before string, names []string) map[string]safetensors.Tensor {
		all := map[string]safetensors.Tensor{}
		for _, name := range names {
			all[before+name] = want.Tensors[name]
		}
		return all
	}
	index := func(file func(i int) string) string {
		in := map[string]string{}
		for i, name := range names {
			in[name] = file(i)
		}
		b, err := json.Marshal(map[string]any{"metadata": map[string]any{}, "weight_map": in})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	type files = map[string]any // text, or tensors
	both := files{
		"model-00001-of-00002.safetensors": named("", names[:3]), "model-00002-of-00002.safetensors": named("", names[3:]),
		"model.safetensors.index.json": index(func(i int) string { return fmt.Sprintf("model-0000%d-of-00002.safetensors", 1+min(1, i/3)) }),
	}
	with := func(f files, name string, what any) files {
		f = maps.Clone(f)
		f[name] = what
		return f
	}
	without := func(f files, name string) files {
		f = maps.Clone(f)
		delete(f, name)
		return f
	}
	for _, tt := range []struct {
		name   string
		files  files
		passed []string
		wrong  string
	}{
		{name: "one file", files: files{"model.safetensors": named("", names)}},
		{name: "of the loss head, compiled, of several", files: files{"m.safetensors": named("_orig_mod.module.model.", names)}},
		{name: "in a dictionary", files: files{"m.safetensors": named("model_state_dict._orig_mod.model.", names)}},
		{name: "beside an optimiser and an average", files: files{"m.safetensors": merged(named("state_dict.model.", names), named("ema.", names), named("optimizer.state.", names[:1]))}, passed: []string{"ema", "optimizer"}},
		{name: "without inner", files: files{"m.safetensors": cutNames(named("", names), "inner.")}},
		{name: "shards", files: both},
		{name: "a shard is missing", files: without(both, "model-00002-of-00002.safetensors"), wrong: "model-00002-of-00002.safetensors"},
		{name: "a shard elsewhere", files: with(both, "model.safetensors.index.json", index(func(int) string { return "../m" })), wrong: "want a file beside it"},
		{name: "a tensor in another shard", files: with(both, "model.safetensors.index.json", index(func(i int) string { return fmt.Sprintf("model-0000%d-of-00002.safetensors", 2-i%2) })), wrong: "no tensor"},
		{name: "an index of nothing", files: with(both, "model.safetensors.index.json", "{}"), wrong: "names no file"},
		{name: "no index", files: with(both, "model.safetensors.index.json", "[]"), wrong: "no index of weights"},
		{name: "shards without an index", files: without(both, "model.safetensors.index.json"), wrong: "2 files might be the weights"},
		{name: "two dictionaries", files: files{"m.safetensors": merged(named("model.", names), named("state_dict.", names))}, wrong: "under two prefixes"},
		{name: "something among them", files: files{"m.safetensors": merged(named("", names), map[string]safetensors.Tensor{"head.weight": want.Tensors[names[0]]})}, wrong: `"head.weight" is not one of`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// As huggingface_hub's cache lays a download out: links to files with other names.
			root := t.TempDir()
			dir := filepath.Join(root, "snapshots", "abc")
			if err := os.MkdirAll(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			tt.files[ConfigFile] = string(config)
			for name, what := range tt.files {
				blob := filepath.Join(root, "blob "+name)
				var err error
				if s, ok := what.(string); ok {
					err = os.WriteFile(blob, []byte(s), 0o666)
				} else {
					err = safetensors.Write(blob, nil, what.(map[string]safetensors.Tensor))
				}
				if err == nil {
					err = os.Symlink(filepath.Join("..", "..", "blob "+name), filepath.Join(dir, name))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			got, err := Read(dir, Length{})
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("error %v, want one with %q", err, tt.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Tensors, got.Tensors); diff != "" {
				t.Error(diff)
			}
			if !slices.Equal(got.Passed, tt.passed) {
				t.Errorf("passed over %q, want %q", got.Passed, tt.passed)
			}
		})
	}
}

func merged(parts ...map[string]safetensors.Tensor) map[string]safetensors.Tensor {
	all := map[string]safetensors.Tensor{}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

func cutNames(all map[string]safetensors.Tensor, prefix string) map[string]safetensors.Tensor {
	short := map[string]safetensors.Tensor{}
	for name, t := range all {
		short[strings.TrimPrefix(name, prefix)] = t
	}
	return short
}

// TestLength: where no table of the weights covers the positions, the length is what was asked for, what
// lies beside, or what the task has; otherwise it is asked for.
func TestLength(t *testing.T) {
	rope := func(s string) string { return strings.ReplaceAll(s, "pos_encodings: learned", "pos_encodings: rope") }
	c := &Checkpoint{Model: Model{PosEncodings: "rope"}, Tensors: map[string]safetensors.Tensor{"inner.embed_tokens.embedding_weight": safetensors.OfFloat32s([]int64{5, 1}, make([]float32, 5))}}
	for _, tt := range []struct {
		seq          Length
		beside, want int
	}{{Length{81, 900}, 36, 81}, {Length{0, 900}, 36, 36}, {Length{0, 900}, 0, 900}} {
		if err := c.infer(tt.seq, func() (int, error) { return tt.beside, nil }); err != nil || c.Model.SeqLen != tt.want {
			t.Errorf("%+v, %d beside: %d, %v, want %d", tt.seq, tt.beside, c.Model.SeqLen, err, tt.want)
		}
	}
	if _, err := Read(folder(t, rope), Length{}); !errors.Is(err, ErrLength) {
		t.Errorf("no length anywhere: %v", err)
	}
	if _, err := Read(own, Length{Want: 7}); !errors.Is(err, ErrLength) {
		t.Errorf("another length than the weights': %v", err)
	}
}

// TestPublished is a configuration as TRM's trainer writes it, with its defaults left out.
func TestPublished(t *testing.T) {
	ref, tr, err := Parse([]byte(`arch:
  name: recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1
  loss:
    name: losses@ACTLossHead
    loss_type: stablemax_cross_entropy
  halt_exploration_prob: 0.1
  halt_max_steps: 16
  H_cycles: 3
  L_cycles: 6
  H_layers: 0
  L_layers: 2
  hidden_size: 512
  num_heads: 8
  expansion: 4
  puzzle_emb_ndim: 512
  pos_encodings: none
  mlp_t: true
global_batch_size: 768
epochs: 50000
lr: 1e-4
beta1: 0.9
ema: true
ema_rate: 0.999
run_name: pretrain_mlp_t
  sudoku
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Model{
		HaltExplorationProb: 0.1, HaltMaxSteps: 16, HCycles: 3, LCycles: 6, LLayers: 2, HiddenSize: 512, NumHeads: 8, Expansion: 4,
		PuzzleEmbNDim: 512, PuzzleEmbLen: 16, PosEncodings: "none", RMSNormEps: 1e-5, RopeTheta: 10000, ForwardDType: "bfloat16",
		TRM: true, MLPT: true, NoACTContinue: true,
	}
	if diff := cmp.Diff(want, ref); diff != "" {
		t.Error(diff)
	}
	wantTr := Training{
		Loss: "stablemax_cross_entropy", Epochs: 50000, GlobalBatchSize: 768, LR: 1e-4, Beta1: 0.9, EMA: true, EMARate: 0.999,
		Run: "pretrain_mlp_t sudoku",
	}
	if diff := cmp.Diff(wantTr, tr); diff != "" {
		t.Error(diff)
	}
}

// FuzzParse asks that no text makes the parser panic or hang.
func FuzzParse(f *testing.F) {
	f.Add([]byte("arch:\n  name: a@Hierarchical\n  hidden_size: 3\n"))
	f.Add([]byte("a: &a [1, *a]\narch: {<<: *a}\n"))
	if b, err := os.ReadFile(own + "/all_config.yaml"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ref, _, err := Parse(text)
		if err != nil && len(err.Error()) > 2000 {
			t.Errorf("an error of %d bytes: %v", len(err.Error()), err)
		}
		if err == nil && (ref.HiddenSize < 1 || ref.LLayers < 1) {
			t.Errorf("accepted %+v", ref)
		}
	})
}
