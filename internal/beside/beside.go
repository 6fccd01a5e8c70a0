// Package beside finds and reads, for tests, the material that lies beside a developer's checkout and not in it.
package beside

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Shared is a file or folder in the folder shared beside the checkout. The test is skipped where there is none.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	root, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(root)
		if up == root {
			t.Fatal("no go.mod above the test's folder")
		}
		root = up
	}
	path := filepath.Join(append([]string{root, "..", "shared"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("not beside the checkout: shared/%s", strings.Join(elem, "/"))
	}
	return path
}

// Files are the contents of all files below dir, by path with slashes: to compare what was written with what was
// recorded.
func Files(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
