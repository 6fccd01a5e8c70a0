package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"unicode/utf8"
)

// MaxHeader is the largest header in bytes that is read or written, as in the reference.
const MaxHeader = 100_000_000

const metadataKey = "__metadata__"

// A File is an open safetensors file.
type File struct {
	metadata map[string]string
	names    []string // sorted
	infos    map[string]info
	data     []byte
	unmap    func() error
}

type info struct {
	dtype      DType
	shape      []int64
	begin, end uint64
}

// Open maps the file at path into memory, where the system can, so that only the tensors in use are
// read; elsewhere it reads the whole file. Close the File after the last use of its tensors. The file
// must not be cut shorter meanwhile: on a mapped file that ends the process.
func Open(path string) (*File, error) {
	b, unmap, err := mapFile(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err) // an fs.PathError names the path
	}
	f, err := parse(b)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("safetensors %s: %w", path, err), unmap())
	}
	f.unmap = unmap
	return f, nil
}

// Parse reads a file that is already in memory. The tensors refer to b.
func Parse(b []byte) (*File, error) {
	f, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	return f, nil
}

// Close releases the mapping: no Data of the file's tensors may be used any more. What Float32s and
// the like returned stays valid.
func (f *File) Close() error {
	unmap := f.unmap
	f.unmap, f.data, f.infos, f.names = nil, nil, nil, nil
	if unmap == nil {
		return nil
	}
	return unmap()
}

// Metadata returns a copy of the file's strings, nil if it has none.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// Names returns the sorted names of the tensors.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Has reports whether there is a tensor of that name.
func (f *File) Has(name string) bool {
	_, ok := f.infos[name]
	return ok
}

// Tensor returns the tensor of that name. Its Data is a part of the file: read-only, and valid
// until Close.
func (f *File) Tensor(name string) (Tensor, error) {
	in, ok := f.infos[name]
	if !ok {
		return Tensor{}, fmt.Errorf("safetensors: no tensor %q", name)
	}
	return Tensor{in.dtype, slices.Clone(in.shape), f.data[in.begin:in.end:in.end]}, nil
}

// Tensors are all tensors by name, each as Tensor returns it.
func (f *File) Tensors() (map[string]Tensor, error) {
	all := map[string]Tensor{}
	for _, name := range f.names {
		t, err := f.Tensor(name)
		if err != nil {
			return nil, err
		}
		all[name] = t
	}
	return all, nil
}

// parse checks everything that can be wrong with a header, so that Tensor needs no check.
func parse(b []byte) (*File, error) {
	if len(b) < 8 {
		return nil, fmt.Errorf("%d bytes are too few for a header", len(b))
	}
	n := binary.LittleEndian.Uint64(b)
	switch {
	case n > MaxHeader:
		return nil, fmt.Errorf("header of %d bytes, at most %d allowed", n, MaxHeader)
	case n > uint64(len(b)-8):
		return nil, fmt.Errorf("header of %d bytes, but only %d follow: the file is cut short", n, len(b)-8)
	}
	header, data := b[8:8+n], b[8+n:]
	switch {
	case !utf8.Valid(header):
		return nil, errors.New("header is not UTF-8")
	case len(header) == 0 || header[0] != '{':
		return nil, errors.New("header does not begin with {")
	case !json.Valid(header):
		return nil, errors.New("header is not valid JSON")
	}
	f := &File{infos: map[string]info{}, data: data}
	if err := f.header(header); err != nil {
		return nil, err
	}
	f.names = slices.Sorted(maps.Keys(f.infos))

	// The tensors tile the data: in order of their offsets each begins where the last one ended.
	order := slices.Clone(f.names)
	slices.SortStableFunc(order, func(a, b string) int {
		return cmp.Or(cmp.Compare(f.infos[a].begin, f.infos[b].begin), cmp.Compare(f.infos[a].end, f.infos[b].end))
	})
	var end uint64
	for _, name := range order {
		in := f.infos[name]
		if in.begin != end || in.end < in.begin {
			return nil, fmt.Errorf("tensor %q: data_offsets [%d, %d], want them to begin at %d: gap or overlap",
				name, in.begin, in.end, end)
		}
		size, known, err := byteLen(in.dtype, in.shape)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		if known && in.end-in.begin != size {
			return nil, fmt.Errorf("tensor %q: %d bytes, but %s of shape %v has %d",
				name, in.end-in.begin, in.dtype, in.shape, size)
		}
		end = in.end
	}
	if end != uint64(len(data)) {
		return nil, fmt.Errorf("%d bytes of data, but the tensors end at %d: the file is cut or has something after them",
			len(data), end)
	}
	return f, nil
}

// header reads the JSON object by tokens, because json.Unmarshal takes the last of duplicate keys,
// ignores the case of keys and replaces what is not UTF-8.
func (f *File) header(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return object(d, "header", func(name string) error {
		if name == metadataKey {
			f.metadata = map[string]string{}
			return object(d, metadataKey, func(key string) error {
				value, err := token[string](d, "a string")
				if err != nil {
					return fmt.Errorf("%s %q: %w", metadataKey, key, err)
				}
				f.metadata[key] = value
				return nil
			})
		}
		in, err := readInfo(d, name)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		f.infos[name] = in
		return nil
	})
}

func readInfo(d *json.Decoder, name string) (in info, err error) {
	var seen int
	err = object(d, "entry", func(key string) error {
		seen++
		switch key {
		case "dtype":
			s, err := token[string](d, "a string")
			in.dtype = DType(s)
			if err != nil {
				return fmt.Errorf("dtype: %w", err)
			}
			return nil
		case "shape":
			return numbers(d, key, maxDims, &in.shape)
		case "data_offsets":
			var offsets []int64
			if err := numbers(d, key, 2, &offsets); err != nil {
				return err
			}
			if len(offsets) != 2 {
				return fmt.Errorf("data_offsets: %d numbers, want 2", len(offsets))
			}
			in.begin, in.end = uint64(offsets[0]), uint64(offsets[1])
			return nil
		}
		return fmt.Errorf("unknown key %q", key)
	})
	if err == nil && seen != 3 {
		err = errors.New("dtype, shape or data_offsets missing")
	}
	return in, err
}

// object reads {"key": value, ...} and calls value at each; keys must differ.
func object(d *json.Decoder, what string, value func(key string) error) error {
	if err := delim(d, '{'); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := token[string](d, "a key")
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("%s: key %q stands twice", what, key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	return delim(d, '}')
}

// numbers appends an array of at most max integers in [0, 2^63) to dst.
func numbers(d *json.Decoder, what string, max int, dst *[]int64) error {
	if err := delim(d, '['); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for d.More() {
		t, err := token[json.Number](d, "a number")
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		n, err := strconv.ParseUint(t.String(), 10, 63)
		if err != nil {
			return fmt.Errorf("%s: %s is not an integer in [0, %d]", what, t, int64(math.MaxInt64))
		}
		if len(*dst) == max {
			return fmt.Errorf("%s: more than %d numbers", what, max)
		}
		*dst = append(*dst, int64(n))
	}
	return delim(d, ']')
}

func delim(d *json.Decoder, want json.Delim) error {
	got, err := token[json.Delim](d, want.String())
	if err == nil && got != want {
		err = fmt.Errorf("%v where %v is expected", got, want)
	}
	return err
}

func token[T any](d *json.Decoder, want string) (v T, err error) {
	t, err := d.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return v, err
	}
	v, ok := t.(T)
	if !ok {
		return v, fmt.Errorf("%v where %s is expected", t, want)
	}
	return v, nil
}

// readAll is mapFile for systems without mappings.
func readAll(path string) ([]byte, func() error, error) {
	b, err := os.ReadFile(path)
	return b, func() error { return nil }, err
}
