//go:build unix

package output

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

// say writes text by each of the ways to write a file.
func say(text string) map[string]func(path string) error {
	put := func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
	return map[string]func(path string) error{
		"WriteFile": func(path string) error { return WriteFile(path, put) },
		"WriteNamed": func(path string) error {
			return WriteNamed(path, func(name string) error {
				if filepath.Ext(name) != filepath.Ext(path) {
					return errors.New("the name ends in " + filepath.Ext(name))
				}
				return os.WriteFile(name, []byte(text), 0o666)
			})
		},
		"Create": func(path string) error {
			w, err := Create(path)
			if err != nil {
				return err
			}
			return errors.Join(put(w), w.Close())
		},
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// list is what a folder holds and of what type, "d" and so on before the name.
func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Type().String()[:1]+" "+e.Name())
	}
	return names
}

// TestLinks: a link stays, and what it leads to is written.
func TestLinks(t *testing.T) {
	for way, write := range say("new") {
		t.Run(way, func(t *testing.T) {
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(os.Mkdir(at("far"), 0o777))
			must(os.Mkdir(at("far/deep"), 0o777))
			must(os.WriteFile(at("far/file.x"), []byte("old"), 0o640))
			must(os.Symlink("far/file.x", at("link.x")))
			must(os.Symlink("link.x", at("again.x")))
			must(os.Symlink("far/none.x", at("dangling.x")))
			must(os.Symlink("far/deep", at("folder")))
			must(os.Symlink("folder/../up.x", at("up.x"))) // far/up.x, not up.x
			must(os.Symlink("loop.x", at("loop.x")))
			must(os.Symlink("no/where.x", at("astray.x")))
			before := list(t, dir)
			for link, file := range map[string]string{
				"link.x": "far/file.x", "again.x": "far/file.x", "dangling.x": "far/none.x", "up.x": "far/up.x", "folder/in.x": "far/deep/in.x",
			} {
				if err := write(at(link)); err != nil {
					t.Errorf("%s: %v", link, err)
				}
				if got := read(t, at(file)); got != "new" {
					t.Errorf("%s: %s holds %q", link, file, got)
				}
				must(os.WriteFile(at(file), nil, 0o666))
			}
			for _, bad := range []string{"loop.x", "astray.x", "folder", "far", "new/", ""} {
				if err := write(dir + "/" + bad); err == nil {
					t.Errorf("%q was written", bad)
				}
			}
			if got := list(t, dir); !slices.Equal(got, before) {
				t.Errorf("the folder holds %q, held %q", got, before)
			}
			if info, err := os.Stat(at("far/file.x")); err != nil || info.Mode() != 0o640 {
				t.Errorf("the file's mode became %v (%v)", info.Mode(), err)
			}
		})
	}
}

// TestFIFO: a FIFO stays one and its reader gets the content.
func TestFIFO(t *testing.T) {
	for way, write := range say("through") {
		t.Run(way, func(t *testing.T) {
			dir := t.TempDir()
			fifo, link := filepath.Join(dir, "fifo.x"), filepath.Join(dir, "link.x")
			if err := errors.Join(syscall.Mkfifo(fifo, 0o666), os.Symlink("fifo.x", link)); err != nil {
				t.Skip(err)
			}
			for _, path := range []string{fifo, link} {
				got := make(chan string)
				go func() {
					b, _ := os.ReadFile(fifo)
					got <- string(b)
				}()
				if err := write(path); err != nil {
					t.Error(err)
				}
				if text := <-got; text != "through" {
					t.Errorf("%s: the reader got %q", filepath.Base(path), text)
				}
			}
			if got := list(t, dir); !slices.Equal(got, []string{"p fifo.x", "L link.x"}) {
				t.Errorf("the folder holds %q", got)
			}
		})
	}
}

// TestDevice: devices of our own, the null of Linux and its full, stay devices; a disk is refused.
func TestDevice(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(syscall.Mknod(at("null.x"), syscall.S_IFCHR|0o666, 1<<8|3), syscall.Mknod(at("full.x"), syscall.S_IFCHR|0o666, 1<<8|7),
		syscall.Mknod(at("disk.x"), syscall.S_IFBLK|0o666, 7<<8|200))
	if err != nil {
		t.Skipf("cannot make devices: %v", err)
	}
	if _, err := os.OpenFile(at("null.x"), os.O_WRONLY, 0); err != nil {
		t.Skipf("devices do not work here: %v", err)
	}
	before := list(t, dir)
	for way, write := range say("x") {
		if err := write(at("null.x")); err != nil {
			t.Errorf("%s: null: %v", way, err)
		}
		if err := write(at("full.x")); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: full: error %v, want ENOSPC", way, err)
		}
		if err := write(at("disk.x")); err == nil || errors.Is(err, syscall.ENXIO) {
			t.Errorf("%s: disk: error %v, want it refused before it is opened", way, err)
		}
	}
	if got := list(t, dir); !slices.Equal(got, before) {
		t.Errorf("the folder holds %q, held %q", got, before)
	}
}

// TestDescriptor: a name for what is open already is written, not replaced, though its file has no name.
func TestDescriptor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	name := filepath.Join("/proc/self/fd", strconv.Itoa(int(f.Fd())))
	if _, err := os.Lstat(name); err != nil {
		t.Skip(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for way, write := range say("kept") {
		if err := write(name); err != nil {
			t.Errorf("%s: %v", way, err)
		}
		b := make([]byte, 9)
		if n, _ := f.ReadAt(b, 0); string(b[:n]) != "kept" {
			t.Errorf("%s: the open file holds %q", way, b[:n])
		}
		if err := f.Truncate(0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestProtected: a file that is protected stays, and one in a protected folder is written all the same.
func TestProtected(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	file, locked := filepath.Join(dir, "file"), filepath.Join(dir, "locked")
	if err := errors.Join(os.WriteFile(file, []byte("old"), 0o444), os.Mkdir(locked, 0o777), os.WriteFile(locked+"/file", []byte("old"), 0o666), os.Chmod(locked, 0o555)); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(locked, 0o777)
	for way, write := range say("new") {
		if err := write(file); !errors.Is(err, fs.ErrPermission) || read(t, file) != "old" {
			t.Errorf("%s: a protected file: %v", way, err)
		}
		if err := write(locked + "/file"); err != nil || read(t, locked+"/file") != "new" {
			t.Errorf("%s: a file in a protected folder: %v", way, err)
		}
		if err := write(locked + "/other"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: a new file in a protected folder: %v", way, err)
		}
	}
}
