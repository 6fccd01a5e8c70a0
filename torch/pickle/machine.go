package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

// The values on the stack are nil, bool, int64, float64, string and these.
type (
	mark   struct{}
	global string // "module.name", one of those that the machine knows
	tuple  []any
	list   struct{ items []any }
	dict   struct{ keys, values []any } // in order of insertion; a later equal key wins

	// A storage is the persistent id of a flat array.
	storage struct {
		dtype safetensors.DType
		key   string // file in the archive
		len   int64  // elements
	}
	// A view is a tensor of a storage; offset and stride in elements.
	view struct {
		storage       *storage
		offset        int64
		shape, stride []int64
	}
)

// The globals that may be named, besides the storages.
const (
	orderedDict      global = "collections.OrderedDict"
	rebuildTensor    global = "torch._utils._rebuild_tensor_v2"
	rebuildParameter global = "torch._utils._rebuild_parameter"
	torchSize        global = "torch.Size"
)

var storages = map[global]safetensors.DType{
	"torch.DoubleStorage":       safetensors.F64,
	"torch.FloatStorage":        safetensors.F32,
	"torch.HalfStorage":         safetensors.F16,
	"torch.BFloat16Storage":     safetensors.BF16,
	"torch.LongStorage":         safetensors.I64,
	"torch.IntStorage":          safetensors.I32,
	"torch.ShortStorage":        safetensors.I16,
	"torch.CharStorage":         safetensors.I8,
	"torch.ByteStorage":         safetensors.U8,
	"torch.BoolStorage":         safetensors.Bool,
	"torch.ComplexFloatStorage": safetensors.C64,
}

// The opcodes of protocol 2 that torch.save makes, by their names in Python's pickletools.
const (
	opMark        = '('
	opStop        = '.'
	opBinFloat    = 'G'
	opBinInt      = 'J'
	opBinInt1     = 'K'
	opBinInt2     = 'M'
	opNone        = 'N'
	opBinPersID   = 'Q'
	opReduce      = 'R'
	opBinString   = 'T'
	opShortString = 'U'
	opBinUnicode  = 'X'
	opAppend      = 'a'
	opBuild       = 'b'
	opGlobal      = 'c'
	opAppends     = 'e'
	opBinGet      = 'h'
	opLongBinGet  = 'j'
	opBinPut      = 'q'
	opLongBinPut  = 'r'
	opSetItem     = 's'
	opTuple       = 't'
	opSetItems    = 'u'
	opEmptyDict   = '}'
	opEmptyList   = ']'
	opEmptyTuple  = ')'
	opProto       = 0x80
	opTuple1      = 0x85
	opTuple2      = 0x86
	opTuple3      = 0x87
	opNewTrue     = 0x88
	opNewFalse    = 0x89
	opLong1       = 0x8a
)

const (
	protocol     = 2 // torch.save's default
	maxLongBytes = 8 // of an integer
)

// A machine runs a pickle. Each opcode pushes at most one value, so memory is bounded by the length
// of the program.
type machine struct {
	in    []byte
	at    int
	stack []any
	memo  map[uint32]any
}

// decode runs the program and returns the value it leaves.
func decode(program []byte) (v any, err error) {
	m := machine{in: program, memo: map[uint32]any{}}
	for {
		at := m.at
		op, err := m.bytes(1)
		if err != nil {
			return nil, err
		}
		if op[0] == opStop {
			break
		}
		if err := m.step(op[0]); err != nil {
			return nil, fmt.Errorf("at byte %d: %w", at, err)
		}
	}
	if len(m.stack) != 1 {
		return nil, fmt.Errorf("%d values left at the end, want 1", len(m.stack))
	}
	return m.pop()
}

func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		b, err := m.bytes(1)
		if err == nil && b[0] != protocol {
			err = fmt.Errorf("protocol %d, want %d, which torch.save uses by default", b[0], protocol)
		}
		return err

	case opNone:
		m.push(nil)
	case opNewTrue:
		m.push(true)
	case opNewFalse:
		m.push(false)
	case opMark:
		m.push(mark{})
	case opEmptyDict:
		m.push(&dict{})
	case opEmptyList:
		m.push(&list{})
	case opEmptyTuple:
		m.push(tuple{})

	case opBinInt:
		u, err := m.uint(4)
		m.push(int64(int32(u)))
		return err
	case opBinInt1:
		return m.pushUint(1)
	case opBinInt2:
		return m.pushUint(2)
	case opLong1:
		return m.long()
	case opBinFloat:
		b, err := m.bytes(8)
		if err == nil {
			m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
		return err
	case opBinUnicode, opBinString:
		return m.text(4)
	case opShortString:
		return m.text(1)

	case opBinPut:
		return m.put(1)
	case opLongBinPut:
		return m.put(4)
	case opBinGet:
		return m.get(1)
	case opLongBinGet:
		return m.get(4)

	case opTuple1, opTuple2, opTuple3:
		n := int(op-opTuple1) + 1
		if len(m.stack) < n {
			return errUnderflow
		}
		t := append(tuple{}, m.stack[len(m.stack)-n:]...)
		m.stack = m.stack[:len(m.stack)-n]
		m.push(t)
	case opTuple:
		items, err := m.popMark()
		m.push(append(tuple{}, items...))
		return err

	case opAppend, opAppends:
		items, err := m.items(op == opAppend, 1)
		if err != nil {
			return err
		}
		l, err := top[*list](m)
		if err == nil {
			l.items = append(l.items, items...)
		}
		return err
	case opSetItem, opSetItems:
		items, err := m.items(op == opSetItem, 2)
		if err != nil {
			return err
		}
		d, err := top[*dict](m)
		if err == nil && len(items)%2 != 0 {
			err = errors.New("a key without a value")
		}
		if err != nil {
			return err
		}
		for i := 0; i < len(items); i += 2 {
			d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
		}

	case opGlobal:
		return m.global()
	case opBinPersID:
		return m.persistent()
	case opReduce:
		return m.reduce()
	case opBuild:
		// The attributes of a container: the versions of modules in a state dict. Not needed.
		if _, err := m.pop(); err != nil {
			return err
		}
		_, err := top[*dict](m)
		return err

	default:
		return fmt.Errorf("opcode %#02x is not one that torch.save makes", op)
	}
	return nil
}

var errUnderflow = errors.New("the stack is empty")

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, errUnderflow
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	if _, ok := v.(mark); ok {
		return nil, errors.New("a mark where a value is expected")
	}
	return v, nil
}

// popMark takes what lies above the last mark, and the mark. The items are valid until the next push.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items := m.stack[i+1:]
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("no mark on the stack")
}

// items takes the n topmost values if single, else those above the mark.
func (m *machine) items(single bool, n int) ([]any, error) {
	if !single {
		return m.popMark()
	}
	if len(m.stack) < n {
		return nil, errUnderflow
	}
	items := m.stack[len(m.stack)-n:]
	m.stack = m.stack[:len(m.stack)-n]
	return items, nil
}

// top is the topmost value, which stays.
func top[T any](m *machine) (v T, err error) {
	if len(m.stack) == 0 {
		return v, errUnderflow
	}
	return as[T](m.stack[len(m.stack)-1])
}

func as[T any](v any) (T, error) {
	t, ok := v.(T)
	if !ok {
		return t, fmt.Errorf("%T where %T is expected", v, t)
	}
	return t, nil
}

func (m *machine) bytes(n int) ([]byte, error) {
	if n > len(m.in)-m.at {
		return nil, errors.New("the pickle is cut short")
	}
	b := m.in[m.at : m.at+n]
	m.at += n
	return b, nil
}

// uint reads n <= 4 bytes, little-endian.
func (m *machine) uint(n int) (uint32, error) {
	b, err := m.bytes(n)
	if err != nil {
		return 0, err
	}
	var u uint32
	for i, x := range b {
		u |= uint32(x) << (8 * i)
	}
	return u, nil
}

func (m *machine) pushUint(n int) error {
	u, err := m.uint(n)
	m.push(int64(u))
	return err
}

// long pushes a two's complement integer of up to 8 bytes.
func (m *machine) long() error {
	n, err := m.uint(1)
	if err != nil {
		return err
	}
	if n > maxLongBytes {
		return fmt.Errorf("an integer of %d bytes, at most %d are read", n, maxLongBytes)
	}
	b, err := m.bytes(int(n))
	if err != nil {
		return err
	}
	var u uint64
	for i, x := range b {
		u |= uint64(x) << (8 * i)
	}
	if n > 0 {
		unused := 64 - 8*n
		u = uint64(int64(u<<unused) >> unused)
	}
	m.push(int64(u))
	return nil
}

func (m *machine) text(lenBytes int) error {
	n, err := m.uint(lenBytes)
	if err != nil {
		return err
	}
	if int64(n) > int64(len(m.in)-m.at) {
		return errors.New("the pickle is cut short")
	}
	b, err := m.bytes(int(n))
	m.push(string(b))
	return err
}

func (m *machine) put(n int) error {
	u, err := m.uint(n)
	if err != nil {
		return err
	}
	if len(m.stack) == 0 {
		return errUnderflow
	}
	m.memo[u] = m.stack[len(m.stack)-1]
	return nil
}

func (m *machine) get(n int) error {
	u, err := m.uint(n)
	if err != nil {
		return err
	}
	v, ok := m.memo[u]
	if !ok {
		return fmt.Errorf("memo %d was not put", u)
	}
	m.push(v)
	return nil
}

func (m *machine) global() error {
	var part [2]string
	for i := range part {
		n := bytes.IndexByte(m.in[m.at:], '\n')
		if n < 0 {
			return errors.New("the pickle is cut short")
		}
		part[i] = string(m.in[m.at : m.at+n])
		m.at += n + 1
	}
	g := global(part[0] + "." + part[1])
	switch g {
	case orderedDict, rebuildTensor, rebuildParameter, torchSize:
	default:
		if _, ok := storages[g]; !ok {
			return fmt.Errorf("names %.200q, which is none of the names that make tensors: refused", string(g))
		}
	}
	m.push(g)
	return nil
}

// persistent pops ('storage', type, key, location, elements).
func (m *machine) persistent() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	id, err := as[tuple](v)
	if err != nil {
		return fmt.Errorf("persistent id: %w", err)
	}
	if len(id) != 5 || id[0] != "storage" {
		return errors.New("persistent id is not that of a storage")
	}
	g, err1 := as[global](id[1])
	key, err2 := as[string](id[2])
	_, err3 := as[string](id[3]) // the device, which does not matter
	n, err4 := as[int64](id[4])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return fmt.Errorf("persistent id of a storage: %w", err)
	}
	dtype, ok := storages[g]
	if !ok {
		return fmt.Errorf("%s is not a type of storage", g)
	}
	if n < 0 || n > math.MaxInt64/int64(dtype.Size()) {
		return fmt.Errorf("storage %q of %d elements", key, n)
	}
	m.push(&storage{dtype, key, n})
	return nil
}

func (m *machine) reduce() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	args, err := as[tuple](v)
	if err != nil {
		return fmt.Errorf("arguments of a call: %w", err)
	}
	if v, err = m.pop(); err != nil {
		return err
	}
	g, err := as[global](v)
	if err != nil {
		return fmt.Errorf("call: %w", err)
	}
	switch {
	case g == orderedDict && len(args) == 0:
		m.push(&dict{})
		return nil
	case g == torchSize && len(args) == 1:
		t, err := as[tuple](args[0])
		m.push(t)
		return err
	case g == rebuildParameter && len(args) == 3: // data, requires_grad, hooks
		t, err := as[*view](args[0])
		m.push(t)
		return err
	case g == rebuildTensor && (len(args) == 6 || len(args) == 7):
		t, err := newView(args)
		m.push(t)
		return err
	}
	return fmt.Errorf("%s called with %d arguments", g, len(args))
}

// newView checks that a tensor lies within its storage. The arguments are storage, offset, size,
// stride, requires_grad, hooks and perhaps metadata.
func newView(args tuple) (*view, error) {
	s, err1 := as[*storage](args[0])
	offset, err2 := as[int64](args[1])
	shape, err3 := integers(args[2])
	stride, err4 := integers(args[3])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, fmt.Errorf("tensor: %w", err)
	}
	if offset < 0 || len(shape) != len(stride) {
		return nil, fmt.Errorf("tensor of shape %v, stride %v and offset %d", shape, stride, offset)
	}
	if slices.Contains(shape, 0) {
		nonzero := int64(1)
		for _, d := range shape {
			if d > 0 && nonzero > math.MaxInt64/d {
				return nil, fmt.Errorf("empty tensor of shape %v: beyond 2^63", shape)
			}
			nonzero *= max(d, 1)
		}
		return &view{s, 0, shape, stride}, nil
	}
	// A tensor that repeats elements (stride 0) could have any number of them; it may have as many
	// as its storage.
	last, count := offset, int64(1)
	for i, d := range shape {
		if d > 1 && stride[i] > (math.MaxInt64-last)/(d-1) {
			return nil, fmt.Errorf("tensor of shape %v, stride %v: beyond 2^63 elements", shape, stride)
		}
		last += (d - 1) * stride[i]
		if d > s.len/count {
			return nil, fmt.Errorf("tensor of shape %v has more elements than its storage, %d", shape, s.len)
		}
		count *= d
	}
	if last >= s.len {
		return nil, fmt.Errorf("tensor of shape %v, stride %v, offset %d: beyond its storage of %d elements", shape, stride, offset, s.len)
	}
	return &view{s, offset, shape, stride}, nil
}

// maxDims is the largest number of dimensions; PyTorch allows 64.
const maxDims = 64

func integers(v any) ([]int64, error) {
	t, err := as[tuple](v)
	if err != nil {
		return nil, err
	}
	if len(t) > maxDims {
		return nil, fmt.Errorf("%d dimensions, at most %d", len(t), maxDims)
	}
	n := make([]int64, len(t))
	for i := range t {
		if n[i], err = as[int64](t[i]); err != nil {
			return nil, err
		}
		if n[i] < 0 {
			return nil, fmt.Errorf("negative dimension or stride in %v", n)
		}
	}
	return n, nil
}
