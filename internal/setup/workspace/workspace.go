// Package workspace makes the Go command use the prepared gotch: by a replace in go.work, or in
// go.mod where go.work is not ours to change.
package workspace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ponder-agents/ponder/internal/output"
)

// ErrNoModule is returned outside of a Go module.
var ErrNoModule = errors.New("not in a Go module: run it in a folder with a go.mod (go mod init NAME makes one)")

// A Result says what was done.
type Result struct {
	File string // the go.work or go.mod that has the replace
	Did  string // in words
}

// Replace makes the main module of the current folder use dir for module@version. With file, that
// file is the go.work that is written, or changed, and it is used where $GOWORK names it.
func Replace(ctx context.Context, module, version, dir, file string) (*Result, error) {
	var env struct{ GOMOD, GOWORK string }
	out, err := run(ctx, nil, "env", "-json", "GOMOD", "GOWORK")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out, &env); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	if env.GOMOD == "" || env.GOMOD == os.DevNull {
		return nil, ErrNoModule
	}
	root := filepath.Dir(env.GOMOD)
	replace := "-replace=" + module + "@" + version + "=" + dir

	if file != "" {
		if file, err = filepath.Abs(file); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return nil, err
		}
		return write(ctx, file, root, replace)
	}
	work := env.GOWORK
	if work == "" || work == "off" {
		work = filepath.Join(root, "go.work")
	}
	if tracked(ctx, work) {
		if _, err := run(ctx, nil, "mod", "edit", replace, env.GOMOD); err != nil {
			return nil, err
		}
		return &Result{env.GOMOD, "added a replace, since " + work + " is kept in git"}, nil
	}
	res, err := write(ctx, work, root, replace)
	if err == nil && env.GOWORK == "off" {
		res.Did += "; it has no effect while GOWORK=off is set"
	}
	return res, err
}

// write sets the replace in a go.work and leaves what else is in it; where there is none, or what is no
// regular file, it writes one of one module.
func write(ctx context.Context, file, root, replace string) (*Result, error) {
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return create(ctx, file, root, replace)
	}
	edits := []string{"work", "edit", replace}
	used, err := uses(ctx, file, root)
	if err != nil {
		return nil, fmt.Errorf("%s is there and cannot be changed as a go.work: %w", file, err)
	}
	if !used {
		edits = append(edits, "-use="+relative(file, root))
	}
	if _, err := run(ctx, nil, append(edits, file)...); err != nil {
		return nil, err
	}
	return &Result{file, "set the replace"}, nil
}

// uses reports whether the go.work has the module in root.
func uses(ctx context.Context, file, root string) (bool, error) {
	out, err := run(ctx, nil, "work", "edit", "-json", file)
	if err != nil {
		return false, err
	}
	var work struct{ Use []struct{ DiskPath string } }
	if err := json.Unmarshal(out, &work); err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	for _, u := range work.Use {
		path := filepath.FromSlash(u.DiskPath)
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(file), path)
		}
		if filepath.Clean(path) == root {
			return true, nil
		}
	}
	return false, nil
}

// relative is root as a go.work names it.
func relative(file, root string) string {
	path, err := filepath.Rel(filepath.Dir(file), root)
	switch {
	case err != nil:
		return filepath.ToSlash(root)
	case !strings.HasPrefix(path, "."):
		path = "./" + path
	}
	return filepath.ToSlash(path)
}

// create writes a go.work of one module.
func create(ctx context.Context, file, root, replace string) (*Result, error) {
	out, err := run(ctx, nil, "mod", "edit", "-json", filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	var mod struct{ Go string }
	if err := json.Unmarshal(out, &mod); err != nil {
		return nil, fmt.Errorf("go.mod: %w", err)
	}
	tmp, err := os.CreateTemp("", "ponder-go.work-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	_, err = fmt.Fprintf(tmp, "go %s\n", mod.Go)
	if err := errors.Join(err, tmp.Close()); err != nil {
		return nil, err
	}
	if _, err := run(ctx, nil, "work", "edit", "-use="+relative(file, root), replace, tmp.Name()); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(tmp.Name())
	if err != nil {
		return nil, err
	}
	err = output.WriteFile(file, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return nil, err
	}
	did := "written"
	if !ignored(ctx, file) {
		did += "; keep it out of git, it names folders of this machine"
	}
	return &Result{file, did}, nil
}

// tracked reports whether git keeps the file.
func tracked(ctx context.Context, file string) bool {
	return git(ctx, file, "ls-files", "--error-unmatch", "--", file)
}

// ignored reports whether git leaves the file alone, also for want of a repository.
func ignored(ctx context.Context, file string) bool {
	return !git(ctx, file, "rev-parse", "--git-dir") || git(ctx, file, "check-ignore", "-q", "--", file)
}

func git(ctx context.Context, file string, args ...string) bool {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = filepath.Dir(file)
	return cmd.Run() == nil
}

// Current returns the folder that the main module uses for module@version, "" for the module cache.
func Current(ctx context.Context, module string) (string, error) {
	out, err := run(ctx, nil, "list", "-m", "-f", "{{if .Replace}}{{.Replace.Path}}{{end}}", module)
	return strings.TrimSpace(string(out)), err
}

// Vendored reports whether the main module has a vendor folder.
func Vendored(ctx context.Context) bool {
	out, err := run(ctx, nil, "env", "GOMOD")
	if err != nil {
		return false
	}
	info, err := os.Stat(filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), "vendor", "modules.txt"))
	return err == nil && info.Mode().IsRegular()
}

// ModuleDir downloads module@version, checked by go.sum or the checksum database, and returns its
// folder.
func ModuleDir(ctx context.Context, module, version string) (string, error) {
	out, err := run(ctx, []string{"GOWORK=off"}, "mod", "download", "-json", module+"@"+version)
	var m struct{ Dir, Error string }
	if jerr := json.Unmarshal(out, &m); jerr == nil && m.Error != "" {
		return "", errors.New(m.Error)
	}
	if err != nil {
		return "", err
	}
	return m.Dir, nil
}

// Refused is what GOFLAGS, as the go command has it, says and a workspace does not take: -mod=mod. It is "" if all
// is well; rest are the others.
func Refused(ctx context.Context) (flag string, rest []string, err error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOFLAGS").Output()
	if err != nil {
		return "", nil, fmt.Errorf("go env: %w", err)
	}
	for _, f := range strings.Fields(string(out)) {
		if f == "-mod=mod" || f == "--mod=mod" {
			flag = f
		} else {
			rest = append(rest, f)
		}
	}
	return flag, rest, nil
}

// run runs the go command, without what Refused tells, and returns its output, its messages in the error.
func run(ctx context.Context, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), env...)
	if flag, rest, err := Refused(ctx); err == nil && flag != "" {
		cmd.Env = append(cmd.Env, "GOFLAGS="+strings.Join(rest, " "))
	}
	var messages bytes.Buffer
	cmd.Stderr = &messages
	out, err := cmd.Output()
	if err != nil {
		if m := strings.TrimSpace(messages.String()); m != "" {
			err = errors.New(m)
		}
		return out, fmt.Errorf("go %s: %w", args[0], err)
	}
	return out, nil
}
