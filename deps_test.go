package ponder_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ponder-agents/ponder/"

// rules are the design's, over what a package imports, be it by way of others. A pattern is a folder of
// this module, with /... one and all below it; "gotch", "ebitengine" and "cgo" are what they say.
var rules = []struct {
	why   string
	of    []string
	but   []string // packages that the rule leaves out
	never []string
}{
	{
		why:   "two thirds of the code build without libtorch, cgo and a display",
		of:    []string{"env/...", "act/...", "agent/...", "viz/...", "models/...", "internal/...", "cmd/setup/...", "torch/safetensors", "torch/pickle", "hrm/arch", "reference/...", "engine"},
		but:   []string{"agent/learn/...", "reference/verify", "viz/window", "internal/cmd/pictures"},
		never: []string{"gotch", "ebitengine", "cgo", "torch"},
	},
	{
		why:   "worlds know nothing of those who act in them",
		of:    []string{"env/..."},
		never: []string{"agent/...", "act/...", "hrm/...", "viz/...", "torch/..."},
	},
	{why: "families don't import each other", of: []string{"env/minigrid/..."}, never: []string{"env/maze/...", "env/sudoku/...", "env/arc/...", "env/puzzle/..."}},
	{why: "families don't import each other", of: []string{"env/maze/..."}, never: []string{"env/minigrid/...", "env/sudoku/...", "env/arc/...", "env/puzzle/..."}},
	{why: "families don't import each other", of: []string{"env/sudoku/..."}, never: []string{"env/minigrid/...", "env/maze/...", "env/arc/...", "env/puzzle/..."}},
	{why: "families don't import each other", of: []string{"env/arc/..."}, never: []string{"env/minigrid/...", "env/maze/...", "env/sudoku/...", "env/puzzle/..."}},
	{
		why:   "puzzles are pairs of tokens, whatever they show",
		of:    []string{"env/puzzle/..."},
		never: []string{"env/minigrid/...", "env/maze/...", "env/sudoku/...", "env/arc/..."},
	},
	{why: "halting is arithmetic", of: []string{"act/..."}, never: []string{"agent/...", "env/...", "hrm/...", "torch/...", "viz/..."}},
	{
		why:   "networks know neither halting nor worlds",
		of:    []string{"hrm/...", "torch/..."},
		never: []string{"act/...", "agent/...", "env/...", "viz/..."},
	},
	{
		why:   "an engine computes what thinking asks of it",
		of:    []string{"engine"},
		never: []string{"agent/learn/...", "torch", "hrm", "viz/...", "gotch", "cgo"},
	},
	{
		why:   "thinking knows networks as a Core, whoever computes them",
		of:    []string{"agent/think/..."},
		never: []string{"engine", "hrm/...", "torch/..."},
	},
	{
		why:   "tasks and thinking know families by what they register",
		of:    []string{"agent/task", "agent/think/...", "agent/session/..."},
		never: []string{"agent/task/mazes", "agent/task/sudokus", "agent/task/arcs", "env/minigrid/...", "env/maze/...", "env/sudoku/...", "env/arc/..."},
	},
	{why: "families of tasks don't import each other", of: []string{"agent/task/mazes"}, never: []string{"agent/task/sudokus", "agent/task/arcs"}},
	{why: "families of tasks don't import each other", of: []string{"agent/task/sudokus"}, never: []string{"agent/task/mazes", "agent/task/arcs"}},
	{why: "families of tasks don't import each other", of: []string{"agent/task/arcs"}, never: []string{"agent/task/mazes", "agent/task/sudokus"}},
	{
		why:   "pictures are made of traces, not of networks, and cmd hands them the art of a family",
		of:    []string{"viz/..."},
		never: []string{"hrm/...", "act/...", "torch/...", "agent/learn/...", "env/minigrid/...", "env/maze/...", "env/sudoku/...", "env/arc/...", "env/puzzle/..."},
	},
}

// gotchUsers are the packages that may import gotch themselves: the fence, and those that name the
// types of tensors.
var gotchUsers = []string{"torch/...", "hrm", "agent/learn/..."}

type pkg struct {
	ImportPath string
	Imports    []string
	CgoFiles   []string
	Standard   bool
}

// names are what patterns are compared with.
func (p *pkg) names() []string {
	switch in, ok := strings.CutPrefix(p.ImportPath, module); {
	case ok && len(p.CgoFiles) > 0:
		return []string{in, "cgo"}
	case ok:
		return []string{in}
	case strings.HasPrefix(p.ImportPath, "github.com/sugarme/gotch"):
		return []string{"gotch"}
	case strings.HasPrefix(p.ImportPath, "github.com/hajimehoshi/ebiten/"):
		return []string{"ebitengine"}
	case !p.Standard && len(p.CgoFiles) > 0:
		return []string{"cgo"}
	}
	return nil
}

func (p *pkg) is(patterns []string) bool {
	return slices.ContainsFunc(p.names(), func(name string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			dir, below := strings.CutSuffix(pattern, "/...")
			return name == dir || below && strings.HasPrefix(name, dir+"/")
		})
	})
}

// load asks the go command for every package of the module and all that they import, as built with cgo.
func load(t *testing.T) map[string]*pkg {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command to ask")
	}
	// The test's result is cached by the files that it looked at, which the go command does for it.
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool, "list", "-deps", "-json=ImportPath,Imports,CgoFiles,Standard", "./...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, complaints.String())
	}
	all := map[string]*pkg{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = &p
	}
}

// chain is the way from p to a package that never names, nil if there is none.
func chain(all map[string]*pkg, p *pkg, never []string, seen map[string]bool) []string {
	for _, path := range p.Imports {
		q := all[path]
		if q == nil || q.Standard || seen[path] {
			continue
		}
		seen[path] = true
		if q.is(never) {
			return []string{path}
		}
		if rest := chain(all, q, never, seen); rest != nil {
			return append([]string{path}, rest...)
		}
	}
	return nil
}

// TestDeps: if it fails, the design is asked, not the table.
func TestDeps(t *testing.T) {
	all := load(t)
	// The graph must show what is there, or the rules would hold of anything.
	for _, never := range []string{"gotch", "cgo", "torch", "act"} {
		if chain(all, all[module+"agent/learn"], []string{never}, map[string]bool{}) == nil {
			t.Errorf("agent/learn seems not to import %s", never)
		}
	}
	for _, rule := range rules {
		covered := 0
		for _, p := range all {
			if !p.is(rule.of) || p.is(rule.but) {
				continue
			}
			covered++
			if way := chain(all, p, rule.never, map[string]bool{}); way != nil {
				t.Errorf("%s imports %s: %s", strings.TrimPrefix(p.ImportPath, module), strings.Join(way, " → "), rule.why)
			}
		}
		if covered == 0 {
			t.Errorf("no package is under the rule for %s", rule.of)
		}
	}
	for _, p := range all {
		for _, q := range p.Imports {
			if strings.HasPrefix(p.ImportPath, module) && all[q] != nil && slices.Contains(all[q].names(), "gotch") && !p.is(gotchUsers) {
				t.Errorf("%s imports %s itself: only %s may", p.ImportPath, q, gotchUsers)
			}
		}
	}
}
