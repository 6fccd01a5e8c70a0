package gotch

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ponder-agents/ponder/internal/output"
	"github.com/ponder-agents/ponder/internal/setup/libtorch"
	"github.com/ponder-agents/ponder/torch/native"
)

// Path and Version name the module that is prepared.
const (
	Path    = "github.com/sugarme/gotch"
	Version = "v0.9.1"
)

//go:embed _overlay
var overlay embed.FS

//go:embed *.go
var ownSources embed.FS

// Config says what to prepare and where.
type Config struct {
	Module string        // folder of gotch's source, as in the module cache
	Lib    *libtorch.Lib // the libtorch to compile against
	Cache  string        // folder of all prepared copies
	CXX    string        // the C++ compiler
	Log    func(format string, args ...any)
}

// A Stamp is the file ponder.json of a prepared folder; it is written last.
type Stamp struct {
	Gotch    string `json:"gotch"`
	Libtorch string `json:"libtorch"`
	ABI      string `json:"abi"`
	CUDA     bool   `json:"cuda"`
	LibDir   string `json:"libtorch_dir"`
	Missing  int    `json:"missing_functions"`
	Native   string `json:"native"` // torch/native.Hash of what libtch holds
}

const stampName = "ponder.json"

// ReadStamp reads the stamp of a prepared folder.
func ReadStamp(dir string) (*Stamp, error) {
	data, err := os.ReadFile(filepath.Join(dir, stampName))
	if err != nil {
		return nil, err
	}
	s := new(Stamp)
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, stampName), err)
	}
	return s, nil
}

func (s *Stamp) write(dir string) error {
	data, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, stampName), data)
}

// writeFile writes data whole or not at all.
func writeFile(path string, data []byte) error {
	return output.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Dir returns the folder that holds the copy for cfg, prepared or not: its name changes with
// gotch, libtorch, the ABI, the compiler and this package, but not with torch/native.
func Dir(cfg Config) (string, error) {
	h := sha256.New()
	for _, fsys := range []fs.FS{ownSources, overlay} {
		err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			data, err := fs.ReadFile(fsys, path)
			fmt.Fprintf(h, "%s %d\n", path, len(data))
			h.Write(data)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	fmt.Fprintln(h, cfg.Module, cfg.Lib.Dir, cfg.Lib.Include, cfg.CXX, runtime.GOOS, runtime.GOARCH)
	name := fmt.Sprintf("gotch-%s-libtorch-%s-%s-%s", strings.TrimPrefix(Version, "v"), cfg.Lib.Version, abi(cfg.Lib), hex.EncodeToString(h.Sum(nil))[:10])
	return filepath.Join(cfg.Cache, name), nil
}

func abi(l *libtorch.Lib) string {
	s := "abi1"
	if !l.CXX11ABI {
		s = "abi0"
	}
	if l.CUDA {
		s += "-cuda"
	}
	return s
}

// Prepare makes the copy for cfg, or what is missing of it, and returns its folder. Two processes at
// once do it one after the other.
func Prepare(ctx context.Context, cfg Config) (dir string, err error) {
	dir, err = Dir(cfg)
	if err != nil {
		return "", err
	}
	c := &compiler{cxx: cfg.CXX, lib: cfg.Lib, dir: filepath.Join(cfg.Cache, "objects")}
	if err := os.MkdirAll(c.dir, 0o777); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, filepath.Join(cfg.Cache, "lock"), cfg.Log)
	if err != nil {
		return "", err
	}
	defer unlock()

	stamp, err := ReadStamp(dir)
	fresh := err != nil // never made, or not to the end
	if !fresh && stamp.Native == native.Hash() {
		return dir, nil
	}
	if err := removeLeft(cfg.Cache); err != nil {
		return "", err
	}
	cfg.Log("compiling the C++ for libtorch %s (a minute or two the first time)", cfg.Lib.Version)
	objects, missing, err := c.objects(ctx, cfg.Module)
	if err != nil {
		return "", err
	}
	to := dir
	if fresh {
		to = dir + ".part"
		if err := errors.Join(os.RemoveAll(dir), copyModule(cfg.Module, to)); err != nil {
			return "", err
		}
	}
	lib := filepath.Join(to, "lib")
	if err := os.MkdirAll(lib, 0o777); err != nil {
		return "", err
	}
	// The programs that run now keep the old library.
	library := filepath.Join(lib, libtorch.Library(runtime.GOOS, "tch"))
	if err := c.link(ctx, objects, library+".part"); err != nil {
		return "", err
	}
	if err := os.Rename(library+".part", library); err != nil {
		return "", err
	}
	stamp = &Stamp{
		Gotch: Version, Libtorch: cfg.Lib.Version, ABI: abi(cfg.Lib), CUDA: cfg.Lib.CUDA, LibDir: cfg.Lib.Dir,
		Missing: missing, Native: native.Hash(),
	}
	if err := stamp.write(to); err != nil {
		return "", err
	}
	if fresh {
		cfg.Log("%d of gotch's functions are not in libtorch %s: they return an error", missing, cfg.Lib.Version)
		return dir, os.Rename(to, dir)
	}
	return dir, nil
}

// removeLeft removes what preparations that were killed have left in the cache.
func removeLeft(cache string) error {
	for _, pattern := range []string{"gotch-*.part", "objects/tmp-*"} {
		left, err := filepath.Glob(filepath.Join(cache, pattern))
		if err != nil {
			return err
		}
		for _, path := range left {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// copied are the folders of gotch that the copy has; examples and generators are not needed.
var copied = []string{".", "libtch", "ts", "nn", "half", "pickle", "dutil", "vision", "vision/aug"}

// copyModule writes the Go part of gotch to dst.
func copyModule(src, dst string) error {
	for _, folder := range copied {
		entries, err := os.ReadDir(filepath.Join(src, folder))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(dst, folder), 0o777); err != nil {
			return err
		}
		for _, e := range entries {
			path := e.Name()
			if folder != "." {
				path = folder + "/" + path
			}
			isGo := strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go")
			if e.IsDir() || !isGo && path != "LICENSE" && path != "go.mod" && path != "go.sum" {
				continue
			}
			data, err := os.ReadFile(filepath.Join(src, path))
			if err != nil {
				return err
			}
			text := string(data)
			switch {
			case path == "libtch/c-generated.go":
				continue // below
			case path == "libtch/lib.go" || path == "ts/scalar.go" || path == "ts/error.go":
				continue // wholly in the overlay
			case path == "go.mod":
				text = strings.Replace(text, "\ngo 1.20\n", "\ngo 1.25\n", 1)
			case isGo:
				if text, err = rewriteGo(path, text); err != nil {
					return fmt.Errorf("gotch: %w", err)
				}
			}
			if err := os.WriteFile(filepath.Join(dst, path), []byte(text), 0o666); err != nil {
				return err
			}
		}
	}
	files := map[string]string{}
	for name, from := range map[string]string{
		"ts/ponder.go": "_overlay/ts/ponder.go", "libtch/ponder.go": "_overlay/libtch/ponder.go", "libtch/lib.go": "_overlay/libtch/lib.go",
	} {
		data, err := overlay.ReadFile(from)
		if err != nil {
			return err
		}
		files[name] = string(data)
	}
	header, err := readHeader(src)
	if err != nil {
		return err
	}
	files["libtch/torch_api.h"] = strings.Replace(header, generatedInclude, "", 1)
	generated, err := os.ReadFile(filepath.Join(src, "libtch/torch_api_generated.h"))
	if err != nil {
		return err
	}
	files["libtch/torch_api_generated.h"] = string(generated)
	binding, err := os.ReadFile(filepath.Join(src, "libtch/c-generated.go"))
	if err != nil {
		return err
	}
	calls, err := splitBinding(string(binding), string(generated))
	if err != nil {
		return err
	}
	maps.Copy(files, calls)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dst, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// generatedInclude is what only some of cgo's files need of torch_api.h.
const generatedInclude = "#include \"torch_api_generated.h\"\n"

func readHeader(src string) (string, error) {
	original, err := os.ReadFile(filepath.Join(src, "libtch/torch_api.h"))
	if err != nil {
		return "", err
	}
	head, err := overlay.ReadFile("_overlay/torch_api_head.h")
	if err != nil {
		return "", err
	}
	return apiHeader(string(original), string(head))
}

// A cSource is the C++ of gotch as it is compiled.
type cSource struct {
	core      string // the part written by hand
	functions []cFunction
	files     map[string]string // what both include
}

func readSources(module string) (*cSource, error) {
	files := map[string]string{}
	for _, name := range []string{"stb_image.h", "stb_image_resize.h", "stb_image_write.h", "torch_api_generated.h", "torch_api.cpp", "torch_api_generated.cpp.h"} {
		data, err := os.ReadFile(filepath.Join(module, "libtch", name))
		if err != nil {
			return nil, err
		}
		files[name] = string(data)
	}
	var err error
	if files["torch_api.h"], err = readHeader(module); err != nil {
		return nil, err
	}
	tail, err := overlay.ReadFile("_overlay/torch_api_tail.cpp")
	if err != nil {
		return nil, err
	}
	s := &cSource{files: files}
	if s.core, err = core(files["torch_api.cpp"], string(tail)); err != nil {
		return nil, err
	}
	if s.functions, err = splitFunctions(files["torch_api_generated.cpp.h"]); err != nil {
		return nil, err
	}
	delete(files, "torch_api.cpp")
	delete(files, "torch_api_generated.cpp.h")
	return s, nil
}
