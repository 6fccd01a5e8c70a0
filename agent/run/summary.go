package run

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/internal/shell"
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

// Smaller reports whether less of a metric is better.
func Smaller(name string) bool {
	return strings.Contains(name, "loss") || strings.Contains(name, "regret") || slices.Contains([]string{"segments", "mean_segments", "segments_per_episode", "mean_length"}, name)
}

// Summarize reads the folder of a run.
func Summarize(dir string) (*Summary, error) {
	info, err := ReadInfo(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = noRun(dir, err)
	}
	if err != nil {
		return nil, err
	}
	s := &Summary{Dir: dir, Info: info, Step: info.Step, Metrics: []Metric{}}
	_, err = os.Stat(filepath.Join(dir, checkpoint.RunModel))
	s.Finished = err == nil
	st, err := os.Stat(metricsPath(dir))
	if err != nil {
		return nil, err
	}
	s.Written = st.ModTime()
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
	_, err = EachLine(dir, func(l Line) {
		s.Step = max(s.Step, l.Step)
		for name, x := range l.Values {
			m := all[[2]string{l.Kind, name}]
			if m == nil {
				m = &Metric{Kind: l.Kind, Name: name, Best: x, At: l.Step}
				all[[2]string{l.Kind, name}] = m
			}
			if m.Last = x; x > m.Best != Smaller(name) && x != m.Best {
				m.Best, m.At = x, l.Step
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		s.Metrics = append(s.Metrics, *m)
	}
	slices.SortFunc(s.Metrics, func(a, b Metric) int { return strings.Compare(a.Kind+" "+a.Name, b.Kind+" "+b.Name) })
	return s, nil
}

// noRun is err, that a folder has no InfoFile, in words that help: it may hold runs.
func noRun(dir string, err error) error {
	if d, e := os.Stat(dir); e != nil || !d.IsDir() {
		return err
	}
	below, _ := filepath.Glob(filepath.Join(dir, "*", InfoFile))
	if len(below) == 0 {
		return fmt.Errorf("%s: no run: it has no %s", dir, InfoFile)
	}
	return fmt.Errorf("%s: no run but a folder of %d: name one, as %s, or see all by ponder runs list %[1]s", dir, len(below), filepath.Dir(below[0]))
}

// A Line is one of metrics.jsonl.
type Line struct {
	Step   int64
	Kind   string
	Values map[string]float64 // by names that are not empty; but for lr and the stage, which are settings
}

func metricsPath(dir string) string { return filepath.Join(dir, "metrics.jsonl") }

// EachLine reads the lines of the run in dir. The last one of a run that was killed, or is writing it now, may be
// cut: it is left out.
func EachLine(dir string, each func(Line)) (cut bool, err error) {
	path := metricsPath(dir)
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var fields map[string]any
		if err := json.Unmarshal(lines.Bytes(), &fields); err != nil {
			if !lines.Scan() {
				return true, nil
			}
			return false, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		l := Line{Values: map[string]float64{}}
		step, _ := fields["step"].(float64)
		l.Step = int64(step)
		l.Kind, _ = fields["kind"].(string)
		for name, v := range fields {
			if x, ok := v.(float64); ok && name != "" && name != "step" && name != "stage" && name != "lr" {
				l.Values[name] = x
			}
		}
		each(l)
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return false, nil
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

// took is Took as people read it.
func (s *Summary) took() string { return runlog.Span(time.Duration(s.Took * float64(time.Second))) }

// Print writes all that a summary has, for people.
func (s *Summary) Print(w io.Writer, now time.Time) error {
	c := s.Info.Compute
	fmt.Fprintf(w, "%s\n%s at step %d after %s, seed %d\non %s: %s, %d threads, %s, %s\n", shell.Join(s.Info.Command), s.State(now), s.Step, s.took(), s.Info.Seed,
		s.Info.Machine, c.Device, c.Threads, c.Precision, c.Library)
	if s.Info.Error != "" {
		fmt.Fprintln(w, "error:", s.Info.Error)
	}
	return table(w, func(w io.Writer) {
		for _, m := range s.Metrics {
			fmt.Fprintf(w, "%s\t%s\t%.5g\tbest %.5g at %d\n", m.Kind, m.Name, m.Last, m.Best, m.At)
		}
	})
}

// Summaries are those of several runs.
type Summaries []*Summary

// Print writes a line for each run.
func (all Summaries) Print(w io.Writer, now time.Time) error {
	return table(w, func(w io.Writer) {
		fmt.Fprintln(w, "RUN\tLEARNER\tSTATE\tSTEP\tBEST\tTOOK\tON")
		for _, s := range all {
			best := "-"
			if m, ok := s.Headline(); ok {
				best = fmt.Sprintf("%s %s %.4g at %d", m.Kind, m.Name, m.Best, m.At)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", s.Dir, s.Info.Learner, s.State(now), s.Step, best, s.took(), s.Info.Machine)
		}
	})
}

// table writes tab-separated lines in columns.
func table(out io.Writer, lines func(w io.Writer)) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	lines(w)
	return w.Flush()
}

// Find is the runs below root, which may be a link, by path. One that cannot be read is damaged and has the error.
func Find(root string) (Summaries, error) {
	all := Summaries{}
	if st, err := os.Stat(root); err == nil && st.IsDir() {
		root += string(filepath.Separator) // WalkDir does not follow a link, but goes to what is behind it
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return fs.SkipDir
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return fs.SkipDir
		case d.IsDir() || d.Name() != InfoFile:
			return nil
		}
		dir := filepath.Dir(path)
		s, err := Summarize(dir)
		if err != nil { // the others are there all the same
			s = &Summary{Dir: dir, Info: Info{State: Damaged, Error: err.Error()}, Metrics: []Metric{}}
		}
		all = append(all, s)
		return fs.SkipDir
	})
	return all, err
}

// A Comparison is runs beside each other.
type Comparison struct {
	Runs Summaries `json:"runs"`
	// Differences are the fields in which the configurations differ: by name, the value of each run, "" where it
	// has none.
	Differences map[string][]string `json:"differences"`
}

// Compare reads the folders of runs.
func Compare(dirs ...string) (*Comparison, error) {
	c := &Comparison{Differences: map[string][]string{}}
	for i, dir := range dirs {
		s, err := Summarize(dir)
		if err != nil {
			return nil, err
		}
		c.Runs = append(c.Runs, s)
		flat, err := ReadFields(dir)
		if err != nil {
			return nil, err
		}
		for name, v := range flat {
			if c.Differences[name] == nil {
				c.Differences[name] = make([]string, len(dirs))
			}
			c.Differences[name][i] = v
		}
	}
	maps.DeleteFunc(c.Differences, func(_ string, v []string) bool {
		return !slices.ContainsFunc(v, func(x string) bool { return x != v[0] })
	})
	return c, nil
}

// Print writes a line for each difference and each metric.
func (c *Comparison) Print(w io.Writer) error {
	lines := maps.Clone(c.Differences)
	var names []string
	for i, s := range c.Runs {
		names = append(names, s.Dir)
		for _, m := range s.Metrics {
			name := m.Kind + " " + m.Name
			if lines[name] == nil {
				lines[name] = make([]string, len(c.Runs))
			}
			lines[name][i] = fmt.Sprintf("%.4g, best %.4g at %d", m.Last, m.Best, m.At)
		}
	}
	return table(w, func(w io.Writer) {
		fmt.Fprintf(w, "\t%s\n", strings.Join(names, "\t"))
		for _, name := range slices.Sorted(maps.Keys(lines)) {
			fmt.Fprintf(w, "%s\t%s\n", name, strings.Join(lines[name], "\t"))
		}
	})
}

// ReadFields is the configuration of the run in dir: the values of its fields by their dotted names.
func ReadFields(dir string) (map[string]string, error) {
	config, err := readConfig(filepath.Join(dir, ConfigFile))
	if err != nil {
		return nil, err
	}
	fields := map[string]string{}
	for name, v := range flatten(config, "[%d]") {
		fields[name] = fmt.Sprint(v)
	}
	return fields, nil
}

// flatten is the values in a configuration by their dotted names, of which index is how the place in a list is written;
// none of what is null.
func flatten(config any, index string) map[string]any {
	flat := map[string]any{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				walk(strings.TrimPrefix(path+"."+k, "."), x)
			}
		case []any:
			for i, x := range v {
				walk(path+fmt.Sprintf(index, i), x)
			}
		case nil:
		default:
			flat[path] = v
		}
	}
	walk("", config)
	return flat
}
