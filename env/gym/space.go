package gym

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// The kinds of spaces.
const (
	Box           = "Box"
	Discrete      = "Discrete"
	MultiDiscrete = "MultiDiscrete"
	MultiBinary   = "MultiBinary"
	Text          = "Text" // as well any other space of strings
	Dict          = "Dict"
	Tuple         = "Tuple"
)

// A Space is one of Gymnasium's.
type Space struct {
	Kind   string
	DType  string    // NumPy's name of the elements' type, as "float32"; "uint8" of a Text
	Shape  []int     // of the array; [bytes] of a Text
	Low    []float64 // Box: the bounds, one for each element, or one for all
	High   []float64
	N      []int64  // Discrete, MultiDiscrete: how many values an element has
	Start  []int64  // and the least
	Names  []string // Dict: of Spaces
	Spaces []Space  // Dict, Tuple
}

// A Leaf is a space of one array within a space, and where it lies in the bytes of a value.
type Leaf struct {
	Name   string // the names or numbers on the way to it with dots between; empty for the whole
	Space  Space
	Offset int
	Bytes  int
	Elems  int

	size int // bytes of an element
	read func(b []byte) float64
	put  func(b []byte, v float64) float64 // writes v, returns what it became
}

// floats has the bits of float64s, since JSON has no infinity.
type floats []float64

// UnmarshalJSON reads base64 of little-endian float64s.
func (f *floats) UnmarshalJSON(data []byte) error {
	var raw []byte
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	if len(raw)%8 != 0 {
		return fmt.Errorf("bounds of %d bytes", len(raw))
	}
	*f = make(floats, len(raw)/8)
	for i := range *f {
		(*f)[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return nil
}

// UnmarshalJSON reads a space of the handshake.
func (s *Space) UnmarshalJSON(data []byte) error {
	var w struct {
		Kind, DType string
		Shape       []int
		Low, High   floats
		N, Start    []int64
		Names       []string
		Spaces      []Space
	}
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*s = Space{w.Kind, w.DType, w.Shape, w.Low, w.High, w.N, w.Start, w.Names, w.Spaces}
	return nil
}

// maxElems bounds an array of a space: far above any observation.
const maxElems = 1 << 28

// leaves appends the leaves of a space, from the byte at on.
func (s *Space) leaves(dst []Leaf, name string, at int) ([]Leaf, int, error) {
	bad := func(format string, args ...any) ([]Leaf, int, error) {
		where := ""
		if name != "" {
			where = " " + name
		}
		return nil, 0, fmt.Errorf("space%s: "+format, append([]any{where}, args...)...)
	}
	if s.Kind == Dict || s.Kind == Tuple {
		if s.Kind == Dict && len(s.Names) != len(s.Spaces) {
			return bad("%d names of %d spaces", len(s.Names), len(s.Spaces))
		}
		for i := range s.Spaces {
			part := fmt.Sprint(i)
			if s.Kind == Dict {
				part = s.Names[i]
			}
			if name != "" {
				part = name + "." + part
			}
			var err error
			if dst, at, err = s.Spaces[i].leaves(dst, part, at); err != nil {
				return nil, 0, err
			}
		}
		return dst, at, nil
	}
	elems := 1
	for _, d := range s.Shape {
		if d < 0 || d > maxElems || elems*d > maxElems {
			return bad("shape %v", s.Shape)
		}
		elems *= d
	}
	all := func(n int) bool { return n == elems }
	switch ok := true; s.Kind {
	case Box:
		ok = (len(s.Low) == 1 || all(len(s.Low))) && (len(s.High) == 1 || all(len(s.High)))
		if !ok {
			return bad("%d and %d bounds of %d elements", len(s.Low), len(s.High), elems)
		}
	case Discrete, MultiDiscrete:
		ok = all(len(s.N)) && all(len(s.Start))
		for _, n := range s.N {
			ok = ok && n > 0
		}
		if !ok {
			return bad("%s of %v from %v with shape %v", s.Kind, s.N, s.Start, s.Shape)
		}
	case MultiBinary, Text:
	default:
		return bad("the kind %q is not known", s.Kind)
	}
	l := Leaf{Name: name, Space: *s, Offset: at, Elems: elems}
	if !l.setType() {
		return bad("elements of the type %q", s.DType)
	}
	l.Bytes = elems * l.size
	return append(dst, l), at + l.Bytes, nil
}

// setType chooses how elements are read and written; ok is false if the type is unknown.
func (l *Leaf) setType() (ok bool) {
	le := binary.LittleEndian
	whole := func(size int, read func(b []byte) float64, put func(b []byte, v int64)) {
		l.size, l.read = size, read
		l.put = func(b []byte, v float64) float64 {
			put(b, int64(v))
			return read(b)
		}
	}
	switch l.Space.DType {
	case "uint8", "bool":
		whole(1, func(b []byte) float64 { return float64(b[0]) }, func(b []byte, v int64) { b[0] = byte(v) })
	case "int8":
		whole(1, func(b []byte) float64 { return float64(int8(b[0])) }, func(b []byte, v int64) { b[0] = byte(v) })
	case "uint16":
		whole(2, func(b []byte) float64 { return float64(le.Uint16(b)) }, func(b []byte, v int64) { le.PutUint16(b, uint16(v)) })
	case "int16":
		whole(2, func(b []byte) float64 { return float64(int16(le.Uint16(b))) }, func(b []byte, v int64) { le.PutUint16(b, uint16(v)) })
	case "uint32":
		whole(4, func(b []byte) float64 { return float64(le.Uint32(b)) }, func(b []byte, v int64) { le.PutUint32(b, uint32(v)) })
	case "int32":
		whole(4, func(b []byte) float64 { return float64(int32(le.Uint32(b))) }, func(b []byte, v int64) { le.PutUint32(b, uint32(v)) })
	case "uint64":
		whole(8, func(b []byte) float64 { return float64(le.Uint64(b)) }, func(b []byte, v int64) { le.PutUint64(b, uint64(v)) })
	case "int64":
		whole(8, func(b []byte) float64 { return float64(int64(le.Uint64(b))) }, func(b []byte, v int64) { le.PutUint64(b, uint64(v)) })
	case "float32":
		l.size, l.read = 4, func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }
		l.put = func(b []byte, v float64) float64 {
			le.PutUint32(b, math.Float32bits(float32(v)))
			return float64(float32(v))
		}
	case "float64":
		l.size, l.read = 8, func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }
		l.put = func(b []byte, v float64) float64 {
			le.PutUint64(b, math.Float64bits(v))
			return v
		}
	default:
		return false
	}
	return true
}

// AppendFloats appends the elements of the leaf in an observation, each as a float64 (exact but for
// integers beyond 2^53).
func (l *Leaf) AppendFloats(dst []float64, obs []byte) []float64 {
	b := obs[l.Offset : l.Offset+l.Bytes]
	for i := range l.Elems {
		dst = append(dst, l.read(b[i*l.size:]))
	}
	return dst
}

// Text is the string of a leaf of kind Text in an observation.
func (l *Leaf) Text(obs []byte) string {
	return strings.TrimRight(string(obs[l.Offset:l.Offset+l.Bytes]), "\x00")
}

// bounds are the least and greatest value of element i.
func (l *Leaf) bounds(i int) (lo, hi float64) {
	s := &l.Space
	switch s.Kind {
	case Box:
		lo, hi = s.Low[0], s.High[0]
		if len(s.Low) > 1 {
			lo = s.Low[i]
		}
		if len(s.High) > 1 {
			hi = s.High[i]
		}
		return lo, hi
	case Discrete, MultiDiscrete:
		return float64(s.Start[i]), float64(s.Start[i] + s.N[i] - 1)
	case MultiBinary:
		return 0, 1
	}
	return 0, 255
}

// check tells what is wrong with v as element i.
func (l *Leaf) check(i int, v float64) error {
	lo, hi := l.bounds(i)
	whole := !strings.HasPrefix(l.Space.DType, "float")
	if !(v >= lo && v <= hi) || whole && v != math.Trunc(v) {
		kind := "a number"
		if whole {
			kind = "a whole number"
		}
		return fmt.Errorf("%v: want %s in [%v, %v]", v, kind, lo, hi)
	}
	return nil
}
