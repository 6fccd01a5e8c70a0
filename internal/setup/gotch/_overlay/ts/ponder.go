package ts

// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"unsafe"

	"github.com/sugarme/gotch"
	lib "github.com/sugarme/gotch/libtch"
)

// None is an undefined tensor, for optional parameters.
var None = NewTensor()

// Tensor is a handle of a torch::Tensor. Drop frees it; a finalizer does where Drop was forgotten.
type Tensor struct {
	ctensor lib.Ctensor
	name    string
}

func newTensor(ctensor lib.Ctensor, name ...string) *Tensor {
	x := &Tensor{ctensor: ctensor}
	if len(name) > 0 {
		x.name = name[0]
	}
	runtime.SetFinalizer(x, freeCTensor)
	return x
}

func freeCTensor(ts *Tensor) {
	if ts.ctensor != nil {
		lib.AtFree(ts.ctensor)
		ts.ctensor = nil
	}
}

// Drop frees the tensor. Dropping twice is allowed.
func (ts *Tensor) Drop() error {
	if ts.ctensor != nil {
		lib.AtFree(ts.ctensor)
		ts.ctensor = nil
		runtime.SetFinalizer(ts, nil)
	}
	return nil
}

// resultErr tells whether an operation that stores its result in out[0] has failed. The message is
// this thread's: outside of runtime.LockOSThread it may have been left on another one.
func resultErr(out lib.Ctensor) error {
	if out != nil {
		return nil
	}
	if err := TorchErr(); err != nil {
		return err
	}
	return errors.New("libtorch: the operation failed; its message was left on another thread")
}

// TorchErr returns and clears the last failure of libtorch on this thread.
func TorchErr() error {
	message := (*C.char)(lib.GetAndResetLastErr())
	if message == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(message))
	return errors.New("libtorch: " + C.GoString(message))
}

// tensorList takes over a C vector of handles that ends with null.
func tensorList(vector *lib.Ctensor) ([]*Tensor, error) {
	if vector == nil {
		return nil, resultErr(nil)
	}
	defer C.free(unsafe.Pointer(vector))
	var list []*Tensor
	for p := vector; *p != nil; p = (*lib.Ctensor)(unsafe.Add(unsafe.Pointer(p), unsafe.Sizeof(*p))) {
		list = append(list, newTensor(*p))
	}
	return list, nil
}

func handles(tensors []*Tensor) []lib.Ctensor {
	list := make([]lib.Ctensor, len(tensors))
	for i, t := range tensors {
		list[i] = t.ctensor
	}
	return list
}

func AlignTensors(tensors []*Tensor) (retVal []*Tensor, err error) {
	defer runtime.KeepAlive(tensors)
	return tensorList(lib.AtgAlignTensors(handles(tensors), len(tensors)))
}

func BroadcastTensors(tensors []*Tensor) (retVal []*Tensor, err error) {
	defer runtime.KeepAlive(tensors)
	return tensorList(lib.AtgBroadcastTensors(handles(tensors), len(tensors)))
}

func Meshgrid(tensors []*Tensor) (retVal []*Tensor, err error) {
	defer runtime.KeepAlive(tensors)
	return tensorList(lib.AtgMeshgrid(handles(tensors), len(tensors)))
}

func (ts *Tensor) Chunk(chunks int64, dim int64) (retVal []*Tensor, err error) {
	defer runtime.KeepAlive(ts)
	return tensorList(lib.AtgChunk(ts.ctensor, chunks, dim))
}

func (ts *Tensor) NonzeroNumpy() (retVal []*Tensor, err error) {
	defer runtime.KeepAlive(ts)
	return tensorList(lib.AtgNonzeroNumpy(ts.ctensor))
}

func (ts *Tensor) Split(splitSize, dim int64) (retVal []*Tensor, err error) {
	defer runtime.KeepAlive(ts)
	return tensorList(lib.AtgSplit(ts.ctensor, splitSize, dim))
}

func (ts *Tensor) SplitWithSizes(splitSizes []int64, dim int64) (retVal []*Tensor, err error) {
	defer runtime.KeepAlive(ts)
	return tensorList(lib.AtgSplitWithSizes(ts.ctensor, splitSizes, len(splitSizes), dim))
}

func (ts *Tensor) Unbind(dim int64) (retVal []*Tensor, err error) {
	defer runtime.KeepAlive(ts)
	return tensorList(lib.AtgUnbind(ts.ctensor, dim))
}

func Where(condition Tensor) (retVal []*Tensor, err error) {
	return tensorList(lib.AtgWhere(condition.ctensor))
}

// maxDims is more than libtorch supports in most operations (64).
const maxDims = 64

// Size returns the shape.
func (ts *Tensor) Size() ([]int64, error) {
	var dims [maxDims]int64
	n := lib.PonderShape(ts.ctensor, dims[:])
	runtime.KeepAlive(ts)
	switch {
	case n < 0:
		return nil, resultErr(nil)
	case n > maxDims:
		return nil, fmt.Errorf("a tensor of %d dimensions; at most %d are supported", n, maxDims)
	}
	shape := make([]int64, n)
	copy(shape, dims[:n])
	return shape, nil
}

// Stride returns the strides, in elements.
func (ts *Tensor) Stride() ([]int64, error) {
	n := lib.PonderShape(ts.ctensor, nil)
	if n < 0 {
		return nil, resultErr(nil)
	}
	strides := make([]int64, n+1) // never empty: its address is taken
	lib.AtStride(ts.ctensor, unsafe.Pointer(&strides[0]))
	runtime.KeepAlive(ts)
	return strides[:n], TorchErr()
}

// Numel returns the number of elements, 0 for None.
func (ts *Tensor) Numel() uint {
	var dims [maxDims]int64
	if !ts.MustDefined() {
		return 0
	}
	n := lib.PonderShape(ts.ctensor, dims[:])
	runtime.KeepAlive(ts)
	if n < 0 || n > maxDims {
		panic(resultErr(nil))
	}
	numel := uint(1)
	for _, d := range dims[:n] {
		numel *= uint(d)
	}
	return numel
}

// DType returns the type of the elements, gotch.Invalid if gotch has no name for it.
func (ts *Tensor) DType() gotch.DType {
	kind := gotch.DType(lib.AtScalarType(ts.ctensor))
	runtime.KeepAlive(ts)
	if kind < gotch.Uint8 || kind > gotch.Bits16 {
		return gotch.Invalid
	}
	return kind
}

// Device returns where the elements are.
func (ts *Tensor) Device() (gotch.Device, error) {
	index := int32(lib.AtDevice(ts.ctensor))
	runtime.KeepAlive(ts)
	if index < -1 {
		if err := TorchErr(); err != nil {
			return gotch.Device{}, err
		}
		return gotch.Device{}, errors.New("a device other than CPU and CUDA")
	}
	return gotch.CPU.OfCInt(index), nil
}

// flat returns the elements of a slice, array or nested slices in memory as gotch's type: the data
// itself if it is one slice of a plain type, else a copy.
func flat(data any, dtype gotch.DType) (unsafe.Pointer, int, error) {
	switch s := data.(type) {
	case []float32:
		return unsafe.Pointer(unsafe.SliceData(s)), len(s), nil
	case []float64:
		return unsafe.Pointer(unsafe.SliceData(s)), len(s), nil
	case []int64:
		return unsafe.Pointer(unsafe.SliceData(s)), len(s), nil
	case []int32:
		return unsafe.Pointer(unsafe.SliceData(s)), len(s), nil
	case []uint8:
		return unsafe.Pointer(unsafe.SliceData(s)), len(s), nil
	case []bool:
		return unsafe.Pointer(unsafe.SliceData(s)), len(s), nil
	case []int:
		c := sliceIntToInt32(s)
		return unsafe.Pointer(unsafe.SliceData(c)), len(c), nil
	}
	var buf []byte
	n := 0
	if err := appendFlat(&buf, &n, reflect.ValueOf(data)); err != nil {
		return nil, 0, err
	}
	if len(buf) != n*int(dtype.Size()) {
		return nil, 0, fmt.Errorf("%T has %d bytes, want %d of %v", data, len(buf), n*int(dtype.Size()), dtype)
	}
	return unsafe.Pointer(unsafe.SliceData(buf)), n, nil
}

// appendFlat appends the elements of v, whatever its nesting, and counts them.
func appendFlat(buf *[]byte, n *int, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := appendFlat(buf, n, v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Bool, reflect.Int8, reflect.Uint8, reflect.Int16, reflect.Uint16, reflect.Int32, reflect.Int64,
		reflect.Float32, reflect.Float64:
		c := reflect.New(v.Type())
		c.Elem().Set(v)
		*buf = append(*buf, unsafe.Slice((*byte)(c.UnsafePointer()), v.Type().Size())...)
		*n++
		return nil
	}
	return fmt.Errorf("a tensor cannot hold %v", v.Type())
}

func ofMemory(data unsafe.Pointer, shape []int64, dtype gotch.DType, name string) (*Tensor, error) {
	dims := append(make([]int64, 0, 8), shape...)
	ctensor := lib.AtTensorOfData(data, dims[:max(1, len(dims))], uint(len(shape)), dtype.Size(), int(dtype.CKind()))
	if err := resultErr(ctensor); err != nil {
		return nil, err
	}
	return newTensor(ctensor, name), nil
}

// OfSlice creates a tensor of one dimension from a slice or an array.
func OfSlice(data interface{}, opts ...TensorOpt) (*Tensor, error) {
	o := DefaultTensorOptions()
	for _, opt := range opts {
		opt(o)
	}
	typ := reflect.TypeOf(data)
	if typ == nil || typ.Kind() != reflect.Slice && typ.Kind() != reflect.Array {
		return nil, fmt.Errorf("OfSlice of %T, want a slice", data)
	}
	kind := typ.Elem().Kind()
	if kind == reflect.Int {
		kind = reflect.Int32 // as gotch has it
	}
	dtype, err := gotch.GoKind2DType(kind, gotch.HalfDTypePref(o.DType), gotch.WithQuantized(o.Quantized))
	if err != nil {
		return nil, fmt.Errorf("OfSlice: %s", strings.TrimSpace(err.Error()))
	}
	p, n, err := flat(data, dtype)
	if err != nil {
		return nil, err
	}
	return ofMemory(p, []int64{int64(n)}, dtype, o.Name)
}

// OfDataSize creates a tensor from bytes.
func OfDataSize(data []byte, shape []int64, dtype gotch.DType, opts ...TensorOpt) (*Tensor, error) {
	o := DefaultTensorOptions()
	for _, opt := range opts {
		opt(o)
	}
	if want := ElementCount(shape) * int(dtype.Size()); want != len(data) {
		return nil, fmt.Errorf("OfDataSize: %d bytes, want %d for %v of shape %v", len(data), want, dtype, shape)
	}
	return ofMemory(unsafe.Pointer(unsafe.SliceData(data)), shape, dtype, o.Name)
}

// NewTensorFromData creates a tensor of a shape from a slice, an array or nested slices.
func NewTensorFromData(data interface{}, shape []int64, opts ...TensorOpt) (*Tensor, error) {
	o := DefaultTensorOptions()
	for _, opt := range opts {
		opt(o)
	}
	typ := reflect.TypeOf(data)
	for typ != nil && (typ.Kind() == reflect.Slice || typ.Kind() == reflect.Array) {
		typ = typ.Elem()
	}
	if typ == nil {
		return nil, errors.New("NewTensorFromData of nil")
	}
	kind := typ.Kind()
	if kind == reflect.Int {
		kind = reflect.Int32
	}
	dtype, err := gotch.GoKind2DType(kind)
	if err != nil {
		return nil, fmt.Errorf("NewTensorFromData: %s", strings.TrimSpace(err.Error()))
	}
	p, n, err := flat(data, dtype)
	if err != nil {
		return nil, err
	}
	if n != FlattenDim(shape) {
		return nil, fmt.Errorf("NewTensorFromData: %d elements, want %d for shape %v", n, FlattenDim(shape), shape)
	}
	return ofMemory(p, shape, dtype, o.Name)
}

// CopyDataUint8 copies the first numel elements to dst.
func (ts *Tensor) CopyDataUint8(dst []uint8, numel uint) error { return ts.CopyData(dst, numel) }

// CopyData copies the first numel elements to dst, a slice of the tensor's type.
func (ts *Tensor) CopyData(dst interface{}, numel uint) error {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Slice {
		return fmt.Errorf("CopyData to %T, want a slice", dst)
	}
	if uint(v.Len()) < numel {
		return fmt.Errorf("CopyData of %d elements to a slice of %d", numel, v.Len())
	}
	dtype := ts.DType()
	want := dtype
	if dtype == gotch.BFloat16 {
		want = gotch.Half // both are uint16 in Go
	}
	if have, err := gotch.GoKind2DType(v.Type().Elem().Kind()); err != nil || have != want {
		return fmt.Errorf("CopyData of a tensor of %v to %T", dtype, dst)
	}
	if numel == 0 {
		return nil
	}
	lib.AtCopyData(ts.ctensor, v.UnsafePointer(), numel, dtype.Size())
	runtime.KeepAlive(ts)
	return TorchErr()
}

// Float64Value returns the element at idx.
func (ts *Tensor) Float64Value(idx []int64) (float64, error) {
	v := lib.AtDoubleValueAtIndexes(ts.ctensor, unsafe.Pointer(unsafe.SliceData(idx)), len(idx))
	runtime.KeepAlive(ts)
	return v, TorchErr()
}

// Int64Value returns the element at idx.
func (ts *Tensor) Int64Value(idx []int64) (int64, error) {
	v := lib.AtInt64ValueAtIndexes(ts.ctensor, unsafe.Pointer(unsafe.SliceData(idx)), len(idx))
	runtime.KeepAlive(ts)
	return v, TorchErr()
}

// Float64Values returns the elements in order.
func (ts *Tensor) Float64Values(delOpt ...bool) []float64 {
	return values[float64](ts, gotch.Double, delOpt)
}

// Int64Values returns the elements in order.
func (ts *Tensor) Int64Values(delOpt ...bool) []int64 {
	return values[int64](ts, gotch.Int64, delOpt)
}

func values[T any](ts *Tensor, dtype gotch.DType, del []bool) []T {
	if len(del) > 0 && del[0] {
		defer ts.MustDrop()
	}
	c := ts.MustTotype(dtype, false)
	defer c.MustDrop()
	vec := make([]T, c.Numel())
	c.MustCopyData(vec, uint(len(vec)))
	return vec
}

// ShallowClone returns another handle of the same elements.
func (ts *Tensor) ShallowClone() (*Tensor, error) {
	ctensor := lib.AtShallowClone(ts.ctensor)
	runtime.KeepAlive(ts)
	if err := resultErr(ctensor); err != nil {
		return nil, err
	}
	return newTensor(ctensor, ts.name), nil
}

// ZeroGrad sets the gradient to zero if there is one.
func (ts *Tensor) ZeroGrad() {
	grad := ts.MustGrad(false)
	defer grad.MustDrop()
	if grad.MustDefined() {
		grad.MustDetach_()
		grad.MustZero_()
	}
}

// RunBackward returns the gradients of the tensors with respect to the inputs.
func RunBackward(tensors []*Tensor, inputs []*Tensor, keepGraphB bool, createGraphB bool) ([]*Tensor, error) {
	outputs := make([]lib.Ctensor, len(inputs))
	lib.PonderRunBackward(handles(tensors), handles(inputs), outputs, keepGraphB, createGraphB)
	runtime.KeepAlive(tensors)
	runtime.KeepAlive(inputs)
	if err := TorchErr(); err != nil {
		return nil, err
	}
	grads := make([]*Tensor, len(outputs))
	for i, c := range outputs {
		grads[i] = newTensor(c)
	}
	return grads, nil
}

// GradSetEnabled sets the grad mode of this thread and returns the one before.
func GradSetEnabled(b bool) (bool, error) {
	before := lib.PonderGradSetEnabled(b)
	if before < 0 {
		return false, resultErr(nil)
	}
	return before == 1, nil
}

// NoGrad runs fn without recording gradients and restores the mode, after a panic too.
func NoGrad(fn func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := MustGradSetEnabled(false)
	defer MustGradSetEnabled(before)
	fn()
}

// NoGrad1 is NoGrad for a function with a result.
func NoGrad1(fn func() interface{}) (result interface{}) {
	NoGrad(func() { result = fn() })
	return result
}

// NoGradGuard keeps the grad mode off until it is dropped.
type NoGradGuard struct {
	enabled bool
}

// Drop restores the mode that was in force when the guard was made.
func (ngg *NoGradGuard) Drop() { MustGradSetEnabled(ngg.enabled) }

// Enable switches gradients off again.
func (ngg *NoGradGuard) Enable() { MustGradSetEnabled(false) }

// Scalar is a handle of a torch::Scalar. Drop frees it; a finalizer does where Drop was forgotten.
type Scalar struct {
	cscalar lib.Cscalar
}

func newScalar(cscalar lib.Cscalar) *Scalar {
	x := &Scalar{cscalar: cscalar}
	runtime.SetFinalizer(x, func(x *Scalar) { lib.AtsFree(x.cscalar) })
	return x
}

// IntScalar creates an integer scalar.
func IntScalar(v int64) *Scalar { return newScalar(lib.AtsInt(v)) }

// FloatScalar creates a float scalar.
func FloatScalar(v float64) *Scalar { return newScalar(lib.AtsFloat(v)) }

// ToInt returns the value as an integer.
func (sc *Scalar) ToInt() (retVal int64, err error) {
	retVal = lib.AtsToInt(sc.cscalar)
	runtime.KeepAlive(sc)
	return retVal, TorchErr()
}

// ToFloat returns the value as a float.
func (sc *Scalar) ToFloat() (retVal float64, err error) {
	retVal = lib.AtsToFloat(sc.cscalar)
	runtime.KeepAlive(sc)
	return retVal, TorchErr()
}

// ToString returns the value as text.
func (sc *Scalar) ToString() (retVal string, err error) {
	retVal = lib.AtsToString(sc.cscalar)
	runtime.KeepAlive(sc)
	return retVal, TorchErr()
}

// Drop frees the scalar. Dropping twice is allowed.
func (sc *Scalar) Drop() (err error) {
	if sc.cscalar != nil {
		lib.AtsFree(sc.cscalar)
		sc.cscalar = nil
		runtime.SetFinalizer(sc, nil)
	}
	return nil
}

// MustDrop is Drop.
func (sc *Scalar) MustDrop() { sc.Drop() }
