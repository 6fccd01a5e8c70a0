package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/run"
)

// A Point is a value of a metric.
type Point struct {
	Step  int64
	Value float64
}

// A Series is the values of a metric over a run, the steps rising.
type Series []Point

// A Key names a metric: the kind of its lines, as eval, and its name.
type Key struct{ Kind, Name string }

// A Run is what the folder of a run tells.
type Run struct {
	*run.Summary
	Config map[string]string // its fields by dotted names
	Series map[Key]Series
	Exams  []exam.AgentResult // lines of eval*.jsonl, as `ponder eval agent --json` prints them
}

// Load reads the runs in the folders, and below those that are none. What cannot be read is left out, and a
// note says why; that nothing is left is an error.
func Load(folders ...string) (runs []*Run, notes []string, err error) {
	seen := map[string]bool{}
	for _, folder := range folders {
		found, err := run.Find(folder)
		switch {
		case err != nil:
			return nil, notes, err
		case len(found) == 0:
			notes = append(notes, folder+": no run in it, passed over")
		}
		for _, s := range found {
			id, err := filepath.Abs(s.Dir)
			if err == nil {
				id, err = filepath.EvalSymlinks(id)
			}
			if err != nil {
				id = s.Dir
			}
			if seen[id] {
				continue
			}
			seen[id] = true
			r, more, err := load(s)
			notes = append(notes, more...)
			if err != nil {
				notes = append(notes, fmt.Sprintf("%s: %v, passed over", s.Dir, err))
				continue
			}
			runs = append(runs, r)
		}
	}
	if len(runs) == 0 {
		if len(notes) > 0 {
			return nil, notes, errors.New(notes[0])
		}
		return nil, nil, errors.New("no folder of a run is named")
	}
	return runs, notes, nil
}

func load(s *run.Summary) (r *Run, notes []string, err error) {
	if s.Info.State == run.Damaged {
		return nil, nil, errors.New(s.Info.Error)
	}
	r = &Run{Summary: s, Series: map[Key]Series{}}
	if r.Config, err = run.ReadFields(s.Dir); err != nil {
		return nil, nil, err
	}
	cut, err := run.EachLine(s.Dir, func(l run.Line) {
		for name, v := range l.Values {
			k := Key{l.Kind, name}
			r.Series[k] = append(r.Series[k], Point{l.Step, v})
		}
	})
	switch {
	case err != nil:
		return nil, nil, err
	case cut:
		notes = append(notes, s.Dir+": the last line of metrics.jsonl is cut, left out")
	case len(r.Series) == 0:
		return nil, nil, errors.New("no metrics as yet")
	}
	files, err := filepath.Glob(filepath.Join(globbed(s.Dir), "eval*.jsonl"))
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(files)
	for _, file := range files {
		exams, err := readExams(file)
		if err != nil {
			notes = append(notes, err.Error()+", passed over")
		}
		r.Exams = append(r.Exams, exams...)
	}
	return r, notes, nil
}

// globbed is a path as a pattern that matches it alone.
func globbed(path string) string {
	var b bytes.Buffer
	for _, c := range path {
		if c == '*' || c == '?' || c == '[' {
			b.WriteString("[" + string(c) + "]")
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// mostLine is the longest line of a file of exams.
const mostLine = 1 << 20

func readExams(file string) (exams []exam.AgentResult, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, mostLine)
	for n := 1; lines.Scan(); n++ {
		var e exam.AgentResult
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Env == "" || e.Episodes < 1 {
			return exams, fmt.Errorf("%s:%d: no line of ponder eval agent --json", file, n)
		}
		exams = append(exams, e)
	}
	return exams, lines.Err()
}
