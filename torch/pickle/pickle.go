package pickle

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

// Bounds of what a file may hold.
const (
	maxProgram = 64 << 20 // bytes of data.pkl
	maxValues  = 1 << 20  // values in all containers, shared ones counted at each use
	maxDepth   = 32       // containers in containers
	maxName    = 1024     // bytes of a tensor's joined name
)

// A File is an open checkpoint.
type File struct {
	names  []string // in the order of the file
	views  map[string]*view
	data   map[string]*zip.File // by storage key
	closer io.Closer
}

// Open opens the checkpoint at path. Storages are read when their tensors are asked for.
func Open(path string) (*File, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("torch checkpoint: %w", err) // an fs.PathError names the path
	}
	st, err := in.Stat()
	if err == nil {
		var f *File
		if f, err = Read(in, st.Size()); err == nil {
			f.closer = in
			return f, nil
		}
	}
	in.Close()
	return nil, fmt.Errorf("torch checkpoint %s: %w", path, err)
}

// Read is Open for the size bytes of r, which is read as long as the File is in use.
func Read(r io.ReaderAt, size int64) (*File, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w (torch.save writes zip archives since PyTorch 1.6; load and save older files again)", err)
	}
	entries := map[string]*zip.File{}
	stem := ""
	for _, e := range z.File {
		if entries[e.Name] != nil {
			return nil, fmt.Errorf("%q stands twice in the archive", e.Name)
		}
		entries[e.Name] = e
		if e.Method != zip.Store || e.CompressedSize64 != e.UncompressedSize64 {
			return nil, fmt.Errorf("%q is compressed, which torch.save does not do", e.Name)
		}
		if e.UncompressedSize64 > uint64(size) {
			return nil, fmt.Errorf("%q has %d bytes, the archive %d", e.Name, e.UncompressedSize64, size)
		}
		if s, ok := strings.CutSuffix(e.Name, "/data.pkl"); ok {
			if stem != "" {
				return nil, fmt.Errorf("two pickles, %q and %q", stem, s)
			}
			stem = s
		}
	}
	program := entries[stem+"/data.pkl"]
	if program == nil {
		return nil, errors.New("no data.pkl in the archive: not made by torch.save")
	}
	if order := entries[stem+"/byteorder"]; order != nil {
		b, err := readEntry(order, 16)
		if err != nil {
			return nil, err
		}
		if string(bytes.TrimSpace(b)) != "little" {
			return nil, fmt.Errorf("byte order %q, want little", b)
		}
	}
	b, err := readEntry(program, maxProgram)
	if err != nil {
		return nil, err
	}
	root, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	f := &File{views: map[string]*view{}, data: map[string]*zip.File{}}
	left := maxValues
	if err := f.collect("", root, maxDepth, &left); err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	for _, name := range f.names {
		s := f.views[name].storage
		e := entries[stem+"/data/"+s.key]
		if e == nil {
			return nil, fmt.Errorf("tensor %q: storage %q is not in the archive", name, s.key)
		}
		if want := s.len * int64(s.dtype.Size()); e.UncompressedSize64 != uint64(want) {
			return nil, fmt.Errorf("tensor %q: storage %q has %d bytes, want %d", name, s.key, e.UncompressedSize64, want)
		}
		f.data[s.key] = e
	}
	return f, nil
}

func readEntry(e *zip.File, most uint64) ([]byte, error) {
	if e.UncompressedSize64 > most {
		return nil, fmt.Errorf("%q has %d bytes, at most %d are read", e.Name, e.UncompressedSize64, most)
	}
	r, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("%q: %w", e.Name, err)
	}
	defer r.Close()
	b := make([]byte, e.UncompressedSize64)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("%q: %w", e.Name, err)
	}
	// The checksum is compared at the end of the entry.
	if _, err := r.Read(make([]byte, 1)); err != io.EOF {
		return nil, fmt.Errorf("%q: %w", e.Name, err)
	}
	return b, nil
}

// collect gathers the tensors below v; keys are joined by dots. Other values are passed over.
func (f *File) collect(name string, v any, depth int, left *int) error {
	if *left--; *left < 0 {
		return fmt.Errorf("more than %d values", maxValues)
	}
	if depth == 0 {
		return fmt.Errorf("containers are nested more than %d deep", maxDepth)
	}
	child := func(key string, v any) error {
		if name != "" {
			key = name + "." + key
		}
		if len(key) > maxName {
			return fmt.Errorf("a name of %d bytes, at most %d", len(key), maxName)
		}
		return f.collect(key, v, depth-1, left)
	}
	switch v := v.(type) {
	case *view:
		if _, ok := f.views[name]; !ok {
			f.names = append(f.names, name)
		}
		f.views[name] = v
	case *dict:
		for i, key := range v.keys {
			var text string
			switch key := key.(type) {
			case string:
				text = key
			case int64:
				text = strconv.FormatInt(key, 10)
			default:
				return fmt.Errorf("%q: a key of type %T", name, key)
			}
			if err := child(text, v.values[i]); err != nil {
				return err
			}
		}
	case *list:
		return f.collectAll(child, v.items)
	case tuple:
		return f.collectAll(child, v)
	}
	return nil
}

func (f *File) collectAll(child func(string, any) error, items []any) error {
	for i, v := range items {
		if err := child(strconv.Itoa(i), v); err != nil {
			return err
		}
	}
	return nil
}

// Close releases the file.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	c := f.closer
	f.closer = nil
	return c.Close()
}

// Names returns the names of the tensors in the order of the file; those of nested dictionaries and
// lists are joined by dots. The file's only value, if it is a tensor, has the empty name.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Has reports whether there is a tensor of that name.
func (f *File) Has(name string) bool { return f.views[name] != nil }

// Tensor reads the tensor of that name, as a contiguous copy of the caller's.
func (f *File) Tensor(name string) (safetensors.Tensor, error) {
	v := f.views[name]
	if v == nil {
		return safetensors.Tensor{}, fmt.Errorf("torch checkpoint: no tensor %q", name)
	}
	e := f.data[v.storage.key]
	raw, err := readEntry(e, e.UncompressedSize64)
	if err != nil {
		return safetensors.Tensor{}, fmt.Errorf("torch checkpoint: tensor %q: %w", name, err)
	}
	return safetensors.Tensor{DType: v.storage.dtype, Shape: slices.Clone(v.shape), Data: v.gather(raw)}, nil
}

// gather copies the elements of v, in row-major order, out of its storage's bytes.
func (v *view) gather(raw []byte) []byte {
	size := int64(v.storage.dtype.Size())
	if slices.Contains(v.shape, 0) {
		return []byte{}
	}
	count, contiguous := int64(1), true
	for i := len(v.shape) - 1; i >= 0; i-- {
		contiguous = contiguous && (v.shape[i] == 1 || v.stride[i] == count)
		count *= v.shape[i] // at most the storage's elements, which newView has checked
	}
	if contiguous {
		return slices.Clone(raw[v.offset*size : (v.offset+count)*size])
	}
	out := make([]byte, 0, count*size)
	index := make([]int64, len(v.shape))
	for at := v.offset; ; {
		out = append(out, raw[at*size:(at+1)*size]...)
		i := len(index) - 1
		for ; i >= 0; i-- {
			index[i]++
			at += v.stride[i]
			if index[i] < v.shape[i] {
				break
			}
			at -= index[i] * v.stride[i]
			index[i] = 0
		}
		if i < 0 {
			return out
		}
	}
}
