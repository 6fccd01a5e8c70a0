package reference

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/ponder-agents/ponder/internal/text"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A Checkpoint is a reference checkpoint, complete.
type Checkpoint struct {
	Model    Model
	Training Training
	File     string   // name of the weights' file
	Step     int      // optimiser step in that name, -1 if it has none
	Passed   []string // what stands beside the weights in that file and was not read, as "optimizer"

	// Tensors are the weights and buffers under the names of the recorded cases ("inner.H_init"),
	// float32; what was saved as bfloat16 is widened, which is exact.
	Tensors map[string]safetensors.Tensor
}

// A Length is the number of tokens of a sequence, where the shapes of the weights do not tell it.
type Length struct {
	Want int // what it is to be; 0 to find it in dataset.json or in expected.safetensors, if one is in the folder
	Else int // what it is where nothing tells; 0 if that is an error
}

// ErrLength is in the error of a Length that is needed, or is not the weights'.
var ErrLength = errors.New("length of a sequence")

// Read reads the checkpoint folder dir: all_config.yaml and the weights, which are a file of torch.save, a
// .safetensors file, or several with their index, of many the one named step_N with the largest N. Links are followed.
func Read(dir string, seq Length) (*Checkpoint, error) {
	c, err := read(dir, seq)
	if err != nil {
		return nil, fmt.Errorf("reference checkpoint %s: %w", dir, err)
	}
	return c, nil
}

func read(dir string, seq Length) (*Checkpoint, error) {
	config, err := text.ReadBytes(filepath.Join(dir, ConfigFile), maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no %s in the folder: %w", ConfigFile, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{}
	if c.Model, c.Training, err = Parse(config); err != nil {
		return nil, err
	}
	file, err := find(dir)
	if err != nil {
		return nil, err
	}
	c.File, c.Step = file.name, stepOf(file.name)
	w, err := file.open(dir)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	if c.Tensors, c.Passed, err = tensors(w); err != nil {
		return nil, err
	}
	if err := c.infer(seq, func() (int, error) { return seqBeside(dir) }); err != nil {
		return nil, err
	}
	return c, c.check()
}

// seqBeside looks for the length of a sequence in the files that may lie beside the weights.
func seqBeside(dir string) (int, error) {
	b, err := text.ReadBytes(filepath.Join(dir, "dataset.json"), maxConfig)
	if err == nil {
		var meta struct {
			SeqLen int `json:"seq_len"`
		}
		if err := json.Unmarshal(b, &meta); err != nil {
			return 0, fmt.Errorf("dataset.json: %w", err)
		}
		return meta.SeqLen, nil
	}
	path := filepath.Join(dir, expectedFile)
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
func (c *Checkpoint) infer(seq Length, beside func() (int, error)) error {
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
		if seq.Want != 0 && seq.Want != m.SeqLen {
			return fmt.Errorf("%w: %d tokens were asked for, but the weights are for %d", ErrLength, seq.Want, m.SeqLen)
		}
	} else if m.SeqLen = seq.Want; seq.Want == 0 {
		found, err := beside()
		if err != nil {
			return err
		}
		if m.SeqLen = cmp.Or(found, seq.Else); m.SeqLen == 0 {
			return fmt.Errorf("%w: it is in none of the files (81 tokens for a sudoku, 900 for a 30x30 grid)", ErrLength)
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
