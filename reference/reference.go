package reference

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/torch/pickle"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A Checkpoint is a reference checkpoint, complete.
type Checkpoint struct {
	Model    Model
	Training Training
	File     string // name of the weights' file
	Step     int    // optimiser step in that name, -1 if it has none

	// Tensors are the weights and buffers under the names of the recorded cases ("inner.H_init"),
	// float32; what was saved as bfloat16 is widened, which is exact.
	Tensors map[string]safetensors.Tensor
}

// Read reads the checkpoint folder dir: all_config.yaml and a file of torch.save, of several the one
// named step_N with the largest N. seq is the number of tokens of a sequence, or 0 to find it in the
// shapes of the weights, in dataset.json or in expected.safetensors, if one is in dir.
func Read(dir string, seq int) (*Checkpoint, error) {
	c, err := read(dir, seq)
	if err != nil {
		return nil, fmt.Errorf("reference checkpoint %s: %w", dir, err)
	}
	return c, nil
}

func read(dir string, seq int) (*Checkpoint, error) {
	text, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no %s in the folder: %w", ConfigFile, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{}
	if c.Model, c.Training, err = Parse(text); err != nil {
		return nil, err
	}
	if c.File, c.Step, err = weights(dir); err != nil {
		return nil, err
	}
	f, err := pickle.Open(filepath.Join(dir, c.File))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if c.Tensors, err = tensors(f); err != nil {
		return nil, err
	}
	if err := c.infer(seq, func() (int, error) { return seqBeside(dir) }); err != nil {
		return nil, err
	}
	return c, c.check()
}

// weights finds the file that torch.save wrote.
func weights(dir string) (name string, step int, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", 0, err
	}
	var zips []string
	step = -1
	for _, e := range entries {
		if !e.Type().IsRegular() || !isZip(filepath.Join(dir, e.Name())) {
			continue
		}
		zips = append(zips, e.Name())
		if n := stepOf(e.Name()); n > step {
			name, step = e.Name(), n
		}
	}
	switch {
	case step >= 0:
		return name, step, nil
	case len(zips) == 1:
		return zips[0], -1, nil
	case len(zips) == 0:
		return "", 0, errors.New("no file of torch.save (a zip archive, as PyTorch writes since 1.6) in the folder")
	}
	return "", 0, fmt.Errorf("%d files might be the weights, %s: leave one, or name it step_N", len(zips), strings.Join(zips, ", "))
}

// stepOf is N of step_N and step_N.pt, -1 of other names.
func stepOf(name string) int {
	digits, ok := strings.CutPrefix(strings.TrimSuffix(name, filepath.Ext(name)), "step_")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 {
		return -1
	}
	return n
}

func isZip(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [4]byte
	_, err = f.ReadAt(head[:], 0)
	return err == nil && string(head[:]) == "PK\x03\x04"
}

// tensors reads all, under names that begin with "inner.": before it stands "model." of the loss
// head, and "_orig_mod." where the model was compiled.
func tensors(f *pickle.File) (map[string]safetensors.Tensor, error) {
	all := map[string]safetensors.Tensor{}
	for _, name := range f.Names() {
		short := name
		for !strings.HasPrefix(short, "inner.") {
			prefix, rest, ok := strings.Cut(short, ".")
			if !ok || prefix != "_orig_mod" && prefix != "model" && prefix != "module" {
				return nil, fmt.Errorf("tensor %q is not one of HRM's or TRM's", name)
			}
			short = rest
		}
		if _, ok := all[short]; ok {
			return nil, fmt.Errorf("tensor %q is there under two prefixes", short)
		}
		t, err := f.Tensor(name)
		if err != nil {
			return nil, err
		}
		if all[short], err = t.Convert(safetensors.F32); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
	}
	return all, nil
}

// seqBeside looks for the length of a sequence in the files that may lie beside the weights.
func seqBeside(dir string) (int, error) {
	b, err := os.ReadFile(filepath.Join(dir, "dataset.json"))
	if err == nil {
		var meta struct {
			SeqLen int `json:"seq_len"`
		}
		if err := json.Unmarshal(b, &meta); err != nil {
			return 0, fmt.Errorf("dataset.json: %w", err)
		}
		return meta.SeqLen, nil
	}
	path := filepath.Join(dir, "expected.safetensors")
	if _, err := os.Stat(path); err != nil {
		return 0, nil
	}
	f, err := safetensors.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if t, err := f.Tensor("batch.inputs"); err == nil && len(t.Shape) == 2 && t.Shape[1] <= maxSize {
		return int(t.Shape[1]), nil
	}
	return 0, nil
}

// shape is the shape of a tensor, zeros if it is not there or has other dimensions.
func (c *Checkpoint) shape(name string) [2]int {
	t := c.Tensors[name]
	if len(t.Shape) != 2 || t.Shape[0] > math.MaxInt32 || t.Shape[1] > math.MaxInt32 {
		return [2]int{}
	}
	return [2]int{int(t.Shape[0]), int(t.Shape[1])}
}

// infer fills in what all_config.yaml leaves out.
func (c *Checkpoint) infer(seq int, beside func() (int, error)) error {
	m := &c.Model
	m.VocabSize = c.shape("inner.embed_tokens.embedding_weight")[0]
	if m.VocabSize == 0 {
		return errors.New("no inner.embed_tokens.embedding_weight: not the weights of HRM or TRM")
	}
	m.NumPuzzleIdentifiers = c.shape("inner.puzzle_emb.weights")[0]
	places := 0 // positions that a table of the network covers
	switch {
	case m.PosEncodings == "learned":
		places = c.shape("inner.embed_pos.embedding_weight")[0]
	case m.MLPT:
		places = c.shape("inner.L_level.layers.0.mlp_t.gate_up_proj.weight")[1]
	}
	if places > 0 {
		m.SeqLen = places - c.puzzlePlaces()
		if seq != 0 && seq != m.SeqLen {
			return fmt.Errorf("a sequence of %d tokens was asked for, but the weights are for %d", seq, m.SeqLen)
		}
	} else if m.SeqLen = seq; seq == 0 {
		var err error
		if m.SeqLen, err = beside(); err != nil {
			return err
		}
		if m.SeqLen == 0 {
			return errors.New("the length of a sequence is in none of the files: give it (81 for a sudoku, 900 for a 30x30 grid)")
		}
	}
	if m.SeqLen < 1 {
		return fmt.Errorf("a sequence of %d tokens: the weights and the configuration don't belong together", m.SeqLen)
	}
	return nil
}

// puzzlePlaces is the number of positions before the tokens.
func (c *Checkpoint) puzzlePlaces() int {
	m := c.Model
	if m.PuzzleEmbLen > 0 {
		return m.PuzzleEmbLen
	}
	return (m.PuzzleEmbNDim + m.HiddenSize - 1) / m.HiddenSize
}

// check compares the tensors with those that the configuration asks for, by name and shape.
func (c *Checkpoint) check() error {
	m := c.Model
	width := func(d int) int { // 2/3 of the expansion, rounded up to a multiple of 256
		return (int(math.RoundToEven(m.Expansion*float64(d)*2/3)) + 255) / 256 * 256
	}
	d, n := m.HiddenSize, c.puzzlePlaces()+m.SeqLen
	want := map[string][]int{
		"inner.embed_tokens.embedding_weight": {m.VocabSize, d},
		"inner.lm_head.weight":                {m.VocabSize, d},
		"inner.q_head.weight":                 {2, d},
		"inner.q_head.bias":                   {2},
		"inner.H_init":                        {d},
		"inner.L_init":                        {d},
	}
	if m.PuzzleEmbNDim > 0 {
		want["inner.puzzle_emb.weights"] = []int{m.NumPuzzleIdentifiers, m.PuzzleEmbNDim}
	}
	if m.PosEncodings == "learned" {
		want["inner.embed_pos.embedding_weight"] = []int{n, d}
	}
	blocks := func(level string, layers int) {
		for i := range layers {
			b := fmt.Sprintf("inner.%s_level.layers.%d.", level, i)
			if m.MLPT {
				want[b+"mlp_t.gate_up_proj.weight"] = []int{2 * width(n), n}
				want[b+"mlp_t.down_proj.weight"] = []int{n, width(n)}
			} else {
				want[b+"self_attn.qkv_proj.weight"] = []int{3 * d, d}
				want[b+"self_attn.o_proj.weight"] = []int{d, d}
			}
			want[b+"mlp.gate_up_proj.weight"] = []int{2 * width(d), d}
			want[b+"mlp.down_proj.weight"] = []int{d, width(d)}
		}
	}
	// More layers than tensors cannot be right, and need no list.
	if m.LLayers > len(c.Tensors) || !m.TRM && m.HLayers > len(c.Tensors) {
		return fmt.Errorf("%d and %d layers, but the weights have only %d tensors", m.HLayers, m.LLayers, len(c.Tensors))
	}
	blocks("L", m.LLayers)
	if !m.TRM {
		blocks("H", m.HLayers)
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(want)) {
		t, ok := c.Tensors[name]
		if got, want := fmt.Sprint(t.Shape), fmt.Sprint(want[name]); !ok {
			errs = append(errs, fmt.Errorf("tensor %q is missing", name))
		} else if got != want {
			errs = append(errs, fmt.Errorf("tensor %q: shape %s, want %s", name, got, want))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Tensors)) {
		if _, ok := want[name]; !ok {
			errs = append(errs, fmt.Errorf("tensor %q has no place in a network of this configuration", name))
		}
	}
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return fmt.Errorf("%w, and %d more differ: weights and configuration don't belong together", errs[0], len(errs)-1)
}
