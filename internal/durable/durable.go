package durable

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// WriteFile makes the content of path what write puts into w. Until it returns nil, path is what it
// was before; on an error the temporary file is removed.
func WriteFile(path string, write func(w io.Writer) error) (err error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, "."+base+".tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err := fill(f, write); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return SyncDir(dir)
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
	if err := f.Chmod(0o644); err != nil && runtime.GOOS != "windows" {
		return err
	}
	return f.Sync()
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
