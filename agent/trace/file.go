package trace

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// Errors that a caller may ask for with errors.Is.
var (
	ErrFormat  = errors.New("not a trace file")
	ErrVersion = errors.New("written by another version of the format")
	ErrDamaged = errors.New("damaged")
)

// A File is a trace that was opened for reading at any place. Several goroutines may read at once.
type File struct {
	r       io.ReaderAt
	name    string // "PATH: ", or nothing
	closer  io.Closer
	version uint16
	header  Header
	index   []entry
	damage  error
}

// Open opens the file at path. Close it after use.
func Open(path string) (*File, error) {
	o, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	info, err := o.Stat()
	if err == nil {
		var f *File
		if f, err = NewFile(o, info.Size()); err == nil {
			f.closer, f.name = o, path+": "
			return f, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s: %w", path, err), o.Close())
}

// Is reports whether the file at path begins as recordings do.
func Is(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(magic))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == magic
}

// NewFile reads the header and the index of the trace of size bytes in r; without an index it looks
// through the whole file. What it allocates is bounded by size, and by 64 MiB a step. A file that
// was cut off or damaged opens with the steps before the damage, which [File.Damage] reports; one
// whose head is not that of a trace of this version is an error (ErrFormat, ErrVersion, ErrDamaged).
func NewFile(r io.ReaderAt, size int64) (*File, error) {
	head := make([]byte, headLen)
	if _, err := r.ReadAt(head, 0); err != nil {
		if err == io.EOF {
			return nil, fmt.Errorf("trace: %w: it has only %d bytes", ErrFormat, size)
		}
		return nil, fmt.Errorf("trace: %w", err)
	}
	if string(head[:len(magic)]) != magic {
		return nil, fmt.Errorf("trace: %w: it begins with %q", ErrFormat, head[:len(magic)])
	}
	f := &File{r: r, version: binary.LittleEndian.Uint16(head[len(magic):])}
	if f.version < 1 || f.version > version {
		return nil, fmt.Errorf("trace: %w: version %d, this program reads versions 1 to %d", ErrVersion, f.version, version)
	}
	kind, body, err := f.record(int64(headLen), size, nil)
	if err == nil && kind != kindHeader {
		err = fmt.Errorf("%w: a record of kind %q where the header belongs", ErrDamaged, kind)
	}
	if err == nil {
		if err = json.Unmarshal(body, &f.header); err != nil {
			err = fmt.Errorf("%w: header: %v", ErrDamaged, err)
		} else if err = f.header.check(); err != nil {
			err = fmt.Errorf("%w: header: %w", ErrDamaged, err)
		}
		if f.version == 1 {
			f.header.Levels = levelsV1()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	first := int64(headLen + overhead + len(body))
	if !f.readIndex(first, size) {
		f.scan(first, size)
	}
	return f, nil
}

// Header describes the run.
func (f *File) Header() Header { return f.header }

// Damage is nil if the file is whole, else an ErrDamaged that says where it ends and how many steps
// before that are good.
func (f *File) Damage() error { return f.damage }

// Range is the numbers of the steps, from 0.
func (f *File) Range() (first, end int) { return 0, len(f.index) }

// Info sums up step n; false if there is none.
func (f *File) Info(n int) (Info, bool) {
	if n < 0 || n >= len(f.index) {
		return Info{}, false
	}
	return f.index[n].info, true
}

// Step reads step n.
func (f *File) Step(n int) (*Step, error) {
	if n < 0 || n >= len(f.index) {
		return nil, fmt.Errorf("%strace: step %d of %d", f.name, n, len(f.index))
	}
	e := f.index[n]
	// The end of the file is not known here; a record that reaches beyond it fails to read.
	kind, body, err := f.record(e.offset, e.offset+overhead+maxBody, nil)
	if err == nil && kind != kindStep {
		err = fmt.Errorf("%w: a record of kind %q", ErrDamaged, kind)
	}
	if err != nil {
		return nil, fmt.Errorf("%strace: step %d at byte %d: %w", f.name, n, e.offset, err)
	}
	s, err := f.decodeStep(body)
	if err != nil {
		return nil, fmt.Errorf("%strace: step %d at byte %d: %w", f.name, n, e.offset, err)
	}
	return s, nil
}

// Close closes the file if [Open] opened it.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// record reads and checks the record at offset into buf's space, which must end before limit.
func (f *File) record(offset, limit int64, buf []byte) (kind byte, body []byte, err error) {
	var head [5]byte
	if limit-offset < overhead {
		return 0, nil, fmt.Errorf("%w: cut off", ErrDamaged)
	}
	if _, err := f.r.ReadAt(head[:], offset); err != nil {
		return 0, nil, readError(err)
	}
	n := int64(binary.LittleEndian.Uint32(head[:]))
	if n > maxBody {
		return 0, nil, fmt.Errorf("%w: a record of %d bytes", ErrDamaged, n)
	}
	if n > limit-offset-overhead {
		return 0, nil, fmt.Errorf("%w: cut off", ErrDamaged)
	}
	// The buffer grows with what is there, not with what a hostile length announces.
	b := bytes.NewBuffer(append(buf[:0], head[4]))
	if m, err := b.ReadFrom(io.NewSectionReader(f.r, offset+5, n+4)); err != nil || m != n+4 {
		return 0, nil, readError(errors.Join(err, io.EOF))
	}
	all := b.Bytes()
	sum := binary.LittleEndian.Uint32(all[1+n:])
	if got := crc32.Checksum(all[:1+n], castagnoli); got != sum {
		return 0, nil, fmt.Errorf("%w: checksum %08x, stored %08x", ErrDamaged, got, sum)
	}
	return all[0], all[1 : 1+n], nil
}

func readError(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: cut off", ErrDamaged)
	}
	return err
}

// readIndex loads the index at the end of the file and reports whether there is a sound one.
func (f *File) readIndex(first, size int64) bool {
	kind, body, err := f.record(size-endLen, size, nil)
	if size < first+endLen || err != nil || kind != kindEnd || len(body) != 8 {
		return false
	}
	at := int64(binary.LittleEndian.Uint64(body))
	if at < first || at > size-endLen {
		return false
	}
	kind, body, err = f.record(at, size, nil)
	if err != nil || kind != kindIndex {
		return false
	}
	d := decoder{b: body}
	n := d.count(8 + minInfo)
	index := make([]entry, n)
	before := first - 1
	for i := range index {
		e := entry{int64(d.u64()), d.info()}
		if e.offset <= before || e.offset > at-overhead {
			return false
		}
		before = e.offset
		index[i] = e
	}
	if d.err != nil || len(d.b) != 0 {
		return false
	}
	f.index = index
	return true
}

// scan finds the steps of a file without an index, up to the first damage.
func (f *File) scan(first, size int64) {
	var buf []byte
	at := first
	for at < size {
		kind, body, err := f.record(at, size, buf)
		if err == nil && kind == kindStep {
			d := decoder{b: body}
			info := d.info()
			if err = d.err; err == nil {
				f.index = append(f.index, entry{at, info})
			}
		}
		if err != nil {
			f.damage = fmt.Errorf("%w at byte %d of %d, %d steps before it are good: %v", ErrDamaged, at, size, len(f.index), err)
			return
		}
		buf = body
		at += overhead + int64(len(body))
	}
	f.damage = fmt.Errorf("%w: the recording was not ended; all %d steps are good", ErrDamaged, len(f.index))
}
