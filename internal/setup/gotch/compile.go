package gotch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ponder-agents/ponder/internal/setup/libtorch"
	"github.com/ponder-agents/ponder/torch/native"
)

// generatedParts is into how many units the generated wrappers are cut: one for each of a few cores.
const generatedParts = 3

// A compiler compiles C++ for one libtorch.
type compiler struct {
	cxx string
	lib *libtorch.Lib
	dir string // where sources and objects lie; commands run in it
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

// errRefused is what the compiler found wrong in the source, as opposed to not running.
var errRefused = errors.New("does not compile")

func (c *compiler) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.cxx, args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var messages bytes.Buffer
	cmd.Stderr = &messages
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return messages.String(), errRefused
	}
	return messages.String(), err
}

// object compiles one file; the object gets its final name only when it is complete.
func (c *compiler) object(ctx context.Context, file string, args ...string) (string, error) {
	tmp := file + ".tmp.o"
	defer os.Remove(filepath.Join(c.dir, tmp))
	messages, err := c.run(ctx, append(append(c.flags(), args...), "-c", file, "-o", tmp)...)
	if err != nil {
		return messages, err
	}
	return messages, os.Rename(filepath.Join(c.dir, tmp), filepath.Join(c.dir, file+".o"))
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

// wrappers compiles gotch's C functions and returns how many are not available in this libtorch.
func (c *compiler) wrappers(ctx context.Context, functions []cFunction) (missing int, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	g.Go(func() error {
		// Small functions that call into libtorch: -O1 is as fast as -O2 and compiles sooner.
		messages, err := c.object(ctx, "core.cpp", "-O1")
		if err != nil {
			return explained(err, "gotch's torch_api.cpp", messages)
		}
		return nil
	})
	var mu sync.Mutex
	for i := range generatedParts {
		n := len(functions)
		p := &part{file: fmt.Sprintf("generated%d.cpp", i), funcs: functions[i*n/generatedParts : (i+1)*n/generatedParts]}
		g.Go(func() error {
			n, err := c.generated(ctx, p)
			mu.Lock()
			missing += n
			mu.Unlock()
			return err
		})
	}
	err = g.Wait()
	return missing, err
}

// generated compiles a part. A function that this libtorch refuses becomes an error at run time.
func (c *compiler) generated(ctx context.Context, p *part) (missing int, err error) {
	for {
		if err := os.WriteFile(filepath.Join(c.dir, p.file), []byte(p.source()), 0o666); err != nil {
			return missing, err
		}
		messages, err := c.object(ctx, p.file, "-O1")
		if err == nil {
			return missing, nil
		}
		refused := p.refused(messages)
		if !errors.Is(err, errRefused) || len(refused) == 0 {
			return missing, explained(err, "gotch's wrappers", messages)
		}
		for _, i := range refused {
			p.funcs[i].missing(c.lib.Version)
		}
		missing += len(refused)
	}
}

// ours compiles torch/native and returns its objects.
func (c *compiler) ours(ctx context.Context) ([]string, error) {
	sources, err := fs.Sub(native.Sources, "src")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(c.dir, "native")
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.CopyFS(dir, sources); err != nil {
		return nil, err
	}
	files, err := fs.Glob(sources, "*.cpp")
	if err != nil {
		return nil, err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	var objects []string
	for _, f := range files {
		objects = append(objects, "native/"+f+".o")
		g.Go(func() error {
			args := []string{"-O3", `-DPONDER_NATIVE_HASH="` + native.Hash() + `"`}
			if runtime.GOOS == "linux" {
				args = append(args, "-fopenmp")
			}
			messages, err := c.object(ctx, "native/"+f, args...)
			if err != nil {
				return explained(err, "torch/native/src/"+f, messages)
			}
			return nil
		})
	}
	return objects, g.Wait()
}

// link makes out of the objects.
func (c *compiler) link(ctx context.Context, objects []string, out string) error {
	args := []string{"-shared", "-o", out}
	args = append(args, objects...)
	args = append(args, "-L"+c.lib.Dir)
	if runtime.GOOS == "linux" {
		args = append(args, "-Wl,-soname,"+filepath.Base(out), "-Wl,--no-as-needed")
	} else {
		args = append(args, "-Wl,-install_name,@rpath/"+filepath.Base(out))
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
	messages, err := c.run(ctx, args...)
	if err != nil {
		if errors.Is(err, errRefused) {
			return fmt.Errorf("libtch does not link: %s", strings.TrimSpace(messages))
		}
		return err
	}
	return nil
}
