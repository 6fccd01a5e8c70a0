package puzzle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type rawPair struct {
	Input  [][]int `json:"input"`
	Output [][]int `json:"output"`
}

type rawTask struct {
	Train []rawPair `json:"train"`
	Test  []rawPair `json:"test"`
}

// ParseTask reads the JSON of one ARC task: {"train": [{"input": [[0..9]], "output": …}], "test": …}.
// The output of a test may be missing. An error names pair, row and column.
func ParseTask(name string, data []byte) (Task, error) {
	var raw rawTask
	if err := json.Unmarshal(data, &raw); err != nil {
		return Task{}, jsonError(data, err)
	}
	return raw.task(name)
}

func (raw rawTask) task(name string) (Task, error) {
	t := Task{Name: name}
	var errs []error
	grid := func(where string, rows [][]int) Grid {
		g, err := newGrid(rows)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", where, err))
		}
		return g
	}
	for i, p := range raw.Train {
		where := fmt.Sprintf("train pair %d, ", i)
		t.Train = append(t.Train, Pair{grid(where+"input", p.Input), grid(where+"output", p.Output)})
	}
	for i, p := range raw.Test {
		where := fmt.Sprintf("test pair %d, ", i)
		pair := Pair{Input: grid(where+"input", p.Input)}
		if p.Output != nil {
			pair.Output = grid(where+"output", p.Output)
		}
		t.Test = append(t.Test, pair)
	}
	if len(raw.Train) == 0 {
		errs = append(errs, errors.New(`no "train" pairs`))
	}
	if len(raw.Test) == 0 {
		errs = append(errs, errors.New(`no "test" pairs`))
	}
	return t, errors.Join(errs...)
}

// newGrid checks the rows of a grid and joins them.
func newGrid(rows [][]int) (Grid, error) {
	if len(rows) == 0 || len(rows) > ARCSide {
		return Grid{}, fmt.Errorf("%d rows, want 1 to %d", len(rows), ARCSide)
	}
	g := Grid{Rows: len(rows), Cols: len(rows[0])}
	if g.Cols == 0 || g.Cols > ARCSide {
		return Grid{}, fmt.Errorf("%d columns, want 1 to %d", g.Cols, ARCSide)
	}
	for r, row := range rows {
		if len(row) != g.Cols {
			return Grid{}, fmt.Errorf("row %d has %d cells, row 0 has %d", r, len(row), g.Cols)
		}
		for c, v := range row {
			if v < 0 || v > 9 {
				return Grid{}, fmt.Errorf("row %d, column %d: %d, want a colour from 0 to 9", r, c, v)
			}
			g.Cells = append(g.Cells, uint8(v))
		}
	}
	return g, nil
}

// ReadTasks reads the tasks below path, sorted by name: a task's own file, a folder with one file a
// task (ARC-AGI-1, ARC-AGI-2, ConceptARC; searched to any depth), or a file with many tasks by name,
// NAME_challenges.json, whose answers are in NAME_solutions.json beside it if that exists. folder is
// the name of the folder each task came from, by task; "evaluation" of
// arc-agi_evaluation_challenges.json. One error has all problems, each with file and position.
func ReadTasks(path string) (tasks []Task, folder map[string]string, err error) {
	folder = map[string]string{}
	from := map[string]string{}
	var errs []error
	add := func(t Task, file, dir string, err error) {
		switch first, twice := from[t.Name]; {
		case err != nil:
			errs = append(errs, inFile(file, err))
		case twice:
			errs = append(errs, fmt.Errorf("%s: task %q is in %s too", file, t.Name, first))
		default:
			from[t.Name], folder[t.Name] = file, dir
			tasks = append(tasks, t)
		}
	}
	err = filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".json" {
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
				add(t, file, set[strings.LastIndexByte(set, '_')+1:], nil)
			}
		default:
			t, err := ParseTask(name, data)
			add(t, file, filepath.Base(filepath.Dir(file)), err)
		}
		return nil
	})
	if err = errors.Join(append(errs, err)...); err != nil {
		return nil, nil, err
	}
	if len(tasks) == 0 {
		return nil, nil, fmt.Errorf("%s: no .json files of tasks", path)
	}
	slices.SortFunc(tasks, func(a, b Task) int { return strings.Compare(a.Name, b.Name) })
	return tasks, folder, nil
}

// readChallenges reads tasks by name, and their answers from the file solutions if there is one.
func readChallenges(data []byte, solutions string) ([]Task, error) {
	var raw map[string]rawTask
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, jsonError(data, err)
	}
	var answers map[string][][][]int
	switch sol, err := os.ReadFile(solutions); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(sol, &answers); err != nil {
			return nil, fmt.Errorf("%s: %w", solutions, jsonError(sol, err))
		}
	}
	var tasks []Task
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
		}
		tasks = append(tasks, t)
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) }) // the map has no order
	return tasks, errors.Join(errs...)
}
