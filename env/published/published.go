// Package published downloads the sets of puzzles that others have published: those that HRM and TRM were
// trained on. docs/data.md says what is in them; `ponder data get` is a thin face of this.
package published

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/internal/fetch"
	"github.com/ponder-agents/ponder/internal/output"
)

// A Set is files, or an archive whose files keep places in the folder.
type Set struct {
	Name, About, License string
	Files                []string // addresses

	keep func(name string) string // where in the folder a file of the archive goes, "" for nowhere; nil if there is none
}

// Sets are the sets that are known.
func Sets() []Set {
	const hub, code = "https://huggingface.co/datasets/sapientinc/", "https://codeload.github.com/"
	below := func(dir string, depth int) func(string) string { // JSON files so many folders deep below dir
		return func(name string) string {
			rel, ok := strings.CutPrefix(name, dir+"/")
			if !ok || path.Ext(rel) != ".json" || strings.Count(rel, "/") != depth {
				return ""
			}
			return rel
		}
	}
	return []Set{
		{
			"sudoku-extreme", "3.8 million train and 423 thousand test sudokus, rated by backtracks", "see its page",
			[]string{hub + "sudoku-extreme/resolve/main/train.csv", hub + "sudoku-extreme/resolve/main/test.csv"},
			nil,
		},
		{
			"maze-30x30-hard-1k", "1,000 train and 1,000 test mazes with long shortest paths", "see its page",
			[]string{hub + "maze-30x30-hard-1k/resolve/main/train.csv", hub + "maze-30x30-hard-1k/resolve/main/test.csv"},
			nil,
		},
		{
			"arc-agi-1", "400 training and 400 evaluation tasks", "Apache-2.0",
			[]string{code + "fchollet/ARC-AGI/tar.gz/refs/heads/master"},
			below("data", 1),
		},
		{
			"arc-agi-2", "1,000 training and 120 evaluation tasks; some are of ARC-AGI-1", "Apache-2.0",
			[]string{code + "arcprize/ARC-AGI-2/tar.gz/refs/heads/main"},
			below("data", 1),
		},
		{
			"conceptarc", "10 tasks for each of 16 concepts, and some minimal ones", "see its page",
			[]string{code + "victorvikram/ConceptARC/tar.gz/refs/heads/main"},
			below("corpus", 1),
		},
	}
}

// Find is the set of that name.
func Find(name string) (Set, error) {
	var names []string
	for _, s := range Sets() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Set{}, fmt.Errorf("no published set %q: want %s", name, strings.Join(names, ", "))
}

// kind recognises a folder with files of the set. None of them is ever overwritten.
func (s Set) kind() output.Kind {
	return output.Kind{Name: s.Name, Is: func(folder fs.FS) bool {
		if s.keep != nil {
			files, _ := fs.Glob(folder, "*/*.json")
			return len(files) > 0 && isTask(folder, files[0])
		}
		return slices.ContainsFunc(s.Files, func(address string) bool {
			name := path.Base(address)
			return hasFile(folder, name) || hasFile(folder, name+".part")
		})
	}}
}

func hasFile(folder fs.FS, name string) bool {
	info, err := fs.Stat(folder, name)
	return err == nil && info.Mode().IsRegular()
}

// isTask reports whether a file holds an ARC task.
func isTask(folder fs.FS, name string) bool {
	data, err := fs.ReadFile(folder, name)
	var task struct{ Train, Test []json.RawMessage }
	return err == nil && json.Unmarshal(data, &task) == nil && len(task.Train) > 0
}

// Options say how a set is downloaded.
type Options struct {
	Mirror   string                               // address that replaces scheme and host of every address; "" for none
	SHA256   []string                             // expected hashes, in the order of Files; nil compares with the first download
	Progress func(file string, done, total int64) // bytes of a file; total 0 is not known; nil for nobody
}

// Get downloads the set into the folder dir, and unpacks an archive there. An interrupted download goes on
// where it ended. The hash of each file's first download is kept in checksums.json in the folder above
// dir, and compared ever after.
func (s Set) Get(ctx context.Context, dir string, o Options) error {
	if len(o.SHA256) != 0 && len(o.SHA256) != len(s.Files) {
		return fmt.Errorf("%s: %d hashes for %d files", s.Name, len(o.SHA256), len(s.Files))
	}
	place, state, err := s.kind().Look(dir)
	if err != nil {
		return err
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	g := fetch.Getter{Sums: filepath.Join(parent, "checksums.json"), Progress: o.Progress}
	for i, address := range s.Files {
		if o.Mirror != "" {
			u, err := url.Parse(address)
			if err != nil {
				return err
			}
			address = strings.TrimSuffix(o.Mirror, "/") + u.Path
		}
		f := fetch.File{URL: address, Path: filepath.Join(place, path.Base(address))}
		if len(o.SHA256) > 0 {
			f.SHA256 = o.SHA256[i]
		}
		if s.keep != nil {
			f.Path = filepath.Join(parent, s.Name+".tar.gz")
		}
		if err := g.Get(ctx, f); err != nil {
			return err
		}
		if s.keep == nil || state == output.Own {
			continue // an archive was unpacked before, and as a whole
		}
		if err := fetch.Unpack(f.Path, place, s.keep); err != nil {
			return err
		}
	}
	return nil
}
