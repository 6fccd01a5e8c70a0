package gotch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ponder-agents/ponder/internal/setup/libtorch"
	"github.com/ponder-agents/ponder/torch/native"
)

// generatedParts is into how many units the generated wrappers are cut: one for each of a few cores.
const generatedParts = 3

// A compiler compiles C++ for one libtorch into a folder of objects that are named by what they were
// made from, so that nothing is compiled twice.
type compiler struct {
	cxx string
	lib *libtorch.Lib
	dir string // of the objects
}

// A unit is one translation unit: its source, the files that it includes, and flags of its own.
type unit struct {
	file   string
	source string
	files  map[string]string
	args   []string
}

// flags that every unit needs.
func (c *compiler) flags() []string {
	args := []string{"-std=" + c.lib.Standard(), "-fPIC", "-w", "-I."}
	for _, dir := range c.lib.Include {
		args = append(args, "-I"+dir)
	}
	if runtime.GOOS == "linux" {
		abi := "0"
		if c.lib.CXX11ABI {
			abi = "1"
		}
		args = append(args, "-D_GLIBCXX_USE_CXX11_ABI="+abi)
	}
	return args
}

// key names the object of u.
func (c *compiler) key(u *unit) string {
	h := sha256.New()
	fmt.Fprintln(h, c.cxx, c.lib.Version, c.lib.Dir, c.flags(), u.args, runtime.GOARCH)
	fmt.Fprintf(h, "%s %q\n", u.file, u.source)
	for _, name := range slices.Sorted(maps.Keys(u.files)) {
		fmt.Fprintf(h, "%s %q\n", name, u.files[name])
	}
	return strings.TrimSuffix(u.file, ".cpp") + "-" + hex.EncodeToString(h.Sum(nil))[:20]
}

// object returns the object of u, compiling it unless it is there. Where the compiler refuses it,
// retry may mend the source from the messages; it returns false if it cannot.
func (c *compiler) object(ctx context.Context, u *unit, retry func(messages string) (string, bool)) (string, error) {
	object := filepath.Join(c.dir, c.key(u)+".o")
	if _, err := os.Stat(object); err == nil {
		return object, nil
	}
	tmp, err := os.MkdirTemp(c.dir, "tmp-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	for name, text := range u.files {
		if err := os.WriteFile(filepath.Join(tmp, name), []byte(text), 0o666); err != nil {
			return "", err
		}
	}
	for source := u.source; ; {
		if err := os.WriteFile(filepath.Join(tmp, u.file), []byte(source), 0o666); err != nil {
			return "", err
		}
		messages, err := c.run(ctx, tmp, append(append(c.flags(), u.args...), "-c", u.file, "-o", "object.o")...)
		if err == nil {
			return object, os.Rename(filepath.Join(tmp, "object.o"), object)
		}
		ok := false
		if errors.Is(err, errRefused) && retry != nil {
			source, ok = retry(messages)
		}
		if !ok {
			return "", explained(err, u.file, messages)
		}
	}
}

// errRefused is what the compiler found wrong in the source, as opposed to not running.
var errRefused = errors.New("does not compile")

func (c *compiler) run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.cxx, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var messages bytes.Buffer
	cmd.Stderr = &messages
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return messages.String(), errRefused
	}
	return messages.String(), err
}

// explained adds the first errors of the compiler to err.
func explained(err error, what, messages string) error {
	if !errors.Is(err, errRefused) {
		return fmt.Errorf("%s: %w", what, err)
	}
	var lines []string
	for l := range strings.Lines(messages) {
		if strings.Contains(l, "error") && len(lines) < 5 {
			lines = append(lines, strings.TrimSpace(l))
		}
	}
	if lines == nil {
		lines = append(lines, strings.TrimSpace(messages))
	}
	return fmt.Errorf("%s %w:\n\t%s", what, err, strings.Join(lines, "\n\t"))
}

// objects compiles gotch's C functions and torch/native. missing is how many of the former are not
// available in this libtorch.
func (c *compiler) objects(ctx context.Context, module string) (objects []string, missing int, err error) {
	src, err := readSources(module)
	if err != nil {
		return nil, 0, err
	}
	parts := make([]*part, generatedParts)
	// Small functions that call into libtorch: -O1 is as fast as -O2 and compiles sooner.
	units := []*unit{{file: "core.cpp", source: src.core, files: src.files, args: []string{"-O1"}}}
	for i := range parts {
		n := len(src.functions)
		parts[i] = &part{file: fmt.Sprintf("generated%d.cpp", i), funcs: src.functions[i*n/generatedParts : (i+1)*n/generatedParts]}
		units = append(units, &unit{file: parts[i].file, source: parts[i].source(), files: src.files, args: []string{"-O1"}})
	}
	ours, err := nativeUnits(c.lib)
	if err != nil {
		return nil, 0, err
	}
	units = append(ours, units...) // the longest first

	objects = make([]string, len(units))
	err = inParallel(ctx, len(units), func(ctx context.Context, i int) (err error) {
		if j := i - len(ours) - 1; j >= 0 {
			objects[i], err = c.generated(ctx, units[i], parts[j])
		} else {
			objects[i], err = c.object(ctx, units[i], nil)
		}
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	for i := range parts {
		n, err := readMissing(objects[len(ours)+1+i])
		if err != nil {
			return nil, 0, err
		}
		missing += n
	}
	return objects, missing, nil
}

// inParallel calls f for 0 to n-1, as many at once as there are processors, and returns the first
// error, which cancels the rest.
func inParallel(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range min(n, runtime.NumCPU()) {
		wg.Go(func() {
			for i := range next {
				if ctx.Err() != nil {
					return
				}
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// generated compiles a part. A function that this libtorch refuses becomes an error at run time;
// how many did is kept beside the object.
func (c *compiler) generated(ctx context.Context, u *unit, p *part) (string, error) {
	missing := 0
	record := filepath.Join(c.dir, c.key(u)+".o.missing")
	if _, err := os.Stat(record); err != nil {
		// Without the record the object is not known to be of this source.
		if err := os.Remove(strings.TrimSuffix(record, ".missing")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	object, err := c.object(ctx, u, func(messages string) (string, bool) {
		refused := p.refused(messages)
		for _, i := range refused {
			p.funcs[i].missing(c.lib.Version)
		}
		missing += len(refused)
		return p.source(), len(refused) > 0
	})
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(record); err == nil {
		return object, nil
	}
	return object, writeFile(record, []byte(strconv.Itoa(missing)))
}

func readMissing(object string) (int, error) {
	data, err := os.ReadFile(object + ".missing")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(data))
}

// nativeUnits returns torch/native's units, and one that says which sources they are.
func nativeUnits(lib *libtorch.Lib) ([]*unit, error) {
	entries, err := native.Sources.ReadDir("src")
	if err != nil {
		return nil, err
	}
	hash := fmt.Sprintf("extern \"C\" const char *ponder_native_hash(void) { return %q; }\n", native.Hash())
	units := []*unit{{file: "native_hash.cpp", source: hash}}
	headers := map[string]string{}
	for _, e := range entries {
		data, err := native.Sources.ReadFile("src/" + e.Name())
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(e.Name(), ".cpp") {
			headers[e.Name()] = string(data)
			continue
		}
		u := &unit{file: e.Name(), source: string(data), files: headers, args: []string{"-O3"}}
		if runtime.GOOS == "linux" {
			u.args = append(u.args, "-fopenmp")
		}
		if u.file == "gpu.cpp" && lib.CUDA && lib.CUDAInclude != "" {
			u.args = append(u.args, "-DPONDER_CUDA", "-I"+lib.CUDAInclude)
		}
		units = append(units, u)
	}
	return units, nil
}

// link makes out of the objects.
func (c *compiler) link(ctx context.Context, objects []string, out string) error {
	args := []string{"-shared", "-o", out}
	name := libtorch.Library(runtime.GOOS, "tch")
	args = append(args, objects...)
	args = append(args, "-L"+c.lib.Dir)
	if runtime.GOOS == "linux" {
		args = append(args, "-Wl,-soname,"+name, "-Wl,--no-as-needed")
	} else {
		args = append(args, "-Wl,-install_name,@rpath/"+name)
	}
	args = append(args, "-ltorch_cpu", "-lc10")
	if c.lib.CUDA {
		args = append(args, "-ltorch_cuda", "-lc10_cuda")
	}
	if runtime.GOOS == "linux" {
		if gomp := c.lib.Gomp(); gomp != "" {
			args = append(args, gomp)
		} else {
			args = append(args, "-lgomp")
		}
		// What libtorch itself needs is found by its own rpath when the program starts.
		args = append(args, "-Wl,--allow-shlib-undefined")
	}
	if !c.lib.System {
		args = append(args, "-Wl,-rpath,"+c.lib.Dir)
	}
	messages, err := c.run(ctx, c.dir, args...)
	if err != nil {
		if errors.Is(err, errRefused) {
			return fmt.Errorf("libtch does not link: %s", strings.TrimSpace(messages))
		}
		return err
	}
	return nil
}
