package arc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Read reads the tasks below paths, sorted by name: a task's own file, a folder with one file a
// task (ARC-AGI-1, ARC-AGI-2, ConceptARC; searched to any depth), or a file with many tasks by name,
// NAME_challenges.json, whose answers are in NAME_solutions.json beside it if that exists. folder is
// the name of the folder each task came from, by task; "evaluation" of
// arc-agi_evaluation_challenges.json. Hidden files and those that are not of tasks, as sample_submission.json, are
// passed over, links are followed. One error has all problems, each with file and position.
func Read(paths ...string) (tasks []*Task, folder map[string]string, err error) {
	folder = map[string]string{}
	from := map[string]string{}
	var errs []error
	add := func(t *Task, file, dir string) {
		switch first, twice := from[t.Name]; {
		case twice:
			errs = append(errs, fmt.Errorf("%s: task %q is in %s too; name folders that share none (ARC-AGI-2 contains tasks of ARC-AGI-1)", file, t.Name, first))
		default:
			from[t.Name], folder[t.Name] = file, dir
			tasks = append(tasks, t)
		}
	}
	given := "" // by its own name
	walk := func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".json" || foreign(file) && file != given {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		switch {
		case strings.HasSuffix(name, "_solutions"):
		case strings.HasSuffix(name, "_challenges"):
			set := strings.TrimSuffix(name, "_challenges")
			many, err := readChallenges(data, strings.TrimSuffix(file, "_challenges.json")+"_solutions.json")
			if err != nil {
				errs = append(errs, inFile(file, err))
			}
			for _, t := range many {
				add(t, file, set[strings.LastIndexByte(set, '_')+1:])
			}
		default:
			t, err := Parse(name, data)
			if err != nil {
				errs = append(errs, inFile(file, err))
				return nil
			}
			add(t, file, filepath.Base(filepath.Dir(file)))
		}
		return nil
	}
	for _, path := range paths {
		before := len(tasks) + len(errs)
		given = path
		if err := walkLinks(path, map[string]bool{}, walk); err != nil {
			errs = append(errs, err)
		} else if len(tasks)+len(errs) == before {
			errs = append(errs, fmt.Errorf("%s: no .json files of tasks", path))
		}
	}
	if len(errs) > 0 {
		return nil, nil, errors.Join(errs...)
	}
	slices.SortFunc(tasks, func(a, b *Task) int { return strings.Compare(a.Name, b.Name) })
	return tasks, folder, nil
}

// foreign reports whether a file is none of tasks by its name: macOS's ._x.json, Kaggle's forms for answers.
func foreign(file string) bool {
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

// readChallenges reads tasks by name, and their answers from the file solutions if there is one.
func readChallenges(data []byte, solutions string) ([]*Task, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var raw map[string]file
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, jsonError(data, err)
	}
	var answers map[string][]rows
	switch sol, err := os.ReadFile(solutions); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(sol, &answers); err != nil {
			return nil, fmt.Errorf("%s: %w", solutions, jsonError(sol, err))
		}
	}
	var tasks []*Task
	var errs []error
	for name, r := range raw {
		if answers != nil {
			if len(answers[name]) != len(r.Test) {
				errs = append(errs, fmt.Errorf("task %s: %d tests, but %d answers in %s", name, len(r.Test), len(answers[name]), solutions))
				continue
			}
			for i := range r.Test {
				r.Test[i].Output = answers[name][i]
			}
		}
		t, err := r.task(name)
		if err != nil {
			errs = append(errs, inFile("task "+name, err))
			continue
		}
		tasks = append(tasks, t)
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) }) // the map has no order
	return tasks, errors.Join(errs...)
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
