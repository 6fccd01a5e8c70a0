package runlog

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Events writes TensorBoard's event files: records framed as TFRecord (tensorflow/core/lib/io/
// record_writer.cc), each an Event in protobuf's wire format (event.proto, summary.proto).
// TensorBoard hides outliers and keeps 1,000 points of a scalar unless told otherwise
// (--samples_per_plugin scalars=0). Errors are kept for Flush.
type Events struct {
	f   *os.File
	w   *bufio.Writer
	err error
}

// NewEvents begins a new event file in dir, beside those of earlier parts of the run.
func NewEvents(dir string) (*Events, error) {
	now := time.Now()
	for n := now.Unix(); ; n++ { // the number orders the files; two in one second get different ones
		f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("events.out.tfevents.%010d.ponder", n)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		e := &Events{f: f, w: bufio.NewWriterSize(f, 1<<16)}
		var m message
		m.double(1, seconds(now))
		m.bytes(3, []byte("brain.Event:2"))
		e.record(m)
		return e, e.Flush()
	}
}

// Restart tells readers to forget the points of step and later in earlier files.
func (e *Events) Restart(step int64) error {
	var session, m message
	session.varint(1, 1) // SessionLog.START
	m.double(1, seconds(time.Now()))
	m.varint(2, uint64(step))
	m.bytes(7, session)
	e.record(m)
	return e.Flush()
}

// Scalar adds a point, kept as float32.
func (e *Events) Scalar(tag string, step int64, v float64) {
	var value message
	value.bytes(1, []byte(tag))
	value.float(2, float32(v))
	e.summary(step, value)
}

// Histogram adds the distribution of values; those that are not finite are left out.
func (e *Events) Histogram(tag string, step int64, values []float32) {
	var h, value message
	var sum, squares float64
	sorted := make([]float64, 0, len(values))
	for _, v := range values {
		if x := float64(v); !math.IsNaN(x) && !math.IsInf(x, 0) {
			sorted = append(sorted, x)
			sum, squares = sum+x, squares+x*x
		}
	}
	if len(sorted) == 0 {
		return
	}
	slices.Sort(sorted)
	low, high := sorted[0], sorted[len(sorted)-1]
	const buckets = 30 // what TensorBoard draws
	var limits, counts message
	i := 0
	for b := 1; b <= buckets; b++ {
		limit := low + (high-low)*float64(b)/buckets
		n := 0
		for i < len(sorted) && (sorted[i] <= limit || b == buckets) {
			i, n = i+1, n+1
		}
		limits = binary.LittleEndian.AppendUint64(limits, math.Float64bits(limit))
		counts = binary.LittleEndian.AppendUint64(counts, math.Float64bits(float64(n)))
	}
	for field, v := range []float64{low, high, float64(len(sorted)), sum, squares} {
		h.double(field+1, v)
	}
	h.bytes(6, limits)
	h.bytes(7, counts)
	value.bytes(1, []byte(tag))
	value.bytes(5, h)
	e.summary(step, value)
}

// Image adds a picture.
func (e *Events) Image(tag string, step int64, img image.Image) {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		e.err = errors.Join(e.err, err)
		return
	}
	var picture, value message
	picture.varint(1, uint64(img.Bounds().Dy()))
	picture.varint(2, uint64(img.Bounds().Dx()))
	picture.varint(3, 4) // RGBA
	picture.bytes(4, b.Bytes())
	value.bytes(1, []byte(tag))
	value.bytes(4, picture)
	e.summary(step, value)
}

// Hyper adds the configuration of a run, for TensorBoard's page of hyperparameters (plugins/hparams/plugin_data.proto).
// Values are float64s, strings and bools.
func (e *Events) Hyper(values map[string]any, begun time.Time) {
	var start, plugin, content, metadata, value message
	for _, name := range slices.Sorted(maps.Keys(values)) {
		var v, entry message // google.protobuf.Value
		switch x := values[name].(type) {
		case float64:
			v.double(2, x)
		case string:
			v.bytes(3, []byte(x))
		case bool:
			n := uint64(0)
			if x {
				n = 1
			}
			v.varint(4, n)
		default:
			panic(fmt.Sprintf("runlog: hyperparameter %s is a %T, want float64, string or bool", name, x))
		}
		entry.bytes(1, []byte(name))
		entry.bytes(2, v)
		start.bytes(1, entry)
	}
	start.double(5, seconds(begun))
	content.bytes(3, start) // SessionStartInfo
	plugin.bytes(1, []byte("hparams"))
	plugin.bytes(2, content)
	metadata.bytes(1, plugin)
	value.bytes(1, []byte("_hparams_/session_start_info"))
	value.bytes(9, metadata)
	value.bytes(8, nothing())
	e.summary(0, value)
}

// nothing is the tensor of one 0 that stands where a summary is all metadata.
func nothing() message {
	var shape, tensor message
	shape.bytes(2, dimension(1))
	tensor.varint(1, 1) // DT_FLOAT
	tensor.bytes(2, shape)
	tensor.float(5, 0)
	return tensor
}

func dimension(n uint64) (m message) {
	m.varint(1, n)
	return m
}

func (e *Events) summary(step int64, value message) {
	var summary, m message
	summary.bytes(1, value)
	m.double(1, seconds(time.Now()))
	m.varint(2, uint64(step))
	m.bytes(5, summary)
	e.record(m)
}

// Flush hands what was added to the operating system.
func (e *Events) Flush() error {
	if e.err == nil {
		e.err = e.w.Flush()
	}
	return e.err
}

// Close flushes and closes the file.
func (e *Events) Close() error { return errors.Join(e.Flush(), e.f.Close()) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record frames m: its length, the length's checksum, m, and m's checksum, both masked.
func (e *Events) record(m message) {
	if e.err != nil {
		return
	}
	sum := func(b []byte) uint32 {
		c := crc32.Checksum(b, castagnoli)
		return (c>>15 | c<<17) + 0xa282ead8
	}
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(m)))
	head = binary.LittleEndian.AppendUint32(head, sum(head))
	for _, b := range [][]byte{head, m, binary.LittleEndian.AppendUint32(nil, sum(m))} {
		if _, e.err = e.w.Write(b); e.err != nil {
			return
		}
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// A message is protobuf in wire format. Fields come in the order they are added.
type message []byte

func (m *message) key(field, wire int) { *m = binary.AppendUvarint(*m, uint64(field<<3|wire)) }

func (m *message) varint(field int, v uint64) {
	m.key(field, 0)
	*m = binary.AppendUvarint(*m, v)
}

func (m *message) double(field int, v float64) {
	m.key(field, 1)
	*m = binary.LittleEndian.AppendUint64(*m, math.Float64bits(v))
}

func (m *message) bytes(field int, b []byte) {
	m.key(field, 2)
	*m = append(binary.AppendUvarint(*m, uint64(len(b))), b...)
}

func (m *message) float(field int, v float32) {
	m.key(field, 5)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(v))
}
