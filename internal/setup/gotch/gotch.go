package gotch

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"

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

// writeFile writes to a temporary name, syncs and renames.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
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
	if err := os.MkdirAll(cfg.Cache, 0o777); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, dir+".lock", cfg.Log)
	if err != nil {
		return "", err
	}
	defer unlock()

	stamp, err := ReadStamp(dir)
	if err != nil {
		if stamp, err = create(ctx, cfg, dir); err != nil {
			return "", err
		}
	}
	if stamp.Native == native.Hash() {
		return dir, nil
	}
	cfg.Log("compiling torch/native")
	c := &compiler{cxx: cfg.CXX, lib: cfg.Lib, dir: filepath.Join(dir, "native")}
	if err := c.library(ctx, filepath.Join(dir, "lib")); err != nil {
		return "", err
	}
	stamp.Native = native.Hash()
	return dir, stamp.write(dir)
}

// create copies and rewrites gotch and compiles its wrappers.
func create(ctx context.Context, cfg Config, dir string) (*Stamp, error) {
	tmp := dir + ".part"
	if err := os.RemoveAll(tmp); err != nil { // of a preparation that was killed
		return nil, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	stamp := &Stamp{Gotch: Version, Libtorch: cfg.Lib.Version, ABI: abi(cfg.Lib), CUDA: cfg.Lib.CUDA, LibDir: cfg.Lib.Dir}

	cfg.Log("copying gotch %s", Version)
	if err := copyModule(cfg.Module, tmp); err != nil {
		return nil, err
	}
	cfg.Log("compiling gotch's C++ for libtorch %s (a minute or so, once)", cfg.Lib.Version)
	c := &compiler{cxx: cfg.CXX, lib: cfg.Lib, dir: filepath.Join(tmp, "native")}
	functions, err := writeSources(cfg.Module, c.dir)
	if err != nil {
		return nil, err
	}
	if stamp.Missing, err = c.wrappers(ctx, functions); err != nil {
		return nil, err
	}
	cfg.Log("%d of gotch's %d generated functions are not in libtorch %s", stamp.Missing, len(functions), cfg.Lib.Version)
	if err := stamp.write(tmp); err != nil {
		return nil, err
	}
	return stamp, os.Rename(tmp, dir)
}

// library compiles torch/native and links everything into dir/libtch.
func (c *compiler) library(ctx context.Context, dir string) error {
	objects, err := c.ours(ctx)
	if err != nil {
		return err
	}
	objects = append(objects, "core.cpp.o")
	for i := range generatedParts {
		objects = append(objects, fmt.Sprintf("generated%d.cpp.o", i))
	}
	// The programs that run now keep the old file.
	part := filepath.Join(c.dir, libtorch.Library(runtime.GOOS, "tch"))
	if err := c.link(ctx, objects, part); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return os.Rename(part, filepath.Join(dir, filepath.Base(part)))
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

// writeSources writes the C++ of gotch to dir and returns the generated functions.
func writeSources(src, dir string) ([]cFunction, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	read := func(name string) string {
		data, e := os.ReadFile(filepath.Join(src, "libtch", name))
		if e != nil {
			return ""
		}
		return string(data)
	}
	for _, name := range []string{"stb_image.h", "stb_image_resize.h", "stb_image_write.h", "torch_api_generated.h"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(read(name)), 0o666); err != nil {
			return nil, err
		}
	}
	header, err := readHeader(src)
	if err != nil {
		return nil, err
	}
	tail, err := overlay.ReadFile("_overlay/torch_api_tail.cpp")
	if err != nil {
		return nil, err
	}
	body, err := core(read("torch_api.cpp"), string(tail))
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "torch_api.h"), []byte(header), 0o666),
		os.WriteFile(filepath.Join(dir, "core.cpp"), []byte(body), 0o666),
	)
	if err != nil {
		return nil, err
	}
	return splitFunctions(read("torch_api_generated.cpp.h"))
}
