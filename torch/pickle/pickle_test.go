package pickle

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

// TestPython reads testdata/make.py's file: strides, offsets, a shared storage, nested containers,
// every type.
func TestPython(t *testing.T) {
	f, err := Open("testdata/strided.pt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	floats := map[string]struct {
		shape []int64
		want  []float32
	}{
		"model.whole":      {[]int64{3, 4}, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		"model.transposed": {[]int64{4, 3}, []float32{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}},
		"model.column":     {[]int64{3}, []float32{2, 6, 10}},
		"model.corner":     {[]int64{2, 2}, []float32{6, 7, 10, 11}},
		"model.repeated":   {[]int64{2, 3}, []float32{9, 10, 11, 9, 10, 11}},
		"model.scalar":     {[]int64{}, []float32{11}},
		"model.empty":      {[]int64{0, 4}, []float32{}},
		"model.parameter":  {[]int64{2}, []float32{1.5, -2}},
		"model.bf16":       {[]int64{2}, []float32{1, -3}},
		"model.f64":        {[]int64{1}, []float32{0.1}},
		"exp_avg.0":        {[]int64{1}, []float32{3}},
		"exp_avg.1.0":      {[]int64{1}, []float32{4}},
		"exp_avg.1.1.0":    {[]int64{1}, []float32{5}},
	}
	ints := map[string][]int64{
		"model.i64":  {math.MinInt64, 5},
		"model.i32":  {-7},
		"model.i16":  {-7},
		"model.i8":   {-7},
		"model.u8":   {200},
		"model.bool": {1, 0},
	}
	names := f.Names()
	if len(names) != len(floats)+len(ints) || names[0] != "model.whole" || names[len(names)-1] != "exp_avg.1.1.0" {
		t.Errorf("names = %q", names)
	}
	for name, want := range floats {
		x, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.Float32s()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !cmp.Equal(x.Shape, want.shape) || !cmp.Equal(got, want.want) {
			t.Errorf("%s = %v %v, want %v %v", name, x.Shape, got, want.shape, want.want)
		}
	}
	for name, want := range ints {
		x, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.Int64s()
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s = %v, %v, want %v", name, got, err, want)
		}
	}
	if _, err := f.Tensor("model"); err == nil || f.Has("model") {
		t.Error("a container was taken for a tensor")
	}
}

// TestReference reads checkpoints of the original trainer and compares names, types and shapes with
// the list beside them.
func TestReference(t *testing.T) {
	paths, err := filepath.Glob("../../../shared/hrm/torch_ckpt/*/step_*")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Skip("the recorded checkpoints are not beside this checkout")
	}
	types := map[safetensors.DType]string{safetensors.F32: "torch.float32", safetensors.BF16: "torch.bfloat16"}
	for _, path := range paths {
		expected, err := safetensors.Open(filepath.Join(filepath.Dir(path), "expected.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer expected.Close()
		var want map[string][2]any
		if err := json.Unmarshal([]byte(expected.Metadata()["state_dict"]), &want); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got := map[string][2]any{}
		for _, name := range f.Names() {
			x, err := f.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			shape := []any{}
			for _, d := range x.Shape {
				shape = append(shape, float64(d))
			}
			got[name] = [2]any{types[x.DType], shape}
			v, err := x.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			var sum float64
			for _, e := range v {
				sum += float64(e) * float64(e)
			}
			// Initial weights are of order 1/sqrt(width) to 1: zeros, swapped bytes or wrong offsets are not.
			if rms := math.Sqrt(sum / float64(len(v))); !(rms > 1e-3 && rms < 10) {
				t.Errorf("%s %s: root mean square %v", path, name, rms)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

// archive makes a zip file; contents alternate names and bytes.
func archive(t testing.TB, contents ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(contents); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: contents[i], Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, contents[i+1])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(b []byte) (*File, error) { return Read(bytes.NewReader(b), int64(len(b))) }

// Pieces of programs.
func str(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}
func num(n int32) string { return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
func long(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func dims(n ...string) string {
	return "(" + strings.Join(n, "") + "t"
}

func pid(kind, key, n string) string {
	return "(" + str("storage") + "ctorch\n" + kind + "\n" + str(key) + str("cpu") + n + "tQ"
}

func tensor(storage, offset, shape, stride string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + shape + stride + "\x89ccollections\nOrderedDict\n)RtR"
}

func stateDict(values ...string) string {
	return "\x80\x02}(" + strings.Join(values, "") + "u."
}

var four = pid("FloatStorage", "0", num(4)) // 16 bytes

func TestHostile(t *testing.T) {
	data := strings.Repeat("\x00", 16)
	one := func(tensor string) string { return stateDict(str("a"), tensor) }
	// nest makes n dictionaries, each holding the one before it twice.
	nest := func(n int) string {
		p := "\x80\x02("
		for i := range n {
			p += "}q" + string(rune(i)) + "("
			if i > 0 {
				before := "h" + string(rune(i-1))
				p += str("a") + before + str("b") + before
			}
			p += "u"
		}
		return p + "t."
	}
	tests := []struct {
		name    string
		program string
		want    string
	}{
		{"runs a command", "\x80\x02cposix\nsystem\n(" + str("true") + "tR.", `"posix.system"`},
		{"builtin", "\x80\x02c__builtin__\neval\n.", `"__builtin__.eval"`},
		{"other function of torch", "\x80\x02ctorch._utils\n_rebuild_wrapper_subclass\n.", "refused"},
		{"long name", "\x80\x02c" + strings.Repeat("x", 100000) + "\ny\n.", "refused"},
		{"calls a value", "\x80\x02" + str("a") + ")R.", "call"},
		{"calls without a tuple", "\x80\x02ccollections\nOrderedDict\n}R.", "arguments"},
		{"calls with too many", "\x80\x02ccollections\nOrderedDict\n(NtR.", "1 arguments"},
		{"calls a storage type", "\x80\x02ctorch\nFloatStorage\n)R.", "called"},
		{"builds an object", "\x80\x02N}b.", "expected"},
		{"protocol 4", "\x80\x04}.", "protocol 4"},
		{"old opcode", "\x80\x02I1\n.", "opcode 0x49"},
		{"empty", "", "cut short"},
		{"no stop", "\x80\x02}", "cut short"},
		{"nothing left", "\x80\x02.", "0 values"},
		{"two left", "\x80\x02NN.", "2 values"},
		{"a mark left", "\x80\x02(.", "mark"},
		{"no mark", "\x80\x02}Nu.", "no mark"},
		{"odd items", "\x80\x02}(Nu.", "without a value"},
		{"append to nothing", "\x80\x02Na.", "stack is empty"},
		{"set in nothing", "\x80\x02NNs.", "stack is empty"},
		{"memo", "\x80\x02h\x05.", "memo 5"},
		{"put of nothing", "\x80\x02q\x05.", "stack is empty"},
		{"long string", "\x80\x02X\xff\xff\xff\xff.", "cut short"},
		{"long number", "\x80\x02\x8a\x09123456789.", "at most 8"},
		{"tuple of nothing", "\x80\x02\x87.", "stack is empty"},
		{"key of a tuple", "\x80\x02}())s.", "mark"},
		{"tuple as key", "\x80\x02})Ns.", "key of type"},
		{"persistent id of another kind", "\x80\x02" + str("x") + "Q.", "expected"},
		{"persistent id of no storage", "\x80\x02(" + str("module") + "NNNNtQ.", "not that of a storage"},
		{"storage of a dict", "\x80\x02(" + str("storage") + "ccollections\nOrderedDict\n" + str("0") + str("cpu") + num(1) + "tQ.", "not a type of storage"},
		{"negative storage", one(tensor(pid("FloatStorage", "0", num(-1)), num(0), dims(num(1)), dims(num(1)))), "-1 elements"},
		{"huge storage", one(tensor(pid("FloatStorage", "0", long(math.MaxInt64)), num(0), dims(num(1)), dims(num(1)))), "elements"},
		{"storage not as long", one(tensor(pid("FloatStorage", "0", num(5)), num(0), dims(num(1)), dims(num(1)))), "want 20"},
		{"storage missing", one(tensor(pid("FloatStorage", "../0", num(4)), num(0), dims(num(1)), dims(num(1)))), "not in the archive"},
		{"tensor of a string", one(tensor(str("x"), num(0), dims(num(1)), dims(num(1)))), "expected"},
		{"too many elements", one(tensor(four, num(0), dims(num(5)), dims(num(0)))), "more elements"},
		{"repeats without end", one(tensor(four, num(0), dims(num(1<<30), num(1<<30), num(1<<30)), dims(num(0), num(0), num(0)))), "more elements"},
		{"offset beyond", one(tensor(four, num(4), dims(num(1)), dims(num(1)))), "beyond its storage"},
		{"scalar beyond", one(tensor(four, num(4), dims(), dims())), "beyond its storage"},
		{"stride beyond", one(tensor(four, num(0), dims(num(2)), dims(num(4)))), "beyond its storage"},
		{"stride overflows", one(tensor(four, num(1), dims(num(3)), dims(long(math.MaxInt64/2+1)))), "beyond 2^63"},
		{"empty overflows", one(tensor(four, num(0), dims(long(1<<40), long(1<<40), num(0)), dims(num(1), num(1), num(1)))), "beyond 2^63"},
		{"negative offset", one(tensor(four, num(-1), dims(num(1)), dims(num(1)))), "offset -1"},
		{"negative dimension", one(tensor(four, num(0), dims(num(-1)), dims(num(1)))), "negative"},
		{"negative stride", one(tensor(four, num(3), dims(num(2)), dims(num(-1)))), "negative"},
		{"stride of other length", one(tensor(four, num(0), dims(num(1)), dims())), "stride"},
		{"many dimensions", one(tensor(four, num(0), dims(strings.Repeat(num(1), 65)), dims(strings.Repeat(num(1), 65)))), "at most 64"},
		{"dimension not a number", one(tensor(four, num(0), dims("N"), dims(num(1)))), "expected"},
		{"contains itself", "\x80\x02}q\x00(" + str("a") + "h\x00u.", "nested"},
		{"many laughs", nest(30), "more than"},
		{"long names", stateDict(str(strings.Repeat("x", maxName+1)), tensor(four, num(0), dims(num(1)), dims(num(1)))), "name of"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read(archive(t, "m/data.pkl", tt.program, "m/data/0", data, "m/byteorder", "little"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error = %v, want one with %q", err, tt.want)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestArchive(t *testing.T) {
	program := stateDict(str("a"), tensor(four, num(1), dims(num(2)), dims(num(2))))
	data := "\x00\x00\x00\x00\x00\x00\x80\x3f\x00\x00\x00\x00\x00\x00\x00\x40" // 0, 1, 0, 2
	good := archive(t, "m/data.pkl", program, "m/data/0", data)
	f, err := read(good)
	if err != nil {
		t.Fatal(err)
	}
	x, err := f.Tensor("a")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := x.Float32s(); err != nil || !cmp.Equal(got, []float32{1, 2}) {
		t.Errorf("tensor = %v, %v, want [1 2]", got, err)
	}

	var deflated bytes.Buffer
	z := zip.NewWriter(&deflated)
	w, _ := z.Create("m/data.pkl")
	io.WriteString(w, program)
	z.Close()
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"not zip", []byte("\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."), "since PyTorch 1.6"},
		{"empty", nil, "zip"},
		{"cut", good[:len(good)-30], "zip"},
		{"no pickle", archive(t, "m/data/0", data), "no data.pkl"},
		{"two pickles", archive(t, "a/data.pkl", program, "b/data.pkl", program), "two pickles"},
		{"twice", archive(t, "m/data.pkl", program, "m/data/0", data, "m/data/0", data), "twice"},
		{"big-endian", archive(t, "m/data.pkl", program, "m/data/0", data, "m/byteorder", "big"), `"big"`},
		{"compressed", deflated.Bytes(), "compressed"},
	}
	for _, tt := range tests {
		if _, err := read(tt.file); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error = %v, want one with %q", tt.name, err, tt.want)
		}
	}

	damaged := bytes.Replace(good, []byte("\x80\x3f"), []byte("\x80\x3e"), 1)
	if f, err = read(damaged); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Tensor("a"); !errors.Is(err, zip.ErrChecksum) {
		t.Errorf("a changed byte: error = %v, want zip.ErrChecksum", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error = %v, want fs.ErrNotExist", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder was opened")
	}
}

// FuzzRead asks that any program and storage give an error or tensors that can be read.
func FuzzRead(f *testing.F) {
	f.Add([]byte(stateDict(str("a"), tensor(four, num(1), dims(num(2)), dims(num(2))))), []byte("0123456789abcdef"))
	f.Add([]byte(stateDict(str("a"), tensor(four, num(0), dims(num(2), num(0)), dims(num(2), num(1))))), []byte("0123456789abcdef"))
	z, err := zip.OpenReader("testdata/strided.pt")
	if err != nil {
		f.Fatal(err)
	}
	defer z.Close()
	p, err := readEntry(z.File[0], maxProgram)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p, make([]byte, 48))
	f.Fuzz(func(t *testing.T, program, data []byte) {
		in, err := read(archive(t, "m/data.pkl", string(program), "m/data/0", string(data)))
		if err != nil {
			return
		}
		for _, name := range in.Names() {
			x, err := in.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			if x.Len()*x.DType.Size() != len(x.Data) || len(x.Data) > len(data) {
				t.Fatalf("%s: %d bytes for %v of %s in a storage of %d", name, len(x.Data), x.Shape, x.DType, len(data))
			}
		}
	})
}

// FuzzArchive feeds whole files.
func FuzzArchive(f *testing.F) {
	b, err := os.ReadFile("testdata/strided.pt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(archive(f, "m/data.pkl", stateDict(str("a"), tensor(four, num(1), dims(num(2)), dims(num(2)))), "m/data/0", "0123456789abcdef"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := read(b)
		if err != nil {
			return
		}
		for _, name := range in.Names() {
			in.Tensor(name) // an error for a wrong checksum is fine
		}
	})
}

func Example() {
	f, err := Open("testdata/strided.pt")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	x, err := f.Tensor("model.transposed")
	fmt.Println(x.DType, x.Shape, err)
	// Output: F32 [4 3] <nil>
}
