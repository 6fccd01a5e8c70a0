package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Kind is a kind of folder that ponder writes. The package of its format says how to recognise it.
type Kind struct {
	Name string // in messages, such as "dataset"

	// Is reports whether a folder that is not empty is one of the kind, whole or damaged, by what is in it.
	Is func(folder fs.FS) bool

	// Has reports whether folders of the kind have a file of this name, a path with slashes. A folder
	// that has another one besides is moved, but not deleted.
	Has func(name string) bool
}

// A State is what is in the place of a folder.
type State int

const (
	Absent State = iota
	Empty        // a folder without anything in it
	Own          // a folder of the kind
)

// Look says what is at dir, and where dir leads when links are followed. A folder of somebody else's,
// and what is no folder, are errors.
func (k Kind) Look(dir string) (place string, state State, err error) {
	place, err = Follow(dir)
	if err != nil {
		return "", 0, err
	}
	info, err := os.Stat(place)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return place, Absent, nil
	case err != nil:
		return "", 0, fmt.Errorf("%s: %w", dir, err)
	case !info.IsDir():
		return "", 0, fmt.Errorf("%s: no folder; name a new one for the %s", dir, k.Name)
	}
	entries, err := os.ReadDir(place)
	switch {
	case err != nil:
		return "", 0, fmt.Errorf("%s: %w", dir, err)
	case len(entries) == 0:
		return place, Empty, nil
	case k.Is != nil && k.Is(os.DirFS(place)):
		return place, Own, nil
	}
	return "", 0, fmt.Errorf("%s: a folder that is no %s (it holds %q); name another or a new one", dir, k.Name, entries[0].Name())
}

// Follow is the absolute path of what path leads to: through links, also one that leads nowhere yet.
func Follow(path string) (string, error) {
	name := path
	for range maxLinks {
		whole, err := filepath.EvalSymlinks(path)
		if err == nil {
			return filepath.Abs(whole)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		path = strings.TrimRight(path, string(filepath.Separator))
		to, err := os.Readlink(path)
		if err != nil {
			return filepath.Abs(path)
		}
		if !filepath.IsAbs(to) {
			dir, _ := filepath.Split(path)
			to = dir + to
		}
		path = to
	}
	return "", fmt.Errorf("%s: more than %d links", name, maxLinks)
}

// foreign returns the name of something in dir that a folder of the kind does not have, "" if there is
// nothing.
func (k Kind) foreign(dir string) (name string, err error) {
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return nil
		case !d.Type().IsRegular() || !k.Has(path):
			name = path
			return fs.SkipAll
		}
		return nil
	})
	return name, err
}

// Only reports whether dir is a folder that holds nothing but what the kind has.
func (k Kind) Only(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	name, err := k.foreign(dir)
	return err == nil && name == ""
}

// Sweep removes the folders in parent that a process which was killed has left there: their names begin
// with prefix, and they hold nothing but what the kind has.
func (k Kind) Sweep(parent, prefix string) error {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if dir := filepath.Join(parent, e.Name()); strings.HasPrefix(e.Name(), prefix) && k.Only(dir) {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}
	return err
}

// What becomes of a folder of the same kind.
type Old int

const (
	Refuse  Old = iota // it stays, and nothing is made
	Discard            // it is deleted, if it holds nothing else
	Keep               // it becomes NAME.previous, and what that was is deleted, if it holds nothing else
)

// A Folder is being made. Fill Tmp, then Commit; Abort if that does not come.
type Folder struct {
	Tmp string

	kind  Kind
	name  string // as it was given
	place string
	state State
	old   Old
}

// Previous is where Keep puts the folder that was in place.
func Previous(place string) string { return place + ".previous" }

// Check reports why Make would refuse dir, and makes nothing.
func (k Kind) Check(dir string, old Old) error {
	_, err := k.look(dir, old)
	return err
}

func (k Kind) look(dir string, old Old) (*Folder, error) {
	place, state, err := k.Look(dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{kind: k, name: dir, place: place, state: state, old: old}
	return f, f.check()
}

// Make begins a folder that is to be in dir. The folders above it are made where they are missing. With
// Keep, what a process that was killed had begun is removed: only one may make a folder at a time.
func (k Kind) Make(dir string, old Old) (*Folder, error) {
	f, err := k.look(dir, old)
	if err != nil {
		return nil, err
	}
	parent, base := filepath.Dir(f.place), filepath.Base(f.place)
	if f.state == Empty { // it may be a mount, or where somebody stands: it stays, and is filled
		parent, base = f.place, "ponder"
	} else if err := os.MkdirAll(parent, 0o777); err != nil {
		return nil, err
	}
	if old == Keep {
		if err := k.Sweep(parent, temporary(base)); err != nil {
			return nil, err
		}
	}
	if f.Tmp, err = os.MkdirTemp(parent, temporary(base)); err != nil {
		return nil, err
	}
	return f, os.Chmod(f.Tmp, 0o755)
}

// temporary is how the names of temporary folders begin that become base.
func temporary(base string) string { return "." + base + ".tmp-" }

// check refuses an old folder that is not to be replaced, or of which something would be lost.
func (f *Folder) check() error {
	if f.state != Own {
		return nil
	}
	goes := f.place
	switch f.old {
	case Refuse:
		return fmt.Errorf("%s: the folder is not empty, it is a %s", f.name, f.kind.Name)
	case Keep:
		goes = Previous(f.place)
		info, err := os.Lstat(goes)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !info.IsDir() || !f.kind.Is(os.DirFS(goes)) {
			return fmt.Errorf("%s: what is there would become %s, which is no %s: move that away", f.name, goes, f.kind.Name)
		}
	}
	name, err := f.kind.foreign(goes)
	if err == nil && name != "" {
		err = fmt.Errorf("%s holds %q, which is of no %s and would be lost: move it away", goes, name, f.kind.Name)
	}
	return err
}

// Commit puts the folder into place. The one that it replaces, or with Keep its copy, is in place until
// the new one is.
func (f *Folder) Commit() error {
	if err := SyncDir(f.Tmp); err != nil {
		return err
	}
	if f.state == Empty {
		return f.fill()
	}
	parent := filepath.Dir(f.place)
	if f.state == Own {
		if err := f.check(); err != nil { // a long time may have passed
			return err
		}
		gone := f.Tmp + ".old"
		if f.old == Keep {
			if err := os.Rename(Previous(f.place), gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if err := os.Rename(f.place, Previous(f.place)); err != nil {
				os.Rename(gone, Previous(f.place))
				return err
			}
		} else if err := os.Rename(f.place, gone); err != nil {
			return err
		}
		defer os.RemoveAll(gone)
		if err := os.Rename(f.Tmp, f.place); err != nil {
			back := gone
			if f.old == Keep {
				back = Previous(f.place)
			}
			return errors.Join(err, os.Rename(back, f.place))
		}
	} else if err := os.Rename(f.Tmp, f.place); err != nil {
		return err
	}
	f.Tmp = ""
	return SyncDir(parent)
}

// fill moves what was made into the folder that was empty.
func (f *Folder) fill() error {
	there, err := os.ReadDir(f.place)
	if err != nil {
		return err
	}
	if len(there) > 1 {
		return fmt.Errorf("%s: somebody else has written into the folder", f.name)
	}
	made, err := os.ReadDir(f.Tmp)
	if err != nil {
		return err
	}
	for _, e := range made {
		if err := os.Rename(filepath.Join(f.Tmp, e.Name()), filepath.Join(f.place, e.Name())); err != nil {
			return err
		}
	}
	if err := os.Remove(f.Tmp); err != nil {
		return err
	}
	f.Tmp = ""
	return SyncDir(f.place)
}

// Abort removes what was written; after Commit it does nothing.
func (f *Folder) Abort() {
	if f.Tmp != "" {
		os.RemoveAll(f.Tmp)
		f.Tmp = ""
	}
}
