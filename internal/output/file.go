package output

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// maxLinks is how many links are followed, as by Linux.
const maxLinks = 40

// A target is what a path names once its links are followed.
type target struct {
	path   string
	info   fs.FileInfo // nil where there is nothing yet
	direct *os.File    // stdout or stderr, written as they are: they may be in the middle of a file
	magic  bool        // path is a link of /proc, whose file may have no name
}

// regular reports whether a new file may take the target's place.
func (t target) regular() bool {
	return t.direct == nil && !t.magic && (t.info == nil || t.info.Mode().IsRegular())
}

// The names that Unix systems have for what is open already. /dev/stdout is a link to one.
var (
	stdoutNames = []string{"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}
	stderrNames = []string{"/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"}
)

// find follows path and refuses what cannot be written.
func find(path string) (target, error) {
	fail := func(format string, args ...any) (target, error) {
		return target{}, fmt.Errorf("%s: "+format, append([]any{path}, args...)...)
	}
	at := path
	for range maxLinks {
		switch {
		case slices.Contains(stdoutNames, at):
			return target{path: at, direct: os.Stdout}, nil
		case slices.Contains(stderrNames, at):
			return target{path: at, direct: os.Stderr}, nil
		}
		dir, base := filepath.Split(at) // not cleaned: a/../b is not b where a is a link
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if base == "" {
				return fail("the name of a folder; name a file")
			}
			if _, err := os.Stat(orHere(dir)); err != nil {
				return fail("its folder: %w", err)
			}
			return target{path: at}, nil
		case err != nil:
			return fail("%w", err)
		case info.Mode()&fs.ModeSymlink == 0:
			return writable(path, target{path: at, info: info})
		}
		to, err := os.Readlink(at)
		if err != nil {
			return fail("%w", err)
		}
		if !filepath.IsAbs(to) {
			to = dir + to
		}
		if open, err := os.Stat(at); err == nil {
			if named, err := os.Stat(to); err != nil || !os.SameFile(open, named) {
				return writable(path, target{path: at, info: open, magic: true})
			}
		}
		at = to
	}
	return fail("more than %d links", maxLinks)
}

// writable asks of an existing target that it can be written; path is its name in messages.
func writable(path string, t target) (target, error) {
	switch mode := t.info.Mode(); {
	case mode.IsDir():
		return target{}, fmt.Errorf("%s: a folder; name a file", path)
	case mode&fs.ModeDevice != 0 && mode&fs.ModeCharDevice == 0:
		return target{}, fmt.Errorf("%s: a disk; name a file", path)
	case mode.IsRegular():
		// Renaming asks the folder alone, but a file that is protected is meant to stay.
		f, err := os.OpenFile(t.path, os.O_WRONLY, 0)
		if err != nil {
			return target{}, fmt.Errorf("%s: %w", path, err)
		}
		f.Close()
	}
	return t, nil
}

// orHere is dir, or "." for the empty folder of a bare name.
func orHere(dir string) string {
	if dir == "" {
		return "."
	}
	return dir
}

// CheckFile reports why path could not be written as a file, before what is to be in it is worked out.
func CheckFile(path string) error {
	_, err := find(path)
	return err
}

// WriteFile makes the content of path what write puts into w. Until it returns nil, a regular file is
// what it was before; on an error the temporary file is removed.
func WriteFile(path string, write func(w io.Writer) error) error {
	t, err := find(path)
	if err != nil {
		return err
	}
	if !t.regular() {
		err = t.stream(write)
	} else {
		err = t.replace(".tmp-*", func(f *os.File) error { return fill(f, write) })
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// WriteNamed is WriteFile for a program that wants the name of a file to write: name has the ending of
// path, and is empty at first.
func WriteNamed(path string, write func(name string) error) error {
	t, err := find(path)
	if err != nil {
		return err
	}
	ext := filepath.Ext(path)
	if t.regular() {
		err = t.replace(".tmp-*"+ext, func(f *os.File) error {
			return errors.Join(f.Close(), write(f.Name()), syncFile(f.Name()))
		})
	} else {
		err = t.stream(func(w io.Writer) error { return through(w, ext, write) })
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// through copies to w what write makes of a temporary file.
func through(w io.Writer, ext string, write func(name string) error) error {
	tmp, err := os.CreateTemp("", "ponder-*"+ext)
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(tmp.Close(), write(tmp.Name())); err != nil {
		return err
	}
	f, err := os.Open(tmp.Name())
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// A Growing file is written as things come, and keeps them where a process is killed.
type Growing struct {
	io.Writer
	target target
	file   *os.File // nil for what is not ours to close
	beside bool     // file has a temporary name, since there was one already
}

// Create begins a file. A new one grows in place. One that is there stays what it is until Close: what is
// written grows beside it, as NAME.part before the ending, or in place where its folder cannot be written.
func Create(path string) (*Growing, error) {
	t, err := find(path)
	if err != nil {
		return nil, err
	}
	g := &Growing{target: t}
	if t.regular() && t.info != nil && t.info.Size() > 0 {
		ext := filepath.Ext(t.path)
		g.file, err = os.CreateTemp(orHere(filepath.Dir(t.path)), filepath.Base(strings.TrimSuffix(t.path, ext))+".part-*"+ext)
		if g.beside = err == nil; g.beside {
			g.Writer = g.file
			return g, nil
		}
		if !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
	}
	f, err := t.open()
	if err != nil {
		return nil, err
	}
	g.Writer = f
	g.file, _ = f.(*os.File)
	return g, nil
}

// Close ends the file: it takes the place of the one that was there.
func (g *Growing) Close() error {
	if g.file == nil {
		return nil
	}
	if !g.beside {
		return g.file.Close()
	}
	if err := errors.Join(g.file.Sync(), g.file.Close()); err != nil {
		return errors.Join(err, os.Remove(g.file.Name()))
	}
	return g.target.takePlace(g.file.Name())
}

// Abort ends it and leaves the file that was there; what grew in place stays.
func (g *Growing) Abort() error {
	if g.file == nil {
		return nil
	}
	err := g.file.Close()
	if g.beside {
		err = errors.Join(err, os.Remove(g.file.Name()))
	}
	return err
}

// takePlace puts the file of that name, whole and synced, in place of the target.
func (t target) takePlace(name string) error {
	mode := fs.FileMode(0o644)
	if t.info != nil {
		mode = t.info.Mode().Perm()
	}
	if err := os.Chmod(name, mode); err != nil && runtime.GOOS != "windows" {
		return err
	}
	if err := os.Rename(name, t.path); err != nil {
		return err
	}
	return SyncDir(orHere(filepath.Dir(t.path)))
}

// open opens the target in place.
func (t target) open() (io.WriteCloser, error) {
	if t.direct != nil {
		return standing{t.direct}, nil
	}
	flags := os.O_WRONLY
	if t.info == nil || t.info.Mode().IsRegular() {
		flags |= os.O_CREATE | os.O_TRUNC
	}
	return os.OpenFile(t.path, flags, 0o666)
}

// A standing file is not ours to close.
type standing struct{ io.Writer }

func (standing) Close() error { return nil }

// stream writes the target in place.
func (t target) stream(write func(w io.Writer) error) error {
	f, err := t.open()
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, 1<<16)
	if err = write(b); err == nil {
		err = b.Flush()
	}
	return errors.Join(err, f.Close())
}

// replace puts a file that write fills, syncs and closes in place of the target. The temporary name ends
// by the pattern end.
func (t target) replace(end string, write func(f *os.File) error) error {
	dir, base := filepath.Split(t.path)
	dir = orHere(dir)
	f, err := os.CreateTemp(dir, "."+base[:min(len(base), 200)]+end)
	if errors.Is(err, fs.ErrPermission) && t.info != nil {
		// The folder is protected, the file is not: it is written in place.
		if f, err = os.OpenFile(t.path, os.O_WRONLY|os.O_TRUNC, 0); err != nil {
			return err
		}
		defer f.Close() // once more, unless write failed
		return write(f)
	}
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is none
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return t.takePlace(f.Name())
}

// CreateFile writes and syncs a new file. A kill leaves a part of it: it is for the files of a folder
// that gets its name when it is whole, and is synced by SyncDir.
func CreateFile(path string, write func(w io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	return fill(f, write)
}

// fill writes, syncs and closes f.
func fill(f *os.File, write func(w io.Writer) error) (err error) {
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	b := bufio.NewWriterSize(f, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return f.Sync()
}

func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// SyncDir makes the names in dir durable: renames and new files survive a power cut after it
// returns. Systems whose folders cannot be synced (Windows) are left to their own care.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
