package run

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Summary is what the folder of a run tells without its weights.
type Summary struct {
	Dir      string    `json:"dir"`
	Info     Info      `json:"info"`
	Step     int64     `json:"step"`     // of the last line of metrics
	Written  time.Time `json:"written"`  // when that was written
	Took     float64   `json:"took_s"`   // seconds from the last start to the end or, while it runs, to Written
	Metrics  []Metric  `json:"metrics"`  // by kind and name
	Finished bool      `json:"finished"` // its model is there
}

// A Metric is one number of a run's lines.
type Metric struct {
	Kind string  `json:"kind"` // of the lines: train, eval
	Name string  `json:"name"`
	Last float64 `json:"last"`
	Best float64 `json:"best"`    // the largest, or the smallest of a loss
	At   int64   `json:"best_at"` // its step
}

// smaller reports whether less of a metric is better.
func smaller(name string) bool {
	return strings.Contains(name, "loss") || name == "segments" || name == "mean_segments" || name == "mean_length"
}

// Summarize reads the folder of a run.
func Summarize(dir string) (*Summary, error) {
	info, err := ReadInfo(dir)
	if err != nil {
		return nil, err
	}
	s := &Summary{Dir: dir, Info: info, Step: info.Step, Metrics: []Metric{}}
	_, err = os.Stat(filepath.Join(dir, "model"))
	s.Finished = err == nil
	path := filepath.Join(dir, "metrics.jsonl")
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil {
		s.Written = st.ModTime()
	}
	begin := info.Started
	if n := len(info.Resumed); n > 0 {
		begin = info.Resumed[n-1]
	}
	end := s.Written
	if info.Ended != nil {
		end = *info.Ended
	}
	s.Took = max(0, end.Sub(begin).Seconds())

	all := map[[2]string]*Metric{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var line map[string]any
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			if !lines.Scan() { // the last line of a run that was killed, or writes it now, may be cut
				break
			}
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		step, _ := line["step"].(float64)
		kind, _ := line["kind"].(string)
		s.Step = max(s.Step, int64(step))
		for name, v := range line {
			x, ok := v.(float64)
			if !ok || name == "step" || name == "stage" || name == "lr" {
				continue
			}
			m := all[[2]string{kind, name}]
			if m == nil {
				m = &Metric{Kind: kind, Name: name, Best: x, At: int64(step)}
				all[[2]string{kind, name}] = m
			}
			if m.Last = x; x > m.Best != smaller(name) && x != m.Best {
				m.Best, m.At = x, int64(step)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, m := range all {
		s.Metrics = append(s.Metrics, *m)
	}
	slices.SortFunc(s.Metrics, func(a, b Metric) int { return strings.Compare(a.Kind+" "+a.Name, b.Kind+" "+b.Name) })
	return s, nil
}

// Headline is the metric that says the most about a run: what evaluations found, or else what training did.
func (s *Summary) Headline() (m Metric, ok bool) {
	for _, kind := range []string{"eval", "train"} {
		for _, name := range []string{"exact_accuracy", "mean_return", "loss"} {
			for _, m := range s.Metrics {
				if m.Kind == kind && m.Name == name {
					return m, true
				}
			}
		}
	}
	return Metric{}, false
}

// State is the run's state in words: one that was killed says that it runs, so for those that have written nothing
// for a while it says since when.
func (s *Summary) State(now time.Time) string {
	if idle := now.Sub(s.Written); s.Info.State == Running && idle > 10*time.Minute {
		return fmt.Sprintf("silent %s", idle.Round(time.Minute))
	}
	return string(s.Info.State)
}

// Find is the folders of runs below root, by path.
func Find(root string) ([]string, error) {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return fs.SkipDir
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return fs.SkipDir
		case !d.IsDir() && d.Name() == InfoFile:
			dirs = append(dirs, filepath.Dir(path))
			return fs.SkipDir
		}
		return nil
	})
	return dirs, err
}

// Differences are the fields in which the configurations of runs differ: by name, the value of each in order,
// "" where it has none.
func Differences(dirs []string) (map[string][]string, error) {
	fields := map[string][]string{}
	for i, dir := range dirs {
		config, err := readConfig(filepath.Join(dir, ConfigFile))
		if err != nil {
			return nil, err
		}
		flat := map[string]string{}
		flatten(flat, "", config)
		for name, v := range flat {
			if fields[name] == nil {
				fields[name] = make([]string, len(dirs))
			}
			fields[name][i] = v
		}
	}
	maps.DeleteFunc(fields, func(_ string, v []string) bool {
		return !slices.ContainsFunc(v, func(x string) bool { return x != v[0] })
	})
	return fields, nil
}

func flatten(dst map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			flatten(dst, strings.TrimPrefix(path+"."+k, "."), x)
		}
	case []any:
		for i, x := range v {
			flatten(dst, fmt.Sprintf("%s[%d]", path, i), x)
		}
	default:
		dst[path] = fmt.Sprint(v)
	}
}
