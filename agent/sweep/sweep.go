package sweep

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/internal/output"
	"github.com/ponder-agents/ponder/internal/text"
)

// A Sweep is a plan in a folder.
type Sweep struct {
	Plan     *Plan
	Dir      string
	Command  []string // what takes the arguments of ponder train, as ponder train itself
	Parallel int      // processes at once; 0 means 1
	Threads  int      // of each; 0 means an equal share of the processors
	Out      io.Writer

	train  string // what is trained: the copy of a file in Dir, or a recipe
	budget map[int]int64
	mu     sync.Mutex // of Out
}

// The files of a sweep's folder.
const (
	planFile  = "sweep.toml"
	trainCopy = "train.toml"
	logs      = "logs"
)

// read is the sweep that file plans for dir, and the files that it has there.
func read(file, dir string) (s *Sweep, files map[string][]byte, err error) {
	p, plan, err := Read(file)
	if err != nil {
		return nil, nil, err
	}
	s = &Sweep{Plan: p, Dir: dir, train: p.Train, Out: io.Discard, budget: map[int]int64{}}
	files = map[string][]byte{planFile: plan}
	if from := p.trainFile(file); from != "" {
		if files[trainCopy], err = text.ReadBytes(from, mostFile); err != nil {
			return nil, nil, err
		}
		s.train = filepath.Join(dir, trainCopy)
	}
	return s, files, nil
}

// missing are those of files that are not in dir yet; those that are must be the same.
func missing(dir string, files map[string][]byte) (names []string, err error) {
	for _, name := range []string{planFile, trainCopy} {
		want, ok := files[name]
		if !ok {
			continue
		}
		switch has, err := text.ReadBytes(filepath.Join(dir, name), mostFile); {
		case errors.Is(err, fs.ErrNotExist):
			names = append(names, name)
		case err != nil:
			return nil, err
		case !bytes.Equal(has, want):
			return nil, fmt.Errorf("%s: the sweep there was begun with another %s; choose another folder", dir, name)
		}
	}
	return names, nil
}

// Look is the sweep that file plans where it was begun in dir. It writes nothing.
func Look(file, dir string) (*Sweep, error) {
	s, files, err := read(file, dir)
	if err != nil {
		return nil, err
	}
	names, err := missing(dir, files)
	if err == nil && slices.Contains(names, planFile) {
		err = fmt.Errorf("%s: no sweep there", dir)
	}
	return s, err
}

// Open begins the sweep that file plans in dir, or goes on with it.
func Open(file, dir string) (*Sweep, error) {
	s, files, err := read(file, dir)
	if err != nil {
		return nil, err
	}
	place, err := output.Follow(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(place)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	// Hidden is what a process that was killed began to write.
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") })
	if _, err := os.Stat(filepath.Join(dir, planFile)); err != nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s: not empty, and no sweep in it; choose another folder", dir)
	}
	names, err := missing(dir, files)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(place, 0o777); err != nil {
		return nil, err
	}
	for _, name := range names { // the plan first: with it the folder is a sweep's, whenever this ends
		if err := output.WriteFile(filepath.Join(dir, name), func(w io.Writer) error { _, err := w.Write(files[name]); return err }); err != nil {
			return nil, err
		}
	}
	return s, os.MkdirAll(filepath.Join(place, logs), 0o777)
}

// Run trains all runs, or goes on with those that are not done. The error of runs that failed comes when the
// others are done; ctx ends the processes, which save.
func (s *Sweep) Run(ctx context.Context) error {
	trials := s.Plan.List()
	if err := s.check(ctx, trials); err != nil {
		return err
	}
	alive := trials
	rungs := s.Plan.rungs()
	for i, share := range rungs {
		s.say("rung %d of %d: %d runs up to %g %%", i+1, len(rungs), len(alive), 100*share)
		if err := s.each(alive, func(_ int, t Trial) error { return s.advance(ctx, t, share) }); err != nil {
			return err
		}
		if share < 1 || s.Plan.Metric != "" {
			if err := s.measured(alive, share); err != nil {
				return err
			}
		}
		if share < 1 {
			alive = s.survivors(alive, share)
		}
	}
	return nil
}

// One trains the run of that index alone: what a task of an array does. It cannot wait for others.
func (s *Sweep) One(ctx context.Context, index int) error {
	trials := s.Plan.List()
	if index < 0 || index >= len(trials) {
		return fmt.Errorf("run %d: want 0 to %d", index, len(trials)-1)
	}
	if s.Plan.Stop != "" {
		return fmt.Errorf(`stop = %q compares all runs, which one alone cannot: leave it out`, s.Plan.Stop)
	}
	if err := s.check(ctx, trials[index:index+1]); err != nil {
		return err
	}
	return s.advance(ctx, trials[index], 1)
}

// each calls f for all trials, Parallel at once, and joins the errors.
func (s *Sweep) each(trials []Trial, f func(i int, t Trial) error) error {
	errs := make([]error, len(trials))
	slots := make(chan struct{}, max(1, s.Parallel))
	var all sync.WaitGroup
	for i, t := range trials {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			errs[i] = f(i, t)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// arguments are those of ponder train that begin a run.
func (s *Sweep) arguments(t Trial) []string {
	args := append([]string{s.train, "--seed", strconv.FormatUint(t.Seed, 10)}, s.Plan.Args...)
	for _, set := range t.Sets {
		args = append(args, "--set", set)
	}
	return args
}

// check asks for the configuration of every setting, before any is trained, and how long its runs are.
func (s *Sweep) check(ctx context.Context, trials []Trial) error {
	var ask []Trial // the first of each setting
	for _, t := range trials {
		if !slices.ContainsFunc(ask, func(a Trial) bool { return a.Setting == t.Setting }) {
			ask = append(ask, t)
		}
	}
	refused, budgets := make([]error, len(ask)), make([]int64, len(ask))
	err := s.each(ask, func(i int, t Trial) error {
		cmd := s.process(ctx, append(s.arguments(t), "--dry-run"))
		var out, complaint bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &complaint
		if err := start(cmd); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			refused[i] = &SettingError{strings.Join(t.Sets, " "), last(complaint.Bytes(), err)}
			return nil
		}
		var c struct{ Frames, Steps int64 }
		if err := toml.Unmarshal(out.Bytes(), &c); err != nil {
			return fmt.Errorf("setting %s: %w", strings.Join(t.Sets, " "), err)
		}
		budgets[i] = cmp.Or(c.Frames, c.Steps)
		return nil
	})
	if err != nil {
		return err
	}
	for i, t := range ask {
		if refused[i] != nil { // one: the others are often the same
			return refused[i]
		}
		s.budget[t.Setting] = budgets[i]
	}
	return nil
}

// A SettingError says that ponder train would refuse a setting.
type SettingError struct{ Setting, What string }

func (e *SettingError) Error() string { return fmt.Sprintf("setting %s: %s", e.Setting, e.What) }

// last is the last line of what a process said, or its error.
func last(said []byte, err error) string {
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	if l := strings.TrimPrefix(lines[len(lines)-1], "ponder: "); l != "" {
		return l
	}
	return err.Error()
}

// process is one of ponder train with these arguments. It ends with this one, if that is possible, and where ctx
// ends it may save.
func (s *Sweep) process(ctx context.Context, args []string) *exec.Cmd {
	all := append(slices.Clone(s.Command), args...)
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	tie(cmd)
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			return cmd.Process.Kill() // as Windows knows no other way
		}
		return nil
	}
	cmd.WaitDelay = time.Minute
	return cmd
}

// start runs a process to its end.
func start(cmd *exec.Cmd) error {
	runtime.LockOSThread() // tie holds as long as the thread that starts the process lives
	defer runtime.UnlockOSThread()
	return cmd.Run()
}

// dir is the folder of a run.
func (s *Sweep) dir(t Trial) string { return filepath.Join(s.Dir, t.Name()) }

// advance trains a run up to a share of its steps, from where it is.
func (s *Sweep) advance(ctx context.Context, t Trial, share float64) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	dir, until := s.dir(t), int64(math.Ceil(share*float64(s.budget[t.Setting])))
	if _, err := os.Stat(filepath.Join(dir, checkpoint.RunModel)); err == nil {
		return nil
	}
	steps, err := checkpoint.Steps(filepath.Join(dir, checkpoint.RunSeries))
	if err != nil {
		return err
	}
	args := []string{"--resume", dir}
	switch {
	case len(steps) > 0 && share < 1 && int64(steps[len(steps)-1]) >= until:
		return nil
	case len(steps) == 0: // what was killed before its first checkpoint begins anew
		if err := run.Discard(dir); err != nil {
			return err
		}
		args = append(s.arguments(t), "--out", dir)
	}
	if share < 1 {
		args = append(args, "--until", strconv.FormatInt(until, 10))
	}
	threads := s.Threads
	if threads == 0 {
		threads = max(1, runtime.NumCPU()/max(1, s.Parallel))
	}
	cmd := s.process(ctx, append(args, "--threads", strconv.Itoa(threads)))
	log, err := os.OpenFile(filepath.Join(s.Dir, logs, t.Name()+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	defer log.Close()
	var said bytes.Buffer
	cmd.Stderr = io.MultiWriter(log, &said)
	err = start(cmd)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("%s: %s", dir, last(said.Bytes(), err))
	}
	v, _ := s.value(t, share)
	s.say("%s: %s seed %d: %s", t.Name(), strings.Join(t.Sets, " "), t.Seed, show(v))
	return nil
}

func show(v float64) string {
	if math.IsNaN(v) {
		return "no figure yet"
	}
	return fmt.Sprintf("%.4g", v)
}

// value is the last figure of a run up to a share of its steps, NaN if there is none, and its step.
func (s *Sweep) value(t Trial, share float64) (v float64, step int64) {
	kind, name := s.Plan.metric()
	v = math.NaN()
	s.lines(t, share, func(l run.Line) {
		if x, ok := l.Values[name]; ok && l.Kind == kind {
			v, step = x, l.Step
		}
	})
	return v, step
}

// lines are those of a run up to a share of its steps; a folder without any has none.
func (s *Sweep) lines(t Trial, share float64, each func(run.Line)) {
	most := int64(math.MaxInt64)
	if share < 1 {
		most = int64(math.Ceil(share * float64(s.budget[t.Setting])))
	}
	_, _ = run.EachLine(s.dir(t), func(l run.Line) {
		if l.Step <= most {
			each(l)
		}
	})
}

// A MetricError says that runs cannot be compared: none has the metric.
type MetricError struct {
	Metric string
	Share  float64  // of the runs, up to which there is none
	Has    []string // what they have there
}

func (e *MetricError) Error() string {
	has := cmp.Or(strings.Join(e.Has, ", "), "no figures at all: let args have a smaller --log-every or --eval-every")
	return fmt.Sprintf("metric %q: no run has it up to %g %%, they have %s", e.Metric, 100*e.Share, has)
}

// measured is an error where no run has a figure by which settings are compared: what goes on would be chance.
func (s *Sweep) measured(trials []Trial, share float64) error {
	has := map[string]bool{}
	for _, t := range trials {
		if v, _ := s.value(t, share); !math.IsNaN(v) {
			return nil
		}
		s.lines(t, share, func(l run.Line) {
			for name := range l.Values {
				has[l.Kind+" "+name] = true
			}
		})
	}
	kind, name := s.Plan.metric()
	return &MetricError{kind + " " + name, share, slices.Sorted(maps.Keys(has))}
}

// mean is that of the runs of a setting that have a figure.
func (s *Sweep) mean(trials []Trial, setting int, share float64) float64 {
	sum, n := 0.0, 0
	for _, t := range trials {
		if v, _ := s.value(t, share); t.Setting == setting && !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

// ranked are the settings of the trials, the best first; one without a figure is the last.
func (s *Sweep) ranked(trials []Trial, share float64) (settings []int, means map[int]float64) {
	means = map[int]float64{}
	for _, t := range trials {
		if _, ok := means[t.Setting]; !ok {
			means[t.Setting] = s.mean(trials, t.Setting, share)
			settings = append(settings, t.Setting)
		}
	}
	slices.SortStableFunc(settings, func(a, b int) int {
		x, y := means[a], means[b]
		switch {
		case math.IsNaN(x) || math.IsNaN(y):
			return cmp.Compare(b2i(math.IsNaN(x)), b2i(math.IsNaN(y)))
		case s.Plan.Smaller:
			return cmp.Compare(x, y)
		}
		return cmp.Compare(y, x)
	})
	return settings, means
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// survivors are the runs of the settings that go on after a rung.
func (s *Sweep) survivors(trials []Trial, share float64) (on []Trial) {
	settings, _ := s.ranked(trials, share)
	settings = settings[:s.Plan.goOn(len(settings))]
	for _, t := range trials {
		if slices.Contains(settings, t.Setting) {
			on = append(on, t)
		}
	}
	return on
}

func (s *Sweep) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.Out, format+"\n", args...)
}

// A Standing is where a setting stands.
type Standing struct {
	Setting int      `json:"setting"`
	Sets    []string `json:"sets"`
	Runs    []string `json:"runs"`
	Done    int      `json:"done"`            // runs that are finished
	Step    int64    `json:"step"`            // of the run that is the furthest
	Figure  *float64 `json:"figure"`          // mean of the runs that have one, null without
	State   string   `json:"state,omitempty"` // "finished", "under way" or "waiting"
}

// Standings are those of all settings: who has come further first, then the best first.
func (s *Sweep) Standings() (all []Standing) {
	trials := s.Plan.List()
	settings, means := s.ranked(trials, 1)
	for _, id := range settings {
		st := Standing{Setting: id, State: "waiting"}
		if m := means[id]; !math.IsNaN(m) {
			st.Figure = &m
		}
		for _, t := range trials {
			if t.Setting != id {
				continue
			}
			st.Sets, st.Runs = t.Sets, append(st.Runs, t.Name())
			if _, err := os.Stat(filepath.Join(s.dir(t), checkpoint.RunModel)); err == nil {
				st.Done++
			}
			_, step := s.value(t, 1)
			st.Step = max(st.Step, step)
		}
		switch {
		case st.Done == len(st.Runs):
			st.State = "finished"
		case st.Step > 0:
			st.State = "under way"
		}
		all = append(all, st)
	}
	slices.SortStableFunc(all, func(a, b Standing) int { return cmp.Compare(b.Done, a.Done) })
	return all
}

// Print writes standings for people. Those that halving left behind are where they stopped.
func Print(w io.Writer, p *Plan, all []Standing) error {
	kind, name := p.metric()
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "SETTING\tRUNS\tDONE\tSTEP\t%s\n", strings.ToUpper(kind+" "+name))
	for _, s := range all {
		figure := "-"
		if s.Figure != nil {
			figure = fmt.Sprintf("%.4g", *s.Figure)
		}
		fmt.Fprintf(t, "%s\t%s\t%d of %d\t%d\t%s\n", strings.Join(s.Sets, " "), strings.Join(s.Runs, " "), s.Done, len(s.Runs), s.Step, figure)
	}
	return t.Flush()
}
