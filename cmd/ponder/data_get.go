package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/internal/fetch"
	"github.com/ponder-agents/ponder/internal/output"
)

// A published set is files, or an archive whose files keep places in the folder.
type published struct {
	name, about, license string
	files                []string // addresses
	keep                 func(name string) string
}

// publishedSets are the sets of docs/data.md.
func publishedSets() []published {
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
	return []published{
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

func newDataGetCmd() *cobra.Command {
	var out, mirror string
	var sums []string
	cmd := &cobra.Command{
		Use:   "get [NAME]",
		Short: "Download a published set; without a name, list them",
		Long: `Downloads a published set into the folder --out. An interrupted download goes on where it ended. A
file's SHA-256 is compared with --sha256, or else with that of the first download, which is kept in
checksums.json in the folder above --out. --mirror replaces scheme and host of every address.`,
		Example: "  ponder data get sudoku-extreme\n  ponder data get arc-agi-1 --out data/arc-agi-1",
		Args: func(cmd *cobra.Command, args []string) error {
			return withCode(exitUsage, cobra.MaximumNArgs(1)(cmd, args))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				listPublished(cmd.OutOrStdout())
				return nil
			}
			var set published
			var names []string
			for _, s := range publishedSets() {
				names = append(names, s.name)
				if s.name == args[0] {
					set = s
				}
			}
			if set.name == "" {
				return usagef("no published set %q: want %s", args[0], strings.Join(names, ", "))
			}
			if out == "" {
				out = filepath.Join("data", set.name)
			}
			return set.get(cmd, out, mirror, sums)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder (default data/NAME)")
	writes(cmd.Flags(), "out", aFolder)
	cmd.Flags().StringVar(&mirror, "mirror", "", "address that replaces scheme and host, for example http://localhost:8000")
	cmd.Flags().StringSliceVar(&sums, "sha256", nil, "expected SHA-256, in the order of the files")
	return cmd
}

func listPublished(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range publishedSets() {
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.name, s.about, s.license)
		for _, f := range s.files {
			fmt.Fprintf(t, "\t%s\t\n", f)
		}
	}
	t.Flush()
}

// kind recognises a folder with files of the set. None of them is ever overwritten.
func (s published) kind() output.Kind {
	return output.Kind{Name: s.name, Is: func(folder fs.FS) bool {
		if s.keep != nil {
			files, _ := fs.Glob(folder, "*/*.json")
			return len(files) > 0 && isTask(folder, files[0])
		}
		return slices.ContainsFunc(s.files, func(address string) bool {
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

// get downloads the set's files into out, and unpacks an archive there.
func (s published) get(cmd *cobra.Command, out, mirror string, sums []string) error {
	if len(sums) != 0 && len(sums) != len(s.files) {
		return usagef("--sha256: %d hashes for %d files", len(sums), len(s.files))
	}
	place, state, err := s.kind().Look(out)
	if err != nil {
		return err
	}
	parent := filepath.Dir(filepath.Clean(out))
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	m := runlog.NewMeter(cmd.ErrOrStderr(), 0, 0, time.Now)
	m.Unit = "MB"
	g := fetch.Getter{
		Sums: filepath.Join(parent, "checksums.json"),
		Progress: func(file string, done, total int64) {
			name := path.Base(file)
			if total > 0 {
				name += fmt.Sprintf(" %d%% of %d MB", 100*done/total, total>>20)
			}
			m.Update(done>>20, name)
		},
	}
	defer m.Done()
	for i, address := range s.files {
		if mirror != "" {
			u, err := url.Parse(address)
			if err != nil {
				return err
			}
			address = strings.TrimSuffix(mirror, "/") + u.Path
		}
		f := fetch.File{URL: address, Path: filepath.Join(place, path.Base(address))}
		if len(sums) > 0 {
			f.SHA256 = sums[i]
		}
		if s.keep != nil {
			f.Path = filepath.Join(parent, s.name+".tar.gz")
		}
		if err := g.Get(cmd.Context(), f); err != nil {
			return err
		}
		if s.keep == nil {
			continue
		}
		if state == output.Own {
			continue // unpacked before, and as a whole
		}
		if err := fetch.Unpack(f.Path, place, s.keep); err != nil {
			return err
		}
	}
	m.Done()
	fmt.Fprintln(cmd.OutOrStdout(), out)
	return nil
}
