package published_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/env/published"
)

// TestGet downloads an archive and files from a mirror: what is kept lies where it should, is not asked
// for again, and a file that changed is noticed.
func TestGet(t *testing.T) {
	const task = `{"train":[{"input":[[1]],"output":[[2]]}],"test":[]}`
	var archive bytes.Buffer
	z := gzip.NewWriter(&archive)
	w := tar.NewWriter(z)
	for _, name := range []string{"ARC-AGI-2-main/data/training/a.json", "ARC-AGI-2-main/data/a/b/deep.json", "ARC-AGI-2-main/other/c/d.json"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(task)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(task))
	}
	w.Close()
	z.Close()
	const hub = "/datasets/sapientinc/maze-30x30-hard-1k/resolve/main/"
	served := map[string]string{
		"/arcprize/ARC-AGI-2/tar.gz/refs/heads/main": archive.String(),
		hub + "train.csv": "train", hub + "test.csv": "test",
	}
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		if text, ok := served[r.URL.Path]; ok {
			w.Write([]byte(text))
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	dir := t.TempDir()
	get := func(name string) error {
		t.Helper()
		set, err := published.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		return set.Get(t.Context(), filepath.Join(dir, name), published.Options{Mirror: server.URL + "/"})
	}
	for range 2 {
		for _, name := range []string{"arc-agi-2", "maze-30x30-hard-1k"} {
			if err := get(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	var found []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(dir, path); err == nil && !d.IsDir() {
			found = append(found, filepath.ToSlash(rel))
		}
		return err
	})
	want := []string{"arc-agi-2/training/a.json", "arc-agi-2.tar.gz", "checksums.json", "maze-30x30-hard-1k/test.csv", "maze-30x30-hard-1k/train.csv"}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if asked[hub+"train.csv"] != 1 {
		t.Errorf("a file that was there was asked for %d times", asked[hub+"train.csv"])
	}
	os.Remove(filepath.Join(dir, "maze-30x30-hard-1k", "test.csv"))
	served[hub+"test.csv"] = "another"
	if err := get("maze-30x30-hard-1k"); err == nil || !strings.Contains(err.Error(), "of the first download") {
		t.Errorf("a changed file: error %v", err)
	}
	set, err := published.Find("sudoku-extreme")
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Get(t.Context(), filepath.Join(dir, "x"), published.Options{SHA256: []string{"00"}}); err == nil || !strings.Contains(err.Error(), "1 hashes for 2 files") {
		t.Errorf("error %v", err)
	}
	if _, err := published.Find("chess"); err == nil || !strings.Contains(err.Error(), "sudoku-extreme") {
		t.Errorf("error %v, want the names", err)
	}
}
