package safetensors

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse asks that any bytes give an error or a file that can be used, and that a file encodes
// and parses to itself.
func FuzzParse(f *testing.F) {
	python, err := os.ReadFile("testdata/python.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(python)
	f.Add(file(`{"__metadata__":{"a":"b"},"x":{"dtype":"F4","shape":[2,0],"data_offsets":[0,0]}}  `, 0))
	f.Add(file(`{"x":{"dtype":"new","shape":[2],"data_offsets":[0,3]}}`, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := Parse(b)
		if err != nil {
			return
		}
		all := map[string]Tensor{}
		raw := false
		for _, name := range in.Names() {
			x, err := in.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			all[name] = x
			raw = raw || x.DType.rank() < 0
			if v, err := x.Float64s(); err == nil && len(v) != x.Len() {
				t.Fatalf("%d elements, want %d", len(v), x.Len())
			}
			if v, err := x.Int64s(); err == nil && len(v) != x.Len() {
				t.Fatalf("%d elements, want %d", len(v), x.Len())
			}
		}
		if raw {
			return // Encode refuses what it does not know
		}
		var w bytes.Buffer
		if err := Encode(&w, in.Metadata(), all); err != nil {
			t.Fatal(err)
		}
		out, err := Parse(w.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in.Names(), out.Names()); diff != "" {
			t.Fatal(diff)
		}
		for name, want := range all {
			got, err := out.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Data, want.Data) || got.DType != want.DType || !cmp.Equal(got.Shape, want.Shape) {
				t.Fatalf("%q: %v, want %v", name, got, want)
			}
		}
	})
}
