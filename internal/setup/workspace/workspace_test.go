package workspace

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const gotch = "github.com/sugarme/gotch"

// module makes a module in a folder of its own, makes it the current one, and returns it.
func module(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "go.mod"), "module example.com/m\n\ngo 1.25.0\n")
	t.Chdir(dir)
	t.Setenv("GOWORK", "")
	t.Setenv("GOFLAGS", "")
	return dir
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func replace(t *testing.T, dir, file string) *Result {
	t.Helper()
	res, err := Replace(context.Background(), gotch, "v0.9.1", dir, file)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestReplaceWritesGoWork(t *testing.T) {
	dir := module(t)
	res := replace(t, "/one", "")
	if want := filepath.Join(dir, "go.work"); res.File != want {
		t.Errorf("file %s, want %s", res.File, want)
	}
	const want = "go 1.25.0\n\nuse .\n\nreplace github.com/sugarme/gotch v0.9.1 => /one\n"
	if got := read(t, res.File); got != want {
		t.Errorf("go.work is %q, want %q", got, want)
	}
	// A second time, from a folder below, it changes the same file, though the first folder is gone.
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(sub)
	res = replace(t, "/two", "")
	if got := read(t, res.File); got != strings.Replace(want, "/one", "/two", 1) {
		t.Errorf("go.work is %q", got)
	}
}

func TestReplaceKeepsOthers(t *testing.T) {
	dir := module(t)
	put(t, filepath.Join(dir, "go.work"), "go 1.25.0\n\nuse .\n\nreplace example.com/x => ../x\n")
	replace(t, "/one", "")
	got := read(t, filepath.Join(dir, "go.work"))
	if !strings.Contains(got, "example.com/x => ../x") || !strings.Contains(got, "gotch v0.9.1 => /one") {
		t.Errorf("go.work is %q", got)
	}
}

func TestReplaceAddsModule(t *testing.T) {
	dir := module(t)
	put(t, filepath.Join(dir, "go.work"), "go 1.25.0\n")
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(sub, "go.mod"), "module example.com/sub\n\ngo 1.25.0\n")
	t.Chdir(sub)
	replace(t, "/one", "")
	if got := read(t, filepath.Join(dir, "go.work")); !strings.Contains(got, "use ./sub\n") {
		t.Errorf("go.work is %q", got)
	}
}

func TestReplaceElsewhere(t *testing.T) {
	dir := module(t)
	replace(t, "/one", "bin/torch.work")
	got := read(t, filepath.Join(dir, "bin/torch.work"))
	if !strings.Contains(got, "use ..\n") || !strings.Contains(got, "=> /one") {
		t.Errorf("torch.work is %q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
		t.Error("go.work was written too")
	}
}

// TestReplaceKeepsFiles: what is at the name is changed if it is a go.work, and else left as it is.
func TestReplaceKeepsFiles(t *testing.T) {
	dir := module(t)
	notes := filepath.Join(dir, "notes.txt")
	put(t, notes, "thesis: chapter one\n")
	if res, err := Replace(context.Background(), gotch, "v0.9.1", "/one", notes); err == nil {
		t.Errorf("notes.txt was taken for a go.work: %+v", res)
	}
	if got := read(t, notes); got != "thesis: chapter one\n" {
		t.Errorf("notes.txt is %q", got)
	}
	work := filepath.Join(dir, "go.work")
	put(t, work, "go 1.25.0\n\nuse .\n\nreplace example.com/x => ../x\n")
	t.Setenv("GOWORK", "off")
	replace(t, "/one", "")
	if got := read(t, work); !strings.Contains(got, "example.com/x => ../x") || !strings.Contains(got, "gotch v0.9.1 => /one") {
		t.Errorf("with GOWORK=off go.work is %q", got)
	}
	link := filepath.Join(dir, "link.work")
	if err := os.Symlink("far.work", link); err != nil {
		t.Skip(err)
	}
	replace(t, "/one", link)
	if got := read(t, filepath.Join(dir, "far.work")); !strings.Contains(got, "gotch v0.9.1 => /one") {
		t.Errorf("the link leads to %q", got)
	}
}

func TestReplaceInGoMod(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip(err)
	}
	dir := module(t)
	work := "go 1.25.0\n\nuse .\n"
	put(t, filepath.Join(dir, "go.work"), work)
	for _, args := range [][]string{{"init", "-q"}, {"add", "go.work"}} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Skipf("git %s: %s", args[0], out)
		}
	}
	res := replace(t, "/one", "")
	if want := filepath.Join(dir, "go.mod"); res.File != want {
		t.Errorf("file %s, want %s", res.File, want)
	}
	if got := read(t, filepath.Join(dir, "go.work")); got != work {
		t.Errorf("the go.work in git was changed: %q", got)
	}
	if got := read(t, res.File); !strings.Contains(got, "gotch v0.9.1 => /one") {
		t.Errorf("go.mod is %q", got)
	}
}

func TestReplaceOutsideOfModule(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GOWORK", "")
	if _, err := Replace(context.Background(), gotch, "v0.9.1", "/one", ""); !errors.Is(err, ErrNoModule) {
		t.Errorf("error %v, want %v", err, ErrNoModule)
	}
}

// TestRefused: -mod=mod, which a workspace does not take, is told apart from the other flags, and keeps nothing from being
// written.
func TestRefused(t *testing.T) {
	dir := module(t)
	ctx := context.Background()
	for flags, want := range map[string]string{"": "", "-buildvcs=false -mod=readonly": "", "-mod=mod": "-mod=mod", "-buildvcs=false -mod=mod": "-mod=mod"} {
		t.Setenv("GOFLAGS", flags)
		flag, rest, err := Refused(ctx)
		if err != nil || flag != want || strings.Contains(strings.Join(rest, " "), "-mod=mod") {
			t.Errorf("GOFLAGS=%s: %q, %q, %v, want %q", flags, flag, rest, err, want)
		}
	}
	t.Setenv("GOFLAGS", "-mod=mod")
	replace(t, "/one", "")
	replace(t, "/two", "") // in a workspace now
	if got := read(t, filepath.Join(dir, "go.work")); !strings.Contains(got, "=> /two\n") {
		t.Errorf("go.work is %s", got)
	}
	if Vendored(ctx) {
		t.Error("vendored without a vendor folder")
	}
	if err := os.Mkdir(filepath.Join(dir, "vendor"), 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "vendor", "modules.txt"), "")
	if !Vendored(ctx) {
		t.Error("not vendored with a vendor folder")
	}
}
