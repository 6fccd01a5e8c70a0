package open

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/task/puzzles"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/internal/text"
	"github.com/ponder-agents/ponder/models"
)

// A Thing is what a name stands for among what can be played and recorded.
type Thing struct {
	Trace   string   // path of a recording, alone
	World   string   // name of a world, as World takes it
	Options []string // of the world, besides those that are asked for
	Model   string   // who is to play there, "" for whoever is asked for
}

// Named finds out what a name stands for, by content where it is a file's: a world by its id, a recording, what World
// reads from a file or folder, or the folder of a run or a checkpoint, whose model is to play in the world that it
// learned for.
func Named(name string) (Thing, error) {
	if _, _, err := env.Lookup(name); err == nil || strings.HasPrefix(name, datasetPrefix) {
		return Thing{World: name}, nil
	}
	info, err := os.Stat(name)
	switch {
	case err != nil: // World says what is wrong
		return Thing{World: name}, nil
	case info.IsDir() && !puzzles.IsDataset(name):
		return learned(name)
	case info.Mode().IsRegular() && trace.Is(name):
		return Thing{Trace: name}, nil
	}
	return Thing{World: name}, nil
}

// learned is the world of the model in the folder of a run or a checkpoint.
func learned(dir string) (Thing, error) {
	if !slices.ContainsFunc([]string{run.InfoFile, checkpoint.ConfigFile, checkpoint.RunModel}, func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}) {
		return Thing{}, fmt.Errorf("%s: a folder, but neither of a run, a checkpoint nor a dataset", dir)
	}
	c, err := models.Find(dir)
	if err != nil {
		return Thing{}, err
	}
	var cfg struct {
		Task, Env string
		Options   []string
	}
	err = json.Unmarshal(c.Config, &cfg)
	if err = errors.Join(err, c.Close()); err != nil {
		return Thing{}, fmt.Errorf("%s: %w", dir, err)
	}
	if cfg.Env != "" {
		return Thing{World: cfg.Env, Options: cfg.Options, Model: dir}, nil
	}
	for _, f := range task.Families() {
		for _, t := range f.Tasks {
			if _, _, err := env.Lookup(f.Name); t.Name == cfg.Task && t.Reader != nil && err == nil {
				return Thing{World: f.Name, Model: dir}, nil
			}
		}
	}
	return Thing{}, asked(fmt.Errorf("%s: a model for the task %q, which has no world of its own: name one, with --model %s", dir, cfg.Task, dir))
}

// datasetPrefix is before the folder of a dataset.
const datasetPrefix = "dataset:"

// MaxLevel bounds the text of levels, in bytes.
const MaxLevel = 16 << 20

// LevelText reads the text of a level in a file.
func LevelText(path string) (string, error) { return text.ReadFile(path, MaxLevel) }

// World opens an environment by its id, with options, or what is in a file or folder: levels, puzzles or tasks as text,
// whose n-th is begun by seed n, counted from 0; the rows of a CSV; those of a dataset, DIR or dataset:DIR. Only the
// first env.MostLevels of a file or a dataset are opened.
func World(name string, options ...string) (env.Env, error) {
	e, err := env.Make(name, options...)
	if err == nil {
		return e, nil
	}
	path, dataset := strings.CutPrefix(name, datasetPrefix)
	info, serr := os.Stat(path)
	switch {
	case dataset && serr != nil:
		return nil, fmt.Errorf("%s: %w", name, unwrapped(serr))
	case errors.Is(serr, fs.ErrNotExist) && errors.Is(err, env.ErrUnknown) && filepath.Ext(name) != "":
		return nil, fmt.Errorf("%s: there is no such file, nor an environment of that name", name)
	case errors.Is(serr, fs.ErrNotExist) || serr != nil && !errors.Is(err, env.ErrUnknown):
		return nil, asked(err)
	case serr != nil:
		return nil, fmt.Errorf("%s: %w", path, unwrapped(serr))
	case !info.IsDir() && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: neither a file nor a folder", path)
	case len(options) > 0:
		return nil, asked(fmt.Errorf("%s: what is in a file takes no option, %q was given", path, options))
	case !info.IsDir() && trace.Is(path):
		return nil, fmt.Errorf("%s: a recording: nobody can act in it", path)
	case !info.IsDir():
		return Level(path)
	case !puzzles.IsDataset(path):
		return nil, fmt.Errorf("%s: no dataset: neither train/dataset.json nor test/dataset.json is in it", path)
	}
	return rows(name, path)
}

// unwrapped is an error of the system without the path, which the caller says.
func unwrapped(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// Level opens the levels, puzzles or tasks in a file, of whatever family, or the rows of a CSV.
func Level(path string) (env.Env, error) {
	text, err := LevelText(path)
	if err == nil {
		var e env.Env
		if e, err = env.OpenLevel(text); err == nil {
			return e, nil
		}
		err = fmt.Errorf("%s: %w", path, err)
	}
	if !isTable(path) {
		return nil, err
	}
	e, rerr := rows(path, path)
	switch {
	case rerr == nil:
		return e, nil
	case errors.Is(err, env.ErrNoLevel):
		return nil, rerr
	}
	return nil, err
}

// isTable reports whether the first line of a file could be one of a CSV.
func isTable(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, _ := io.ReadFull(f, head)
	line, _, _ := bytes.Cut(head[:n], []byte("\n"))
	return bytes.ContainsAny(line, ",;\t")
}

// rows opens the first rows of a CSV, or of the split test of a dataset, train where there is no other: in the world of
// their family, or as a quiz.
func rows(id, path string) (env.Env, error) {
	all, err := puzzles.Load(path, puzzles.Query{Count: env.MostLevels, CSV: true})
	if err != nil {
		return nil, err
	}
	f := all[0].Family
	if f == nil || f.Level == nil {
		quiz := make([]task.Row, len(all))
		for i, p := range all {
			quiz[i] = task.Row{In: p.In, Label: p.Label}
		}
		return task.NewQuiz(id, f, quiz)
	}
	var levels strings.Builder
	for _, p := range all {
		levels.WriteString(f.Level(p.In) + "\n\n")
	}
	e, err := env.OpenLevel(levels.String())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}
