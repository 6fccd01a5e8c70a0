package output

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	put := func(text string, fail error) error {
		return WriteFile(path, func(w io.Writer) error {
			io.WriteString(w, text)
			return fail
		})
	}
	if err := put("one", nil); err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	if err := put("two", full); !errors.Is(err, full) {
		t.Errorf("error = %v, want %v", err, full)
	}
	if got, err := os.ReadFile(path); string(got) != "one" {
		t.Errorf("after a failure the file holds %q (%v), want the old content", got, err)
	}
	if err := put("three", nil); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); string(got) != "three" {
		t.Errorf("the file holds %q (%v), want %q", got, err, "three")
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("%d files left in the folder, want 1: %v", len(names), names)
	}
}

func TestCreateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	put := func(text string) error {
		return CreateFile(path, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
	}
	if err := put("one"); err != nil {
		t.Fatal(err)
	}
	if err := put("two"); !errors.Is(err, os.ErrExist) {
		t.Errorf("error = %v, want os.ErrExist", err)
	}
	if got, err := os.ReadFile(path); string(got) != "one" {
		t.Errorf("the file holds %q (%v), want %q", got, err, "one")
	}
}

func TestWriteFileNoFolder(t *testing.T) {
	err := WriteFile(filepath.Join(t.TempDir(), "no", "a"), func(io.Writer) error { return nil })
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error = %v, want os.ErrNotExist", err)
	}
}
