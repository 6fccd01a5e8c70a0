// Package elflibs says whether the system's loader will find the shared libraries that a program needs,
// before it is started: afterwards it is too late to do without.
package elflibs

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
)

// folders are where loaders look last, on any processor that a program of ours runs on.
var folders = []string{
	"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib",
	"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
}

// Missing is the name of the first library that file needs, or a library that it needs, and that is not to be
// found; "" if there are all. It looks where ld.so(8) does: DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, the cache, the
// system's folders.
func Missing(file string) (string, error) {
	cache, _ := os.ReadFile("/etc/ld.so.cache") // where there is none, as with musl, the folders are all
	s := search{cache: cache, seen: map[string]bool{}}
	return s.missing(file, nil)
}

type search struct {
	cache []byte
	seen  map[string]bool // names of libraries
}

// missing is Missing of file, which is loaded for those whose DT_RPATH is rpath.
func (s *search) missing(file string, rpath []string) (string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	names, err := f.ImportedLibraries()
	if err != nil {
		return "", err
	}
	run, err := paths(f, elf.DT_RUNPATH, file)
	if err != nil {
		return "", err
	}
	if len(run) == 0 { // else DT_RPATH is not used
		own, err := paths(f, elf.DT_RPATH, file)
		if err != nil {
			return "", err
		}
		rpath = append(own, rpath...)
	}
	dirs := append(append([]string(nil), rpath...), filepath.SplitList(os.Getenv("LD_LIBRARY_PATH"))...)
	dirs = append(dirs, run...)
	for _, name := range names {
		if s.seen[name] {
			continue
		}
		s.seen[name] = true
		path := s.find(name, dirs)
		if path == "" {
			return name, nil
		}
		if lost, err := s.missing(path, rpath); lost != "" || err != nil {
			return lost, err
		}
	}
	return "", nil
}

// paths are the folders of a dynamic tag of f, which is file.
func paths(f *elf.File, tag elf.DynTag, file string) ([]string, error) {
	all, err := f.DynString(tag)
	if err != nil {
		return nil, err
	}
	origin := filepath.Dir(file)
	if real, err := filepath.EvalSymlinks(file); err == nil {
		origin = filepath.Dir(real)
	}
	var out []string
	for _, list := range all {
		for _, dir := range filepath.SplitList(list) {
			out = append(out, strings.NewReplacer("$ORIGIN", origin, "${ORIGIN}", origin).Replace(dir))
		}
	}
	return out, nil
}

// find is the file of a library, "" if there is none.
func (s *search) find(name string, dirs []string) string {
	if strings.Contains(name, "/") {
		dirs, name = []string{filepath.Dir(name)}, filepath.Base(name)
	} else if path := s.cached(name); path != "" {
		dirs = append(dirs[:len(dirs):len(dirs)], filepath.Dir(path))
	}
	for _, dir := range append(dirs[:len(dirs):len(dirs)], folders...) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path
		}
	}
	return ""
}

// cached is the path of a library in the cache, whose strings are names and paths, each ended by a zero.
func (s *search) cached(name string) string {
	end := bytes.Index(s.cache, []byte("/"+name+"\x00"))
	if end < 0 {
		return ""
	}
	start := bytes.LastIndexByte(s.cache[:end], 0) + 1
	return string(s.cache[start:end]) + "/" + name
}
