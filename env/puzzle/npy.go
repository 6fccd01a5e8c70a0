package puzzle

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
)

// The .npy format, versions 1 to 3: magic, version, length of the header, the header as a Python
// dictionary padded with spaces, then the elements (numpy/lib/format.py). Arrays of one or two
// dimensions of integers are all that datasets need.
const (
	npyMagic     = "\x93NUMPY"
	npyMaxHeader = 1 << 16
)

// An npyHeader says what elements follow it.
type npyHeader struct {
	descr string // '<i4' and the like
	rows  int    // length of the first axis
	cols  int    // length of the second one, 1 if flat
	flat  bool   // one axis only
	data  int64  // offset of the first element in the file
}

// size is the number of bytes of an element.
func (h npyHeader) size() int { return int(h.descr[2] - '0') }

// readNpyHeader reads the header at the start of r.
func readNpyHeader(r io.Reader) (h npyHeader, err error) {
	var pre [12]byte
	if _, err := io.ReadFull(r, pre[:10]); err != nil {
		return h, errors.New("no .npy header: the file ends before byte 10")
	}
	if string(pre[:6]) != npyMagic {
		return h, fmt.Errorf("no .npy file: it begins with %q, want %q", pre[:6], npyMagic)
	}
	n, start := int(binary.LittleEndian.Uint16(pre[8:])), 10
	switch pre[6] {
	case 1:
	case 2, 3:
		if _, err := io.ReadFull(r, pre[10:]); err != nil {
			return h, errors.New("the .npy header is cut off")
		}
		n, start = int(min(binary.LittleEndian.Uint32(pre[8:]), math.MaxInt32)), 12
	default:
		return h, fmt.Errorf(".npy version %d.%d, want 1 to 3", pre[6], pre[7])
	}
	if n > npyMaxHeader {
		return h, fmt.Errorf(".npy header of %d bytes, want at most %d", n, npyMaxHeader)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, fmt.Errorf("the .npy header is cut off: want %d bytes", n)
	}
	h, err = parseNpyHeader(string(text))
	h.data = int64(start + n)
	return h, err
}

// parseNpyHeader reads "{'descr': '<i4', 'fortran_order': False, 'shape': (4,), }".
func parseNpyHeader(text string) (h npyHeader, err error) {
	bad := func(why string) (npyHeader, error) {
		return npyHeader{}, fmt.Errorf(".npy header %.120q: %s", text, why)
	}
	rest := strings.TrimSpace(text)
	next := func(token string) bool {
		after, ok := strings.CutPrefix(rest, token)
		if ok {
			rest = strings.TrimLeft(after, " ")
		}
		return ok
	}
	word := func(end string) string { // up to one of the bytes of end
		i := strings.IndexAny(rest, end)
		if i < 0 {
			i = len(rest)
		}
		w := strings.TrimSpace(rest[:i])
		rest = rest[i:]
		return w
	}
	if !next("{") {
		return bad("want a dictionary")
	}
	var order, shape bool
	for !next("}") {
		key := strings.Trim(word(":"), `'"`)
		if !next(":") {
			return bad("want key: value")
		}
		switch key {
		case "descr":
			h.descr = strings.Trim(word(",}"), `'"`)
		case "fortran_order":
			switch word(",}") {
			case "False":
			case "True":
				order = true
			default:
				return bad("fortran_order is neither True nor False")
			}
		case "shape":
			if !next("(") {
				return bad("shape is not a tuple")
			}
			var dims []int
			for !next(")") {
				d, err := strconv.Atoi(word(",)"))
				if err != nil || d < 0 || d > math.MaxInt32 {
					return bad("bad length in shape")
				}
				dims = append(dims, d)
				if !next(",") && !strings.HasPrefix(rest, ")") {
					return bad("shape is not closed")
				}
			}
			if len(dims) == 0 || len(dims) > 2 {
				return bad("want one or two axes")
			}
			h.rows, h.cols, h.flat, shape = dims[0], 1, len(dims) == 1, true
			if !h.flat {
				h.cols = dims[1]
			}
		default:
			return bad("unknown key")
		}
		if !next(",") && !strings.HasPrefix(rest, "}") {
			return bad("want a comma")
		}
	}
	switch h.descr {
	case "|u1", "|i1", "<i2", "<i4", "<i8", "<u2", "<u4", "<u8", ">i2", ">i4", ">i8", ">u2", ">u4", ">u8":
	case "":
		return bad("no descr")
	default:
		return bad("elements are not integers of 1, 2, 4 or 8 bytes")
	}
	if !shape {
		return bad("no shape")
	}
	if int64(h.rows)*int64(h.cols) > 1<<50 {
		return bad("too large")
	}
	if order && !h.flat && h.rows > 1 && h.cols > 1 {
		return bad("columns are stored one after the other (fortran_order), want rows")
	}
	return h, nil
}

// npyHeaderBytes is the header numpy.save writes: version 1.0, room for a first axis of 21 digits,
// padded so that the elements start at a multiple of 64.
func npyHeaderBytes(h npyHeader) []byte {
	shape := fmt.Sprintf("(%d,)", h.rows)
	if !h.flat {
		shape = fmt.Sprintf("(%d, %d)", h.rows, h.cols)
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", h.descr, shape)
	text += strings.Repeat(" ", max(0, 21-len(strconv.Itoa(h.rows))))
	n := (10 + len(text) + 1 + 63) / 64 * 64
	text += strings.Repeat(" ", n-10-len(text)-1) + "\n"
	out := append([]byte(npyMagic), 1, 0)
	return append(binary.LittleEndian.AppendUint16(out, uint16(len(text))), text...)
}

// A table is an array on disk or in memory, read row by row. Rows are read with ReadAt instead of
// mapping the file: the kernel caches them just as well, and a file that shrinks is an error, not a
// signal. Any number of goroutines may read.
type table struct {
	npyHeader
	name string // for errors
	r    io.ReaderAt
	c    io.Closer // nil in memory
	bufs sync.Pool // *[]byte of one row
}

// openTable opens an array on disk.
func openTable(path string) (*table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		var t *table
		if t, err = newTable(path, f, info.Size()); err == nil {
			t.c = f
			return t, nil
		}
	}
	f.Close()
	return nil, err
}

// newTable reads the header of an array and checks that r is as long as it says.
func newTable(name string, r io.ReaderAt, length int64) (*table, error) {
	h, err := readNpyHeader(io.NewSectionReader(r, 0, length))
	if err == nil {
		switch want := h.data + int64(h.rows)*int64(h.cols)*int64(h.size()); {
		case length < want:
			err = fmt.Errorf("truncated: %d bytes, want %d for shape %s of %s", length, want, h.shape(), h.descr)
		case length > want:
			err = fmt.Errorf("%d bytes after the end of the array of shape %s of %s", length-want, h.shape(), h.descr)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &table{npyHeader: h, name: name, r: r}, nil
}

func (h npyHeader) shape() string {
	if h.flat {
		return fmt.Sprintf("[%d]", h.rows)
	}
	return fmt.Sprintf("[%d %d]", h.rows, h.cols)
}

// row reads row i into dst, which has t.cols elements. An element that does not fit int32 becomes
// math.MinInt32, which no token is.
func (t *table) row(i int, dst []int32) error { return t.read(i*t.cols, dst) }

// read reads len(dst) elements from element first on.
func (t *table) read(first int, dst []int32) error {
	size := t.size()
	p, _ := t.bufs.Get().(*[]byte)
	if p == nil || cap(*p) < len(dst)*size {
		b := make([]byte, len(dst)*size)
		p = &b
	}
	defer t.bufs.Put(p)
	raw := (*p)[:len(dst)*size]
	if n, err := t.r.ReadAt(raw, t.data+int64(first)*int64(size)); n < len(raw) {
		return fmt.Errorf("%s: element %d: %w", t.name, first, err)
	}
	decode(t.descr, raw, dst)
	return nil
}

// decode turns raw elements of type descr into dst.
func decode(descr string, raw []byte, dst []int32) {
	var order binary.ByteOrder = binary.LittleEndian
	if descr[0] == '>' {
		order = binary.BigEndian
	}
	switch descr[1:] {
	case "u1":
		for i := range dst {
			dst[i] = int32(raw[i])
		}
	case "i1":
		for i := range dst {
			dst[i] = int32(int8(raw[i]))
		}
	case "u2":
		for i := range dst {
			dst[i] = int32(order.Uint16(raw[2*i:]))
		}
	case "i2":
		for i := range dst {
			dst[i] = int32(int16(order.Uint16(raw[2*i:])))
		}
	case "i4":
		for i := range dst {
			dst[i] = int32(order.Uint32(raw[4*i:]))
		}
	case "u4":
		for i := range dst {
			dst[i] = narrow(int64(order.Uint32(raw[4*i:])))
		}
	case "i8", "u8": // a u8 beyond int64 is negative here and out of range either way
		for i := range dst {
			dst[i] = narrow(int64(order.Uint64(raw[8*i:])))
		}
	}
}

func narrow(v int64) int32 {
	if v != int64(int32(v)) {
		return math.MinInt32
	}
	return int32(v)
}

// all reads the whole array of one axis.
func (t *table) all() ([]int32, error) {
	v := make([]int32, t.rows)
	for i := 0; i < len(v); i += 1 << 16 {
		if err := t.read(i, v[i:min(i+1<<16, len(v))]); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (t *table) close() error {
	if t == nil || t.c == nil {
		return nil
	}
	return t.c.Close()
}

// An npyWriter writes an array row by row; close completes the header.
type npyWriter struct {
	npyHeader
	f   *os.File
	w   *bufio.Writer
	err error
}

// createNpy creates path for rows of cols elements, or for single elements if cols is 0.
func createNpy(path, descr string, cols int) (*npyWriter, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	w := &npyWriter{npyHeader: npyHeader{descr: descr, cols: max(cols, 1), flat: cols == 0}, f: f, w: bufio.NewWriterSize(f, 1<<18)}
	_, w.err = w.w.Write(npyHeaderBytes(w.npyHeader))
	return w, nil
}

// row appends one row, or one element of an array with one axis.
func (w *npyWriter) row(v ...int32) {
	if w.err != nil {
		return
	}
	b := w.w.AvailableBuffer()
	for _, x := range v {
		var e [8]byte
		binary.LittleEndian.PutUint64(e[:], uint64(int64(x)))
		b = append(b, e[:w.size()]...)
	}
	if _, w.err = w.w.Write(b); w.err != nil {
		return
	}
	w.rows++
}

// close writes the number of rows into the header and syncs the file.
func (w *npyWriter) close() error {
	err := w.err
	if err == nil {
		err = w.w.Flush()
	}
	if err == nil {
		_, err = w.f.WriteAt(npyHeaderBytes(w.npyHeader), 0)
	}
	if err == nil {
		err = w.f.Sync()
	}
	return errors.Join(err, w.f.Close())
}
