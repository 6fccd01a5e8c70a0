package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func le16(v ...uint16) (b []byte) {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint16(b, x)
	}
	return b
}

// tensors are those of testdata/make.py.
func tensors() map[string]Tensor {
	var f32 []float32
	for i := range 6 {
		f32 = append(f32, float32(i)/3)
	}
	halves := le16(0, 0x8000, 1, 0x03ff, 0x0400, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0xfc00)
	brains := le16(0, 0x8000, 1, 0x0080, 0x3f80, 0xc000, 0x7f7f, 0x7f80, 0xff80)
	return map[string]Tensor{
		"f64":                                OfFloat64s([]int64{2}, []float64{math.Pi, -1e300}),
		"f32":                                OfFloat32s([]int64{2, 3}, f32),
		"f16":                                {F16, []int64{10}, halves},
		"bf16":                               {BF16, []int64{9}, brains},
		"i64":                                OfInt64s([]int64{2}, []int64{math.MinInt64, math.MaxInt64}),
		"i32":                                OfInt32s([]int64{3}, []int32{math.MinInt32, 0, math.MaxInt32}),
		"i16":                                {I16, []int64{2}, le16(0x8000, 0x7fff)},
		"i8":                                 {I8, []int64{2}, []byte{0x80, 0x7f}},
		"u64":                                {U64, []int64{1}, binary.LittleEndian.AppendUint64(nil, math.MaxInt64)},
		"u32":                                {U32, []int64{1}, binary.LittleEndian.AppendUint32(nil, math.MaxUint32)},
		"u16":                                {U16, []int64{1}, le16(65535)},
		"u8":                                 OfUint8s([]int64{3, 1}, []byte{0, 7, 255}),
		"bool":                               OfBools([]int64{3}, []bool{true, false, true}),
		"scalar":                             OfFloat32s(nil, []float32{1.5}),
		"empty":                              OfFloat32s([]int64{0, 4}, nil),
		"tricky \"name\" \\ é <&> \u2028 \t": OfInt32s([]int64{1}, []int32{1}),
	}
}

// TestWriteEqualsPython compares with what the Python package wrote, byte for byte.
func TestWriteEqualsPython(t *testing.T) {
	path := filepath.Join(t.TempDir(), "go.safetensors")
	if err := Write(path, map[string]string{"format": "pt"}, tensors()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/python.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadPython(t *testing.T) {
	f, err := Open("testdata/python.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if diff := cmp.Diff(map[string]string{"format": "pt"}, f.Metadata()); diff != "" {
		t.Error(diff)
	}
	got := map[string]Tensor{}
	for _, name := range f.Names() {
		if got[name], err = f.Tensor(name); err != nil {
			t.Fatal(err)
		}
	}
	opts := cmp.Transformer("empty", func(s []int64) string { return fmt.Sprint(s) })
	if diff := cmp.Diff(tensors(), got, opts, cmp.Transformer("text", func(b []byte) string { return string(b) })); diff != "" {
		t.Error(diff)
	}
	if _, err := f.Tensor("none"); err == nil || f.Has("none") {
		t.Error("a tensor that is not there was found")
	}
}

func TestElements(t *testing.T) {
	all := tensors()
	floats := map[string][]float32{
		"f64":    {math.Pi, float32(math.Inf(-1))},
		"f16":    {0, float32(math.Copysign(0, -1)), 0x1p-24, 0x1.ff8p-15, 0x1p-14, 1, -2, 65504, float32(math.Inf(1)), float32(math.Inf(-1))},
		"bf16":   {0, float32(math.Copysign(0, -1)), 0x1p-133, 0x1p-126, 1, -2, 0x1.fep127, float32(math.Inf(1)), float32(math.Inf(-1))},
		"scalar": {1.5},
		"empty":  {},
	}
	for name, want := range floats {
		got, err := all[name].Float32s()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		wide, err := all[name].Float64s()
		if err != nil || len(wide) != len(want) {
			t.Fatalf("%s: Float64s: %v, %v", name, wide, err)
		}
		for i := range wide {
			if float32(wide[i]) != want[i] {
				t.Errorf("%s: Float64s[%d] = %v, want %v", name, i, wide[i], want[i])
			}
		}
	}
	ints := map[string][]int64{
		"i64":  {math.MinInt64, math.MaxInt64},
		"i32":  {math.MinInt32, 0, math.MaxInt32},
		"i16":  {-32768, 32767},
		"i8":   {-128, 127},
		"u64":  {math.MaxInt64},
		"u32":  {math.MaxUint32},
		"u16":  {65535},
		"u8":   {0, 7, 255},
		"bool": {1, 0, 1},
	}
	for name, want := range ints {
		got, err := all[name].Int64s()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got, err := all["bool"].Bools(); err != nil || !cmp.Equal(got, []bool{true, false, true}) {
		t.Errorf("Bools = %v, %v", got, err)
	}
	for _, f := range []func() error{
		func() error { _, err := all["i64"].Float32s(); return err },
		func() error { _, err := all["f32"].Int64s(); return err },
		func() error { _, err := all["f32"].Bools(); return err },
		func() error { _, err := all["f32"].Convert(I64); return err },
		func() error { _, err := all["i64"].Convert(F32); return err },
		func() error { _, err := Tensor{F32, []int64{2}, make([]byte, 7)}.Float32s(); return err },
		func() error { _, err := Tensor{U64, nil, bytes.Repeat([]byte{255}, 8)}.Int64s(); return err },
	} {
		if f() == nil {
			t.Error("a conversion that makes no sense succeeded")
		}
	}
}

// TestHalf converts every half-precision number to float32 and back, and checks that a number
// between two neighbours goes to the nearer one, a tie to the even one.
func TestHalf(t *testing.T) {
	formats := []struct {
		name   string
		up     func(uint16) float32
		down   func(float32) uint16
		finite uint16 // the largest positive finite number
	}{
		{"f16", float16To32, float32To16, 0x7bff},
		{"bf16", bfloat16To32, float32ToB16, 0x7f7f},
	}
	for _, tt := range formats {
		for i := range 1 << 16 {
			h := uint16(i)
			f := tt.up(h)
			if f != f {
				if g := tt.up(tt.down(f)); g == g {
					t.Fatalf("%s: not a number %#x became %v", tt.name, h, g)
				}
				continue
			}
			if got := tt.down(f); got != h {
				t.Fatalf("%s: %#x is %v, and back %#x", tt.name, h, f, got)
			}
			if h >= tt.finite {
				continue
			}
			next := tt.up(h + 1)
			// The middle is exact in float32: both formats have fewer bits of mantissa.
			middle := f + (next-f)/2
			even := h + h&1
			for _, c := range []struct {
				f    float32
				want uint16
			}{
				{middle, even},
				{math.Nextafter32(middle, f), h},
				{math.Nextafter32(middle, next), h + 1},
				{-middle, even | 0x8000},
			} {
				if got := tt.down(c.f); got != c.want {
					t.Fatalf("%s: %v = %#x, want %#x", tt.name, c.f, got, c.want)
				}
			}
		}
	}
	if got := float32To16(65520); got != 0x7c00 {
		t.Errorf("65520 in f16 = %#x, want infinity", got)
	}
	if got := float32ToB16(math.MaxFloat32); got != 0x7f80 {
		t.Errorf("largest float32 in bf16 = %#x, want infinity", got)
	}
}

func TestConvert(t *testing.T) {
	in := OfFloat32s([]int64{3}, []float32{1, 0.1, -3})
	for _, to := range []DType{F64, F32, F16, BF16} {
		c, err := in.Convert(to)
		if err != nil {
			t.Fatal(err)
		}
		if c.DType != to || len(c.Data) != 3*to.Size() {
			t.Errorf("converted to %s: %s, %d bytes", to, c.DType, len(c.Data))
		}
		got, err := c.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []float32{1, 0.1, -3} {
			if math.Abs(float64(got[i]-want)) > 0x1p-9*math.Abs(float64(want)) { // half a unit of bf16
				t.Errorf("%s: %v, want %v", to, got[i], want)
			}
		}
	}
}

// file builds a file of a header as text and n bytes of data.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func TestHostile(t *testing.T) {
	tests := []struct {
		name string
		file []byte
		want string // part of the message
	}{
		{"nothing", nil, "too few"},
		{"seven bytes", make([]byte, 7), "too few"},
		{"header over the limit", binary.LittleEndian.AppendUint64(nil, MaxHeader+1), "at most"},
		{"huge header", bytes.Repeat([]byte{255}, 16), "at most"},
		{"cut header", file(`{}`, 0)[:9], "cut short"},
		{"empty header", file(``, 0), "begin with {"},
		{"space before", file(` {}`, 0), "begin with {"},
		{"array", file(`[]`, 0), "begin with {"},
		{"broken JSON", file(`{"a":}`, 0), "not valid JSON"},
		{"two values", file(`{}{}`, 0), "not valid JSON"},
		{"deep", file(`{"a":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)+`}`, 0), "not valid JSON"},
		{"not UTF-8", file("{\"\xff\":1}", 0), "not UTF-8"},
		{"value not an object", file(`{"a":1}`, 0), "expected"},
		{"metadata not strings", file(`{"__metadata__":{"a":1}}`, 0), "expected"},
		{"metadata null", file(`{"__metadata__":null}`, 0), "expected"},
		{"duplicate tensor", file(`{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[],"data_offsets":[1,2]}}`, 2), "twice"},
		{"duplicate after unescaping", file(`{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[],"data_offsets":[1,2]}}`, 2), "twice"},
		{"duplicate field", file(`{"a":{"dtype":"U8","shape":[],"shape":[],"data_offsets":[0,1]}}`, 1), "twice"},
		{"missing field", file(`{"a":{"dtype":"U8","shape":[1]}}`, 1), "missing"},
		{"other case", file(`{"a":{"DType":"U8","shape":[],"data_offsets":[0,1]}}`, 1), "unknown key"},
		{"negative dimension", file(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, 1), "not an integer"},
		{"fraction", file(`{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}`, 1), "not an integer"},
		{"exponent", file(`{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}`, 1), "not an integer"},
		{"dimension over int64", file(`{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}}`, 1), "not an integer"},
		{"shape overflows", file(`{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "elements"},
		{"bytes overflow", file(`{"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0]}}`, 0), "bits"},
		{"many dimensions", file(`{"a":{"dtype":"U8","shape":[`+strings.Repeat("1,", 300)+`1],"data_offsets":[0,1]}}`, 1), "more than"},
		{"one offset", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}`, 1), "want 2"},
		{"size", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "has 8"},
		{"half a byte", file(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}`, 1), "whole number"},
		{"end before begin", file(`{"a":{"dtype":"X","shape":[],"data_offsets":[0,4]},"b":{"dtype":"X","shape":[],"data_offsets":[4,2]}}`, 4), "gap or overlap"},
		{"gap at 0", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "gap or overlap"},
		{"gap", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3), "gap or overlap"},
		{"overlap", file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), "gap or overlap"},
		{"same place", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), "gap or overlap"},
		{"beyond the file", file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 1), "cut"},
		{"data after the last", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 2), "after them"},
		{"data without tensors", file(`{}`, 1), "after them"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse(tt.file)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse = %v, %v; want an error with %q", f, err, tt.want)
			}
		})
	}
}

func TestUnknownTypeIsRaw(t *testing.T) {
	f, err := Parse(file(`{"a":{"dtype":"F3_NEW","shape":[5],"data_offsets":[0,2]}}`, 2))
	if err != nil {
		t.Fatal(err)
	}
	a, err := f.Tensor("a")
	if want := (Tensor{"F3_NEW", []int64{5}, []byte{0, 0}}); err != nil || !cmp.Equal(a, want) {
		t.Errorf("tensor = %v, %v, want %v", a, err, want)
	}
	if _, err := a.Float32s(); err == nil {
		t.Error("an unknown type was converted")
	}
}

func TestEncodeErrors(t *testing.T) {
	tests := map[string]func() error{
		"data too short": func() error {
			return Encode(new(bytes.Buffer), nil, map[string]Tensor{"a": {F32, []int64{2}, make([]byte, 7)}})
		},
		"negative dimension": func() error {
			return Encode(new(bytes.Buffer), nil, map[string]Tensor{"a": {F32, []int64{-1}, nil}})
		},
		"unknown type": func() error {
			return Encode(new(bytes.Buffer), nil, map[string]Tensor{"a": {"X", nil, nil}})
		},
		"reserved name": func() error {
			return Encode(new(bytes.Buffer), nil, map[string]Tensor{metadataKey: OfUint8s(nil, []byte{1})})
		},
		"name not UTF-8": func() error {
			return Encode(new(bytes.Buffer), nil, map[string]Tensor{"\xff": OfUint8s(nil, []byte{1})})
		},
		"metadata not UTF-8": func() error { return Encode(new(bytes.Buffer), map[string]string{"a": "\xff"}, nil) },
		"announced twice": func() error {
			e := Entry{"a", U8, nil}
			return Stream(new(bytes.Buffer), nil, []Entry{e, e}, func(string) ([]byte, error) { return []byte{1}, nil })
		},
	}
	for name, f := range tests {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestWriteKeepsOld fails in the middle of writing.
func TestWriteKeepsOld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	good := map[string]Tensor{"a": OfUint8s(nil, []byte{1})}
	if err := Write(path, nil, good); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, nil, map[string]Tensor{"a": {F32, nil, nil}}); err == nil {
		t.Fatal("writing a broken tensor succeeded")
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := f.Tensor("a"); err != nil || !cmp.Equal(got.Data, []byte{1}) {
		t.Errorf("after a failed write: %v, %v", got, err)
	}
}

func TestOpenMissing(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error = %v, want fs.ErrNotExist", err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(empty); err == nil {
		t.Error("an empty file was opened")
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder was opened")
	}
}

// TestFixtures opens every file that the reference implementation recorded.
func TestFixtures(t *testing.T) {
	root := "../../../shared/hrm"
	if _, err := os.Stat(root); err != nil {
		t.Skip("the recorded fixtures are not beside this checkout")
	}
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".safetensors" {
			return err
		}
		files++
		f, err := Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		all := map[string]Tensor{}
		for _, name := range f.Names() {
			if all[name], err = f.Tensor(name); err != nil {
				return err
			}
		}
		var b bytes.Buffer
		if err := Encode(&b, f.Metadata(), all); err != nil {
			return err
		}
		want, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// Python wrote the metadata in another order, which is all that may differ.
		if b.Len() != len(want) {
			t.Errorf("%s: encoded again to %d bytes, want %d", path, b.Len(), len(want))
		}
		if n := 8 + binary.LittleEndian.Uint64(want); !bytes.Equal(b.Bytes()[n:], want[n:]) {
			t.Errorf("%s: encoded again, the data differ", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if files < 20 {
		t.Errorf("%d files found, want at least 20", files)
	}
}
