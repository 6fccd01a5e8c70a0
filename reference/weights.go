package reference

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/torch/pickle"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

const (
	indexEnd     = ".safetensors.index.json" // of the file that says in which file a tensor is
	expectedFile = "expected.safetensors"    // of a recorded checkpoint: what it answers, no weights
)

// weights are tensors by name, in whatever files.
type weights interface {
	Names() []string
	Tensor(name string) (safetensors.Tensor, error)
	Close() error
}

// A candidate holds weights, or tells which others do.
type candidate struct {
	name string
	open func(dir string) (weights, error)
}

// find finds the weights in a folder.
func find(dir string) (candidate, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return candidate{}, err
	}
	var all []candidate
	shards := map[string]bool{}
	for _, e := range entries {
		name := e.Name()
		// Stat, since huggingface_hub's folders hold links.
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() || name == expectedFile {
			continue
		}
		if strings.HasSuffix(name, indexEnd) {
			in, err := readIndex(filepath.Join(dir, name))
			if err != nil {
				return candidate{}, err
			}
			for _, shard := range in {
				shards[shard] = true
			}
			all = append(all, candidate{name, func(dir string) (weights, error) { return openShards(dir, in) }})
			continue
		}
		switch head(filepath.Join(dir, name)) {
		case torchSave:
			all = append(all, candidate{name, func(dir string) (weights, error) { return pickle.Open(filepath.Join(dir, name)) }})
		case safeTensors:
			all = append(all, candidate{name, func(dir string) (weights, error) { return safetensors.Open(filepath.Join(dir, name)) }})
		}
	}
	all = slices.DeleteFunc(all, func(f candidate) bool { return shards[f.name] })
	if len(all) == 0 {
		return candidate{}, errors.New("no weights in the folder: want a file of torch.save (a zip archive, as PyTorch writes since 1.6), a .safetensors file, or several with their " + indexEnd[1:])
	}
	newest := slices.MaxFunc(all, func(a, b candidate) int { return stepOf(a.name) - stepOf(b.name) })
	if len(all) > 1 && stepOf(newest.name) < 0 {
		var names []string
		for _, f := range all {
			names = append(names, f.name)
		}
		return candidate{}, fmt.Errorf("%d files might be the weights, %s: leave one, or name it step_N", len(names), strings.Join(names, ", "))
	}
	return newest, nil
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

// What a file's first bytes say it is.
const (
	torchSave   = "a zip archive"
	safeTensors = "safetensors"
)

func head(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	var b [9]byte
	if _, err := io.ReadFull(f, b[:]); err != nil {
		return ""
	}
	switch {
	case string(b[:4]) == "PK\x03\x04":
		return torchSave
	case binary.LittleEndian.Uint64(b[:8]) <= safetensors.MaxHeader && b[8] == '{':
		return safeTensors
	}
	return ""
}

// readIndex reads in which file each tensor is. These are beside the index, nowhere else.
func readIndex(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var in struct {
		Files map[string]string `json:"weight_map"`
	}
	if err := json.NewDecoder(io.LimitReader(f, safetensors.MaxHeader)).Decode(&in); err != nil {
		return nil, fmt.Errorf("%s: no index of weights: %w", filepath.Base(path), err)
	}
	if len(in.Files) == 0 {
		return nil, fmt.Errorf("%s: its weight_map names no file", filepath.Base(path))
	}
	for name, shard := range in.Files {
		if filepath.Base(shard) != shard || !filepath.IsLocal(shard) {
			return nil, fmt.Errorf("%s: tensor %q is in %q, want a file beside it", filepath.Base(path), name, shard)
		}
	}
	return in.Files, nil
}

// sharded are weights in several files.
type sharded struct {
	in    map[string]string // the file of each tensor
	files map[string]*safetensors.File
}

func openShards(dir string, in map[string]string) (weights, error) {
	s := &sharded{in: in, files: map[string]*safetensors.File{}}
	for _, shard := range slices.Sorted(maps.Values(in)) {
		if s.files[shard] != nil {
			continue
		}
		f, err := safetensors.Open(filepath.Join(dir, shard))
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.files[shard] = f
	}
	return s, nil
}

func (s *sharded) Names() []string { return slices.Sorted(maps.Keys(s.in)) }

func (s *sharded) Tensor(name string) (safetensors.Tensor, error) {
	t, err := s.files[s.in[name]].Tensor(name)
	if err != nil {
		err = fmt.Errorf("%s: %w", s.in[name], err)
	}
	return t, err
}

func (s *sharded) Close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// tensors reads all as float32, under names that begin with "inner.". What stands beside them in the
// dictionary that holds their own, as an optimiser, is passed over by its name.
func tensors(w weights) (all map[string]safetensors.Tensor, passed []string, err error) {
	all = map[string]safetensors.Tensor{}
	var others []string
	within := map[string]bool{} // the dictionaries that hold weights
	for _, name := range w.Names() {
		short, ok := place(name)
		if !ok {
			others = append(others, name)
			continue
		}
		if _, ok := all[short]; ok {
			return nil, nil, fmt.Errorf("tensor %q is there under two prefixes", short)
		}
		t, err := w.Tensor(name)
		if err != nil {
			return nil, nil, err
		}
		within[first(name)] = true
		if t, err = t.Convert(safetensors.F32); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		t.Data = slices.Clone(t.Data) // a part of the file if it was float32 there
		all[short] = t
	}
	for _, name := range others {
		own := first(name)
		if len(within) != 1 || within[own] || !within["model"] && !within["state_dict"] && !within["model_state_dict"] {
			return nil, nil, fmt.Errorf("tensor %q is not one of HRM's or TRM's", name)
		}
		if !slices.Contains(passed, own) {
			passed = append(passed, own)
		}
	}
	return all, passed, nil
}

// first is the first part of a tensor's name.
func first(name string) string {
	head, _, _ := strings.Cut(name, ".")
	return head
}

// place is a tensor's name in the recorded cases: what stands before it is the dictionary's name in a larger one,
// "model." of the loss head, "_orig_mod." where the model was compiled, and "module." where it was trained by
// several; "inner." may be missing.
func place(name string) (short string, ok bool) {
	for {
		head, rest, _ := strings.Cut(name, ".")
		switch head {
		case "inner":
			return name, true
		case "embed_tokens", "embed_pos", "puzzle_emb", "lm_head", "q_head", "H_init", "L_init", "H_level", "L_level":
			return "inner." + name, true
		case "_orig_mod", "model", "module", "state_dict", "model_state_dict":
			name = rest
		default:
			return "", false
		}
	}
}
