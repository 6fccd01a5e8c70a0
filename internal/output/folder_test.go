package output

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A shelf is a kind for the tests: marked by a file "shelf", with books.
func shelf() Kind {
	return Kind{
		Name: "shelf",
		Is: func(folder fs.FS) bool {
			_, err := fs.Stat(folder, "shelf")
			return err == nil
		},
		Has: func(name string) bool { return name == "shelf" || strings.HasPrefix(name, "books/") },
	}
}

// plant makes files, by their paths; a path that ends in / is a folder, and a content that begins with
// -> makes a link.
func plant(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o777)
		if to, link := strings.CutPrefix(text, "->"); err == nil && link {
			err = os.Symlink(to, path)
		} else if err == nil && strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o777)
		} else if err == nil {
			err = os.WriteFile(path, []byte(text), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// tree is what plant would make of dir.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		name = filepath.ToSlash(name)
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			files[name] = "->" + to
			return err
		case d.IsDir():
			if entries, err := os.ReadDir(path); err != nil || len(entries) > 0 {
				return err
			}
			files[name+"/"] = ""
			return nil
		}
		b, err := os.ReadFile(path)
		files[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestMake(t *testing.T) {
	// What is made holds shelf = "new" and books/b = "b".
	made := func(dir string, more ...string) map[string]string {
		files := map[string]string{dir + "/shelf": "new", dir + "/books/b": "b"}
		for i := 0; i < len(more); i += 2 {
			files[more[i]] = more[i+1]
		}
		return files
	}
	tests := []struct {
		name  string
		files map[string]string
		dir   string
		old   Old
		want  map[string]string // nil: refused, and all is as it was
		says  string
	}{
		{"absent", nil, "out", Refuse, made("out"), ""},
		{"absent, folders above too", nil, "a/b/out", Discard, made("a/b/out"), ""},
		{"a name that ends in a slash", nil, "out/", Keep, made("out"), ""},
		{"empty", map[string]string{"out/": ""}, "out", Refuse, made("out"), ""},
		{"empty, to be kept", map[string]string{"out/": ""}, "out", Keep, made("out"), ""},
		{"a link to an empty folder", map[string]string{"far/": "", "out": "->far"}, "out", Discard, made("far", "out", "->far"), ""},
		{"a link to nothing", map[string]string{"far/": "", "out": "->far/new"}, "out", Refuse, made("far/new", "out", "->far/new"), ""},
		{"a link to one of its own", map[string]string{"far/shelf": "old", "out": "->far"}, "out", Discard, made("far", "out", "->far"), ""},
		{
			"a link to one to be kept",
			map[string]string{"far/shelf": "old", "out": "->far"},
			"out", Keep,
			made("far", "out", "->far", "far.previous/shelf", "old"), "",
		},
		{"its own", map[string]string{"out/shelf": "old", "out/books/a": "a"}, "out", Discard, made("out"), ""},
		{"its own, not to be replaced", map[string]string{"out/shelf": "old"}, "out", Refuse, nil, "it is a shelf"},
		{
			"its own, kept",
			map[string]string{"out/shelf": "old", "out/notes": "mine"},
			"out", Keep,
			made("out", "out.previous/shelf", "old", "out.previous/notes", "mine"), "",
		},
		{
			"kept for the second time",
			map[string]string{"out/shelf": "old", "out.previous/shelf": "older"},
			"out", Keep,
			made("out", "out.previous/shelf", "old"), "",
		},
		{"somebody's", map[string]string{"out/thesis": "t"}, "out", Discard, nil, `holds "thesis"`},
		{"somebody's, to be kept", map[string]string{"out/thesis": "t"}, "out", Keep, nil, `holds "thesis"`},
		{"somebody's hidden file", map[string]string{"out/.git/config": "t"}, "out", Keep, nil, `holds ".git"`},
		{"a link to somebody's", map[string]string{"far/thesis": "t", "out": "->far"}, "out", Discard, nil, `holds "thesis"`},
		{"its own with somebody's in it", map[string]string{"out/shelf": "old", "out/thesis": "t"}, "out", Discard, nil, `holds "thesis"`},
		{"its own with a link in it", map[string]string{"out/shelf": "old", "out/books/a": "->../../far", "far": "f"}, "out", Discard, nil, `holds "books/a"`},
		{"somebody's copy", map[string]string{"out/shelf": "old", "out.previous/thesis": "t"}, "out", Keep, nil, "no shelf"},
		{"a copy with somebody's in it", map[string]string{"out/shelf": "old", "out.previous/shelf": "older", "out.previous/thesis": "t"}, "out", Keep, nil, `holds "thesis"`},
		{"a copy that is a file", map[string]string{"out/shelf": "old", "out.previous": "t"}, "out", Keep, nil, "no shelf"},
		{"a copy that is a link", map[string]string{"out/shelf": "old", "out.previous": "->far", "far/shelf": "older"}, "out", Keep, nil, "no shelf"},
		{"somebody's copy of nothing", map[string]string{"out.previous/thesis": "t"}, "out", Keep, made("out", "out.previous/thesis", "t"), ""},
		{"a file", map[string]string{"out": "t"}, "out", Discard, nil, "no folder"},
		{"below a file", map[string]string{"a": "t"}, "a/out", Discard, nil, "not a directory"},
		{"a loop", map[string]string{"out": "->out"}, "out", Discard, nil, "links"},
		{"left by a kill", map[string]string{".out.tmp-1/books/a": "a", ".out.tmp-2.old/shelf": "old"}, "out", Keep, made("out"), ""},
		{
			"of such a name, but somebody's",
			map[string]string{".out.tmp-1/thesis": "t", ".out.tmp-2": "t"},
			"out", Keep,
			made("out", ".out.tmp-1/thesis", "t", ".out.tmp-2", "t"), "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			plant(t, dir, tt.files)
			before := tree(t, dir)
			f, err := shelf().Make(filepath.Join(dir, tt.dir), tt.old)
			if tt.want == nil {
				if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %v, want one line with %q", err, tt.says)
				}
				if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
					t.Errorf("it was changed:\n%s", diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			plant(t, f.Tmp, map[string]string{"shelf": "new", "books/b": "b"})
			if err := f.Commit(); err != nil {
				t.Fatal(err)
			}
			f.Abort()
			if diff := cmp.Diff(tt.want, tree(t, dir)); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMeanwhile: what somebody puts into the place while a folder is made is not lost.
func TestMeanwhile(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"absent": nil, "empty": {"out/": ""}, "its own": {"out/shelf": "old"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			plant(t, dir, files)
			f, err := shelf().Make(filepath.Join(dir, "out"), Discard)
			if err != nil {
				t.Fatal(err)
			}
			plant(t, f.Tmp, map[string]string{"shelf": "new"})
			plant(t, dir, map[string]string{"out/thesis": "t"})
			if err := f.Commit(); err == nil {
				t.Error("committed over somebody's file")
			}
			f.Abort()
			want := map[string]string{"out/thesis": "t"}
			if name == "its own" {
				want["out/shelf"] = "old"
			}
			if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStand fills the folder that one stands in, rather than replacing it.
func TestStand(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	before, err := os.Stat(".")
	if err != nil {
		t.Fatal(err)
	}
	f, err := shelf().Make(".", Refuse)
	if err != nil {
		t.Fatal(err)
	}
	plant(t, f.Tmp, map[string]string{"shelf": "new"})
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(dir)
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the folder is another one: %v", err)
	}
	if diff := cmp.Diff(map[string]string{"shelf": "new"}, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, map[string]string{".s-1/shelf": "", ".s-2/books/a": "", ".s-3/thesis": "t", ".s-4": "t", "s-5/shelf": "", ".s-6": "->s-5"})
	if err := shelf().Sweep(dir, ".s-"); err != nil {
		t.Fatal(err)
	}
	var left []string
	for name := range tree(t, dir) {
		left = append(left, name)
	}
	slices.Sort(left)
	if want := []string{".s-3/thesis", ".s-4", ".s-6", "s-5/shelf"}; !slices.Equal(left, want) {
		t.Errorf("left %q, want %q", left, want)
	}
}
