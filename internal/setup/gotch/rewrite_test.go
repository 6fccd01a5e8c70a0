package gotch

import (
	"fmt"
	"go/format"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sprint(format string, args ...any) string { return fmt.Sprintf(format, args...) }

func TestRewriteOperations(t *testing.T) {
	const src = `package ts

// #include "stdlib.h"
import "C"

import(
  "unsafe"
  "fmt"

  lib "github.com/sugarme/gotch/libtch"
)

func(ts *Tensor) Add(other *Tensor, del bool)(retVal *Tensor, err error) { 
  if del { defer ts.MustDrop() }
  ptr := (*lib.Ctensor)(unsafe.Pointer(C.malloc(0)))
  
  lib.AtgAdd(ptr, ts.ctensor, other.ctensor)
  if err = TorchErr(); err != nil {
    err = fmt.Errorf("Add() failed: %w", err)
    return retVal, err
  }
  retVal = newTensor(*ptr, "Add")
  
  return retVal, err
} 

func(ts *Tensor) Zero_()(err error) { 
  ptr := (*lib.Ctensor)(unsafe.Pointer(C.malloc(0)))
  
  lib.AtgZero_(ptr, ts.ctensor)
  if err = TorchErr(); err != nil {
    return err
  }
  ts.ctensor = *ptr
  
  return err
} 

func(ts *Tensor) Sort(s *Scalar)(retVal0 *Tensor, retVal1 *Tensor, err error) { 
  ctensorPtr0 := (*lib.Ctensor)(unsafe.Pointer(C.malloc(0)))
  ctensorPtr1 := (*lib.Ctensor)(unsafe.Pointer(uintptr(unsafe.Pointer(ctensorPtr0)) + unsafe.Sizeof(ctensorPtr0)))
  lib.AtgSort(ctensorPtr0, ts.ctensor, s.cscalar)
  if err = TorchErr(); err != nil {
    return retVal0, retVal1, err
  }
  retVal0 = newTensor(*ctensorPtr0, "Sort_0")
  retVal1 = newTensor(*ctensorPtr1, "Sort_1")
  return retVal0, retVal1, err
} 
`
	const want = `package ts

import (
	"fmt"
	"runtime"

	lib "github.com/sugarme/gotch/libtch"
)

func (ts *Tensor) Add(other *Tensor, del bool) (retVal *Tensor, err error) {
	if del {
		defer ts.MustDrop()
	}
	ptr := new(lib.Ctensor)

	lib.AtgAdd(ptr, ts.ctensor, other.ctensor)
	runtime.KeepAlive(ts)
	runtime.KeepAlive(other)
	if err = resultErr(*ptr); err != nil {
		err = fmt.Errorf("Add() failed: %w", err)
		return retVal, err
	}
	retVal = newTensor(*ptr, "Add")

	return retVal, err
}

func (ts *Tensor) Zero_() (err error) {
	ptr := new(lib.Ctensor)

	lib.AtgZero_(ptr, ts.ctensor)
	runtime.KeepAlive(ts)
	if err = resultErr(*ptr); err != nil {
		return err
	}
	lib.PonderAssign(ts.ctensor, *ptr)

	return err
}

func (ts *Tensor) Sort(s *Scalar) (retVal0 *Tensor, retVal1 *Tensor, err error) {
	outs := new([2]lib.Ctensor)
	ctensorPtr0 := &outs[0]
	ctensorPtr1 := &outs[1]
	lib.AtgSort(ctensorPtr0, ts.ctensor, s.cscalar)
	runtime.KeepAlive(ts)
	runtime.KeepAlive(s)
	if err = resultErr(outs[0]); err != nil {
		return retVal0, retVal1, err
	}
	retVal0 = newTensor(*ctensorPtr0, "Sort_0")
	retVal1 = newTensor(*ctensorPtr1, "Sort_1")
	return retVal0, retVal1, err
}
`
	got, err := rewriteGo("ts/tensor-generated.go", src)
	if err != nil {
		t.Fatal(err)
	}
	formatted, err := format.Source([]byte(got))
	if err != nil {
		t.Fatalf("%v in\n%s", err, got)
	}
	if diff := cmp.Diff(want, string(formatted)); diff != "" {
		t.Errorf("rewritten (-want +got):\n%s", diff)
	}
}

func TestRewriteFatal(t *testing.T) {
	got, err := rewriteGo("nn/x.go", "package nn\n\nimport \"log\"\n\nfunc f(err error) {\n\tlog.Fatal(err)\n}\n\nfunc g() {\n\tlog.Fatalf(\"no %v\", 1)\n}\n")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(got, "Fatal") || !strings.Contains(got, "panic(err)") || !strings.Contains(got, "log.Panicf(\"no %v\", 1)") {
		t.Errorf("rewritten:\n%s", got)
	}
	// The import goes with its last use.
	if got, _ = rewriteGo("nn/x.go", "package nn\n\nimport \"log\"\n\nfunc f(err error) { log.Fatal(err) }\n"); strings.Contains(got, "\"log\"") {
		t.Errorf("rewritten:\n%s", got)
	}
}

func TestSplitBinding(t *testing.T) {
	const src = `package libtch

//#include "torch_api.h" 
import "C"

import "unsafe"

func AtgView(ptr *Ctensor, self Ctensor, sizeData []int64, sizeLen int){
csizeDataPtr := (*C.int64_t)(unsafe.Pointer(&sizeData[0]))
csizeLen := *(*C.int)(unsafe.Pointer(&sizeLen)) 
	C.atg_view(ptr, self, csizeDataPtr, csizeLen)
}
func AtgGelu(ptr *Ctensor, self Ctensor, approximate string){
capproximate := C.CString(approximate)
	C.atg_gelu(ptr, self, capproximate)
}
`
	const header = "void atg_view(tensor *, tensor self, int64_t *size_data, int size_len);\nvoid atg_gelu(tensor *, tensor self, char * approximate);\n"
	files, err := splitBinding(src, header)
	if err != nil {
		t.Fatal(err)
	}
	got := files["libtch/c-generated-00.go"]
	for _, want := range []string{
		"// void atg_view(tensor *, tensor self, int64_t *size_data, int size_len);\n// #cgo noescape atg_view\n",
		"unsafe.Pointer(unsafe.SliceData(sizeData))",
		"C.CString(approximate); defer C.free(unsafe.Pointer(capproximate))",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %q", got, want)
		}
	}
	if _, err := splitBinding(src, ""); err == nil {
		t.Error("a call that no header declares was accepted")
	}
}
