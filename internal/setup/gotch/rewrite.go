package gotch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// replaced names what of gotch v0.9.1 is deleted because _overlay has it: functions by name,
// methods as Type.Name, types and variables.
var replaced = map[string][]string{
	"ts/tensor.go": {
		"TensorCount", "ScalarCount", "AllocatedMem", "ExistingTensors", "ExistingScalars", "lock", "None",
		"bigStruct", "Tensor", "newTensor", "CheckCMemLeak", "freeCTensor", "newName", "Tensor.nbytes",
		"Tensor.Size", "Tensor.Stride", "decodeSize", "Tensor.Numel", "Tensor.DType", "Tensor.Device",
		"OfSlice", "OfDataSize", "NewTensorFromData", "Tensor.CopyDataUint8", "Tensor.CopyData",
		"Tensor.Float64Value", "Tensor.Int64Value", "Tensor.Float64Values", "Tensor.Int64Values",
		"Tensor.ShallowClone", "Tensor.ZeroGrad", "RunBackward", "Tensor.Drop", "GradSetEnabled", "NoGrad", "NoGrad1",
		"NoGradGuard", "NoGradGuard.Drop", "NoGradGuard.Enable",
	},
	"libtch/tensor.go": {"AtoGetLearningRates", "AtToString", "AtiToString"},
	"libtch/scalar.go": {"AtsToString"},
	"ts/patch.go": {
		"AlignTensors", "BroadcastTensors", "Tensor.Chunk", "Meshgrid", "Tensor.NonzeroNumpy", "Tensor.Split",
		"Tensor.SplitWithSizes", "Tensor.Unbind", "Where",
	},
}

// An edit replaces the bytes [from, to) of a file.
type edit struct {
	from, to int
	text     string
}

// applied returns src with the edits, which do not overlap.
func applied(src string, edits []edit) string {
	slices.SortStableFunc(edits, func(a, b edit) int { return a.from - b.from })
	var out strings.Builder
	at := 0
	for _, e := range edits {
		out.WriteString(src[at:e.from])
		out.WriteString(e.text)
		at = e.to
	}
	out.WriteString(src[at:])
	return out.String()
}

// rewriteGo returns the file at path, relative to the module's root, as the prepared copy has it.
func rewriteGo(path, src string) (string, error) {
	switch path {
	case "libtch/patch.go":
		src = strings.Replace(src, "//#include \"torch_api.h\"\n", "//#include \"torch_api.h\"\n//#include \"torch_api_generated.h\"\n", 1)
	case "init.go":
		// The import of a library makes no folders; the function that needs one does.
		src = makesFolder.ReplaceAllString(src, "")
	case "file-util.go":
		src = strings.Replace(src, "\tcachedFileCandidate := ", "\tif err := os.MkdirAll(fullPath, 0o755); err != nil {\n\t\treturn \"\", err\n\t}\n\tcachedFileCandidate := ", 1)
	case "ts/jit.go":
		src = ivalueList.ReplaceAllString(src, "ptr1 := ${1}unsafe.Pointer(unsafe.SliceData(make([]uint64, 2*int($4)+1)))${2}\n${3}(cval.civalue, ptr1, int($4))")
	case "ts/tensor-generated.go":
		// What is left needs no C: the file compiles in a tenth of the time.
		src = strings.Replace(src, "// #include \"stdlib.h\"\nimport \"C\"\n", "", 1)
		src = strings.Replace(src, "import(\n  \"unsafe\"\n", "import(\n  \"runtime\"\n", 1)
	case "ts/patch.go":
		src = strings.Replace(src, "\t\"log\"\n\t\"unsafe\"\n", "\t\"log\"\n\t\"runtime\"\n", 1)
		src = strings.Replace(src, "// #include \"stdlib.h\"\nimport \"C\"\n", "", 1)
	case "ts/tensor.go":
		src = strings.Replace(src, "func (ts *Tensor) Dim() uint64 {", "func (ts *Tensor) Dim() uint64 {\n\tdefer runtime.KeepAlive(ts)", 1)
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, src, parser.ParseComments)
	if err != nil {
		return "", err
	}
	offset := func(p token.Pos) int { return fset.Position(p).Offset }

	var edits []edit
	missing := slices.Clone(replaced[path])
	isReplaced := func(name string) bool {
		i := slices.Index(missing, name)
		if i >= 0 {
			missing = slices.Delete(missing, i, i+1)
		}
		return i >= 0
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			from := offset(d.Pos())
			if d.Doc != nil {
				from = offset(d.Doc.Pos())
			}
			if isReplaced(declName(d)) {
				edits = append(edits, edit{from, offset(d.End()), ""})
				continue
			}
			if strings.HasPrefix(path, "ts/") {
				edits = append(edits, rewriteOperation(src, d, offset)...)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if isReplaced(s.Name.Name) {
						edits = append(edits, edit{offset(d.Pos()), offset(d.End()), ""})
					}
				case *ast.ValueSpec:
					if !isReplaced(s.Names[0].Name) {
						continue
					}
					if len(d.Specs) == 1 {
						edits = append(edits, edit{offset(d.Pos()), offset(d.End()), ""})
					} else {
						edits = append(edits, edit{offset(s.Pos()), offset(s.End()), ""})
					}
				}
			}
		}
	}
	if len(missing) > 0 {
		return "", fmt.Errorf("%s has no %s: not the gotch that this was written for", path, strings.Join(missing, ", "))
	}
	out := applied(src, edits)
	return fixImports(path, panicking(out))
}

// declName is Name or Type.Name.
func declName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + d.Name.Name
	}
	return d.Name.Name
}

var (
	mallocOne   = regexp.MustCompile(`(\w+) := \(\*lib\.C(tensor|ivalue)\)\(unsafe\.Pointer\(C\.malloc\(0\)\)\)`)
	resultAt    = regexp.MustCompile(`(ctensorPtr)(\d) := [^\n]*`)
	inPlace     = regexp.MustCompile(`ts\.ctensor = \*ptr`)
	makesFolder = regexp.MustCompile(`(?s)\tif _, err := os\.Stat\(CachedDir\); os\.IsNotExist\(err\) \{.*?\n\t\}\n`)
	ivalueList  = regexp.MustCompile(`ptr1 := (\(\*lib\.C(?:tensor|ivalue)\)\()?unsafe\.Pointer\(C\.malloc\(0\)\)(\)?)\n(\s*lib\.\w+)\(cval\.civalue, ptr1, int\((\w+)\)\)`)
	checkError  = regexp.MustCompile(`if err = TorchErr\(\); err != nil|err = TorchErr\(\)\n`)
)

// rewriteOperation edits one function that calls libtch: results go to Go memory, large enough;
// failure is seen by the missing result; the operands live until the call has returned (else their
// finalizers may free them during it); an operation in place keeps its handle.
func rewriteOperation(src string, d *ast.FuncDecl, offset func(token.Pos) int) []edit {
	if d.Body == nil {
		return nil
	}
	from, to := offset(d.Body.Pos()), offset(d.Body.End())
	body := src[from:to]
	if !strings.Contains(body, "C.malloc(0)") && !strings.Contains(body, "lib.At") {
		return nil
	}

	var edits []edit
	if operands := operandsOf(d); len(operands) > 0 {
		var keep strings.Builder
		for _, name := range operands {
			fmt.Fprintf(&keep, "; runtime.KeepAlive(%s)", name)
		}
		ast.Inspect(d.Body, func(n ast.Node) bool {
			s, ok := n.(ast.Stmt)
			if !ok {
				return true
			}
			switch s.(type) {
			case *ast.ExprStmt, *ast.AssignStmt:
				if text := src[offset(s.Pos()):offset(s.End())]; strings.Contains(text, "lib.At") {
					edits = append(edits, edit{offset(s.End()) - from, offset(s.End()) - from, keep.String()})
				}
				return false
			}
			return true
		})
		body = applied(body, edits)
	}

	first := "*ptr"
	if n := len(resultAt.FindAllString(body, -1)); n > 0 {
		base := 0
		if !strings.Contains(body, "ctensorPtr0 :=") {
			base = 1
		}
		declared := false
		body = resultAt.ReplaceAllStringFunc(body, func(s string) string {
			m := resultAt.FindStringSubmatch(s)
			text := fmt.Sprintf("ctensorPtr%s := &outs[%d]", m[2], int(m[2][0]-'0')-base)
			if !declared {
				declared = true
				text = fmt.Sprintf("outs := new([%d]lib.Ctensor)\n\t%s", n, text)
			}
			return text
		})
		first = "outs[0]"
	}
	hasResult := first == "outs[0]" || strings.Contains(body, "ptr := (*lib.Ctensor)")
	body = mallocOne.ReplaceAllString(body, "$1 := new(lib.C$2)")
	body = inPlace.ReplaceAllString(body, "lib.PonderAssign(ts.ctensor, *ptr)")
	if hasResult {
		body = checkError.ReplaceAllStringFunc(body, func(s string) string {
			return strings.Replace(s, "TorchErr()", "resultErr("+first+")", 1)
		})
	}
	return []edit{{from, to, body}}
}

// operandsOf returns the parameters, the receiver included, that own something of libtorch.
func operandsOf(d *ast.FuncDecl) []string {
	var names []string
	add := func(list *ast.FieldList) {
		if list == nil {
			return
		}
		for _, p := range list.List {
			t := p.Type
			if s, ok := t.(*ast.ArrayType); ok {
				t = s.Elt
			}
			star, ok := t.(*ast.StarExpr)
			if !ok {
				continue
			}
			if id, ok := star.X.(*ast.Ident); !ok || id.Name != "Tensor" && id.Name != "Scalar" {
				continue
			}
			for _, n := range p.Names {
				names = append(names, n.Name)
			}
		}
	}
	add(d.Recv)
	add(d.Type.Params)
	return names
}

var (
	firstOf     = regexp.MustCompile(`unsafe\.Pointer\(&(\w+)\[0\]\)`)
	cString     = regexp.MustCompile(`(?m)^(\s*)(\w+) := C\.CString\((\w+)\)[ \t]*$`)
	cOperation  = regexp.MustCompile(`C\.(atg_\w+)\(`)
	cPrototype  = regexp.MustCompile(`(?m)^[\w *]*?\b(atg_\w+)\(.*\);$`)
	perBinding  = 160
	bindingHead = `// Code generated by ponder's cmd/setup from gotch's c-generated.go; DO NOT EDIT.

package libtch

// #include <stdlib.h>
// #include "torch_api.h"
%simport "C"

import "unsafe"

var _ unsafe.Pointer

`
)

// splitBinding cuts the generated cgo calls, c-generated.go, into files that declare only what they
// call, and returns their texts by name. cgo provokes four errors a name, and for each gcc looks for
// the most similar among all names declared: 2,500 in one file take a minute, in 16 files 2 seconds.
//
// In the files empty lists are allowed, strings are freed, and what is passed by address need not
// move to the heap, since libtorch keeps none of it.
func splitBinding(src, header string) (map[string]string, error) {
	prototypes := map[string]string{}
	for _, m := range cPrototype.FindAllStringSubmatch(header, -1) {
		prototypes[m[1]] = m[0]
	}
	src = firstOf.ReplaceAllString(src, "unsafe.Pointer(unsafe.SliceData($1))")
	src = cString.ReplaceAllString(src, "${1}${2} := C.CString($3); defer C.free(unsafe.Pointer($2))")
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "libtch/c-generated.go", src, 0)
	if err != nil {
		return nil, err
	}
	var functions []string
	for _, d := range f.Decls {
		if d, ok := d.(*ast.FuncDecl); ok {
			functions = append(functions, src[fset.Position(d.Pos()).Offset:fset.Position(d.End()).Offset])
		}
	}
	files := map[string]string{}
	for group := range slices.Chunk(functions, perBinding) {
		text := strings.Join(group, "\n\n")
		var preamble strings.Builder
		seen := map[string]bool{}
		for _, m := range cOperation.FindAllStringSubmatch(text, -1) {
			name := m[1]
			if seen[name] {
				continue
			}
			seen[name] = true
			if prototypes[name] == "" {
				return nil, fmt.Errorf("torch_api_generated.h does not declare %s: not the gotch that this was written for", name)
			}
			fmt.Fprintf(&preamble, "// %s\n// #cgo noescape %s\n// #cgo nocallback %s\n", prototypes[name], name, name)
		}
		files[fmt.Sprintf("libtch/c-generated-%02d.go", len(files))] = fmt.Sprintf(bindingHead, preamble.String()) + text + "\n"
	}
	return files, nil
}

var (
	logFatal  = regexp.MustCompile(`\blog\.Fatal\((\w+)\)`)
	logFatalf = regexp.MustCompile(`\blog\.(Fatalf|Fatalln|Fatal)\(`)
)

// panicking turns log.Fatal, which ends the process without running defers, into panic.
func panicking(src string) string {
	src = logFatal.ReplaceAllString(src, "panic($1)")
	return logFatalf.ReplaceAllString(src, "log.Panic${1}(")
}

var fatalNames = strings.NewReplacer("log.PanicFatalf(", "log.Panicf(", "log.PanicFatalln(", "log.Panicln(", "log.PanicFatal(", "log.Panic(")

// fixImports drops the imports that the edits left unused and adds those they need.
func fixImports(path, src string) (string, error) {
	src = fatalNames.Replace(src)
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, src, parser.ParseComments)
	if err != nil {
		return "", err
	}
	used := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok {
				used[id.Name] = true
			}
		}
		return true
	})
	var edits []edit
	imported := map[string]bool{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		for _, s := range g.Specs {
			s := s.(*ast.ImportSpec)
			name := strings.Trim(s.Path.Value, `"`)
			name = name[strings.LastIndex(name, "/")+1:]
			if s.Name != nil {
				name = s.Name.Name
			}
			imported[name] = true
			if name != "C" && name != "_" && name != "." && !used[name] {
				from, to := s.Pos(), s.End()
				if !g.Lparen.IsValid() {
					from, to = g.Pos(), g.End()
				}
				edits = append(edits, edit{fset.Position(from).Offset, fset.Position(to).Offset, ""})
			}
		}
	}
	if used["runtime"] && !imported["runtime"] {
		at := fset.Position(f.Name.End()).Offset
		edits = append(edits, edit{at, at, "\n\nimport \"runtime\"\n"})
	}
	return applied(src, edits), nil
}
