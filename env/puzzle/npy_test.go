package puzzle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio"
)

// npyio, which is not ours, reads what we write, and we read what it writes.
func TestNpyAgreesWithNpyio(t *testing.T) {
	dir := t.TempDir()
	rows := [][]int32{{0, 1, 255}, {7, 128, 3}}
	for _, descr := range []string{"|u1", "<i4", "<i8"} {
		path := filepath.Join(dir, "w.npy")
		w, err := createNpy(path, descr, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			w.row(r...)
		}
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := npyio.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		if s := r.Header.Descr.Shape; r.Header.Descr.Type != descr || !slices.Equal(s, []int{2, 3}) {
			t.Errorf("npyio reads %s %v, want %s [2 3]", r.Header.Descr.Type, s, descr)
		}
		var got any
		switch descr {
		case "|u1":
			var v []uint8
			err, got = r.Read(&v), &v
			got = v
		case "<i4":
			var v []int32
			err = r.Read(&v)
			got = v
		default:
			var v []int64
			err = r.Read(&v)
			got = v
		}
		f.Close()
		if want := "[0 1 255 7 128 3]"; err != nil || fmt.Sprint(got) != want {
			t.Errorf("npyio reads %v, %v; want %s", got, err, want)
		}
	}
	for _, v := range []any{[]uint8{1, 200}, []int8{-1, 2}, []int16{-300, 2}, []uint16{40000, 2}, []int32{-5, 1 << 30}, []uint32{7, 8}, []int64{-9, 10}, []uint64{11, 12}} {
		path := filepath.Join(dir, "r.npy")
		var b bytes.Buffer
		if err := npyio.Write(&b, v); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		table, err := openTable(path)
		if err != nil {
			t.Fatalf("%T: %v", v, err)
		}
		got, err := table.all()
		if err != nil || fmt.Sprint(got) != fmt.Sprint(v) {
			t.Errorf("%T: %v, %v; want %v", v, got, err, v)
		}
		table.close()
	}
}

func TestDecode(t *testing.T) {
	tests := []struct {
		descr string
		raw   []byte
		want  []int32
	}{
		{">i2", []byte{0xff, 0xfe, 1, 0}, []int32{-2, 256}},
		{">u2", []byte{0xff, 0xfe}, []int32{65534}},
		{">i4", []byte{0, 0, 1, 2}, []int32{258}},
		{">i8", []byte{0, 0, 0, 0, 0, 0, 1, 2}, []int32{258}},
		{"<i8", []byte{0, 0, 0, 0, 1, 0, 0, 0}, []int32{math.MinInt32}}, // beyond int32
		{"<u4", []byte{0xff, 0xff, 0xff, 0xff}, []int32{math.MinInt32}},
		{"<u8", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, []int32{-1}}, // out of range all the same
		{"|i1", []byte{0x80}, []int32{-128}},
	}
	for _, tt := range tests {
		got := make([]int32, len(tt.want))
		if decode(tt.descr, tt.raw, got); !slices.Equal(got, tt.want) {
			t.Errorf("%s of % x: %v, want %v", tt.descr, tt.raw, got, tt.want)
		}
	}
}

func TestNpyHeaders(t *testing.T) {
	tests := []struct{ text, want string }{
		{"{'descr': '<i4', 'fortran_order': False, 'shape': (3, 4), }", "<i4 [3 4]"},
		{"{'shape': (3,),'fortran_order':True,\"descr\":\"|u1\"}\n", "|u1 [3]"},
		{"{'descr': '<i4', 'fortran_order': True, 'shape': (3, 4), }", "columns are stored"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", "not integers"},
		{"{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (3,), }", ""},
		{"{'descr': '<i4', 'fortran_order': False, 'shape': (), }", "one or two axes"},
		{"{'descr': '<i4', 'fortran_order': False, 'shape': (1, 2, 3), }", "one or two axes"},
		{"{'descr': '<i4', 'fortran_order': False, 'shape': (-1,), }", "bad length"},
		{"{'descr': '<i4', 'fortran_order': False, 'shape': (99999999999,), }", "bad length"},
		{"{'descr': '<i4', 'fortran_order': 0, 'shape': (1,), }", "neither True nor False"},
		{"{'descr': '<i4', 'fortran_order': False, }", "no shape"},
		{"{'fortran_order': False, 'shape': (1,), }", "no descr"},
		{"{'descr': '<i4', 'fortran_order': False, 'shape': (1,)", "want a comma"},
		{"", "want a dictionary"},
	}
	for _, tt := range tests {
		h, err := parseNpyHeader(tt.text)
		got := h.descr + " " + h.shape()
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) || (err == nil) != strings.Contains(tt.want, "[") {
			t.Errorf("%q: %s, want %s", tt.text, got, tt.want)
		}
	}
}

func FuzzNpy(f *testing.F) {
	h := npyHeader{descr: "<i4", rows: 2, cols: 3}
	f.Add(append(npyHeaderBytes(h), make([]byte, 24)...))
	f.Add(append(npyHeaderBytes(npyHeader{descr: "|u1", rows: 5, cols: 1, flat: true}), 1, 2, 3, 4, 5))
	f.Add([]byte(npyMagic + "\x02\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := newTable("f.npy", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.npy: ") {
				t.Errorf("error without the file's name: %v", err)
			}
			return
		}
		if table.rows == 0 {
			return
		}
		row := make([]int32, table.cols) // the length was compared with the file's
		for _, i := range []int{0, table.rows - 1} {
			if err := table.row(i, row); err != nil {
				t.Errorf("row %d of %s: %v", i, table.shape(), err)
			}
		}
		// What numpy writes of it has the same shape and type.
		again, err := readNpyHeader(bytes.NewReader(npyHeaderBytes(table.npyHeader)))
		again.data = table.data
		if err != nil || again != table.npyHeader {
			t.Errorf("%+v becomes %+v, %v", table.npyHeader, again, err)
		}
		if n := len(npyHeaderBytes(table.npyHeader)); n%64 != 0 || int(binary.LittleEndian.Uint16(npyHeaderBytes(table.npyHeader)[8:])) != n-10 {
			t.Errorf("header of %d bytes", n)
		}
	})
}

func FuzzMeta(f *testing.F) {
	f.Add([]byte(`{"pad_id": 0, "ignore_label_id": null, "blank_identifier_id": 0, "vocab_size": 12, "seq_len": 900, "num_puzzle_identifiers": 16, "total_groups": 3, "mean_puzzle_examples": 3.0, "total_puzzles": 4, "sets": ["all"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMeta(data)
		if err != nil {
			return
		}
		again, err := ParseMeta(m.Encode())
		if err != nil || fmt.Sprint(again.Encode()) != fmt.Sprint(m.Encode()) {
			t.Errorf("%s becomes %s, %v", data, m.Encode(), err)
		}
	})
}
