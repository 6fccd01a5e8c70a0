package libtorch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// A Search says where to look for libtorch and how to install it where there is none.
type Search struct {
	Dir     string // only this one, as --libtorch or $LIBTORCH names it
	Pip     string // only this version of PyPI's torch, installed privately
	Archive Archive
	Prefix  string // of the system's packages; "" is /usr
	Cache   string // folder of what set-up installed
	DryRun  bool
	Log     Log
}

// oldest is the first version that the wrappers are tried with.
const oldestMajor, oldestMinor = 1, 13

// Find returns the first libtorch of: Dir; Pip; the archive named; Python's; the system's; one
// installed before. Where there is none it installs one: by apt, from the official archive, or from
// PyPI, unless it is a dry run, which returns nil.
func (s *Search) Find(ctx context.Context) (*Lib, error) {
	switch {
	case s.Dir != "":
		return checkAge(At(s.Dir, "as asked for"))
	case s.Pip != "":
		return Pip(ctx, s.Pip, s.Cache, s.DryRun, s.Log)
	case s.Archive.File != "" || s.Archive.URL != "":
		if s.DryRun {
			s.Log("would unpack %s", s.Archive.File+s.Archive.URL)
			return nil, nil
		}
		return checkAge(s.Archive.Install(ctx))
	}
	if l := s.Present(ctx); l != nil {
		return l, nil
	}
	return s.install(ctx)
}

// Present returns the libtorch that is on this machine, nil if there is none. It logs those that it
// found but cannot use.
func (s *Search) Present(ctx context.Context) *Lib {
	finders := []func() (*Lib, error){
		func() (*Lib, error) { return Python(ctx) },
		func() (*Lib, error) { return System(ctx, s.Prefix) },
		func() (*Lib, error) { return Installed(s.Cache) },
	}
	for _, find := range finders {
		l, err := checkAge(find())
		if err == nil {
			return l
		}
		if !errors.Is(err, ErrNone) {
			s.Log("not usable: %v", err)
		}
	}
	return nil
}

func checkAge(l *Lib, err error) (*Lib, error) {
	if err == nil && !l.AtLeast(oldestMajor, oldestMinor) {
		return nil, fmt.Errorf("%s: libtorch %s is older than %d.%d", l.Dir, l.Version, oldestMajor, oldestMinor)
	}
	return l, err
}

// Installed returns the newest libtorch that set-up has put below cache.
func Installed(cache string) (*Lib, error) {
	var found []*Lib
	for _, pattern := range []string{"pip-*/torch", "archive-*/libtorch"} {
		dirs, err := filepath.Glob(filepath.Join(cache, "libtorch", pattern))
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs {
			if filepath.Ext(filepath.Dir(dir)) == ".part" {
				continue
			}
			if l, err := At(dir, "installed by set-up"); err == nil {
				found = append(found, l)
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: %w", cache, ErrNone)
	}
	return slices.MaxFunc(found, func(a, b *Lib) int {
		return boolInt(a.newer(b)) - boolInt(b.newer(a))
	}), nil
}

func (l *Lib) newer(m *Lib) bool {
	var a, b [3]int
	fmt.Sscanf(l.Version, "%d.%d.%d", &a[0], &a[1], &a[2])
	fmt.Sscanf(m.Version, "%d.%d.%d", &b[0], &b[1], &b[2])
	return slices.Compare(a[:], b[:]) > 0
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// install tries one way after another and returns every reason if none works.
func (s *Search) install(ctx context.Context) (*Lib, error) {
	s.Log("no libtorch on this machine")
	ways := []struct {
		name string
		try  func() (*Lib, error)
	}{
		{"Debian's package", func() (*Lib, error) { return s.byApt(ctx) }},
		{"the official archive", func() (*Lib, error) { return s.byArchive(ctx) }},
		{"torch " + DefaultPip + " of PyPI", func() (*Lib, error) { return Pip(ctx, DefaultPip, s.Cache, s.DryRun, s.Log) }},
	}
	var reasons []error
	for i, way := range ways {
		l, err := way.try()
		if err == nil {
			return l, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		next := ""
		if i+1 < len(ways) {
			next = "; trying " + ways[i+1].name + " instead"
		}
		s.Log("%s: %v%s", way.name, err, next)
		reasons = append(reasons, err)
	}
	return nil, fmt.Errorf("%w, and none could be installed: %w", ErrNone, errors.Join(reasons...))
}

func (s *Search) byApt(ctx context.Context) (*Lib, error) {
	if v := aptVersion(ctx, Packages[0]); v != "" {
		if _, err := checkAge(&Lib{Version: v, Dir: "apt"}, nil); err != nil {
			return nil, err
		}
	}
	if err := Apt(ctx, Packages, s.DryRun, s.Log); err != nil || s.DryRun {
		return nil, err
	}
	return System(ctx, s.Prefix)
}

func (s *Search) byArchive(ctx context.Context) (*Lib, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return nil, fmt.Errorf("no official archive is known for %s/%s (name one by --url)", runtime.GOOS, runtime.GOARCH)
	}
	a := s.Archive
	a.URL = DefaultURL
	if s.DryRun {
		s.Log("would download %s", a.URL)
		return nil, nil
	}
	return a.Install(ctx)
}

// DefaultCache is the folder of everything that set-up makes for this user.
func DefaultCache() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "ponder"), err
}
