package sweep

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/internal/text"
)

// A Plan is what the file of a sweep says.
type Plan struct {
	Train   string         `toml:"train"`   // what ponder train is given: a TOML file, by its place from here, or a recipe
	Args    []string       `toml:"args"`    // further arguments of it
	Method  string         `toml:"method"`  // "grid", of all values ("" too), or "random"
	Trials  int            `toml:"trials"`  // of a random search: settings that are drawn
	Seed    uint64         `toml:"seed"`    // of the draw
	Seeds   []uint64       `toml:"seeds"`   // every setting is trained with each; none means 1
	Metric  string         `toml:"metric"`  // by which settings are compared; "" means train mean_return
	Smaller bool           `toml:"smaller"` // less of it is better
	Stop    string         `toml:"stop"`    // "halving", or "" for never
	Rungs   []float64      `toml:"rungs"`   // shares of a run after which it is decided who goes on; none means 0.25, 0.5
	Keep    float64        `toml:"keep"`    // share of the settings that goes on; 0 means 0.5
	Fields  map[string]any `toml:"fields"`  // by dotted names: a list of values, or {low, high, log}
}

// What a sweep may be.
const (
	mostRuns = 10_000
	mostFile = 1 << 20
)

// Read reads the file of a sweep. Errors of it name file and line.
func Read(file string) (*Plan, []byte, error) {
	read, err := text.ReadFile(file, mostFile)
	if err != nil {
		return nil, nil, err
	}
	raw := []byte(read)
	if err := run.CheckDepth(file, raw); err != nil {
		return nil, nil, err
	}
	p := &Plan{}
	dec := toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields()
	if err := dec.Decode(p); err != nil {
		if missing, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(missing.Errors) > 0 {
			e := &missing.Errors[0]
			line, col := e.Position()
			return nil, nil, fmt.Errorf("%s:%d:%d: field %s: unknown", file, line, col, strings.Join(e.Key(), "."))
		}
		if at, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, col := at.Position()
			return nil, nil, fmt.Errorf("%s:%d:%d: %w", file, line, col, err)
		}
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := p.Check(); err != nil {
		return nil, nil, run.Locate(file, raw, err)
	}
	return p, raw, nil
}

// Check reports every problem of p at once.
func (p *Plan) Check() error {
	var bad problems.List
	bad.Add(p.Train == "", "train", "empty, want a TOML file or a recipe")
	bad.Add(p.Method != "" && p.Method != "grid" && p.Method != "random", "method", "%q, want grid or random", p.Method)
	bad.Add(p.Method == "random" && (p.Trials < 1 || p.Trials > mostRuns), "trials", "%d, want 1 to %d", p.Trials, mostRuns)
	bad.Add(p.Method != "random" && p.Trials != 0, "trials", "%d, which is for method random", p.Trials)
	bad.Add(p.Metric != "" && len(strings.Fields(p.Metric)) != 2, "metric", `%q, want a kind and a name, as "eval success"`, p.Metric)
	bad.Add(p.Stop != "" && p.Stop != "halving", "stop", "%q, want halving, or nothing", p.Stop)
	bad.Add(!(p.Keep >= 0 && p.Keep < 1), "keep", "%v, want 0 to below 1", p.Keep)
	last := 0.0
	for _, r := range p.Rungs {
		bad.Add(!(r > last && r < 1), "rungs", "%v, want rising shares between 0 and 1", p.Rungs)
		last = r
	}
	for i, seed := range p.Seeds {
		bad.Add(slices.Contains(p.Seeds[:i], seed), "seeds", "%v, want each once", p.Seeds)
	}
	bad = append(bad, p.checkArgs()...)
	bad.Add(len(p.Fields) == 0, "fields", "empty, want a field or more to vary")
	dims, err := p.dimensions()
	if bad = append(bad, err); bad.Err() == nil {
		n := 1
		for _, d := range dims {
			n = min(n*max(1, len(d.values)), mostRuns+1)
		}
		if p.Method == "random" {
			n = p.Trials
		}
		n *= max(1, len(p.Seeds))
		bad.Add(n > mostRuns, "fields", "%d runs or more with the seeds, want at most %d", n, mostRuns)
	}
	return bad.Err()
}

// given are the flags of ponder train that a sweep gives itself: what args say of them would go before it, or be lost.
var given = []string{"dry-run", "out", "resume", "seed", "threads", "until"}

// checkArgs is what args must not say.
func (p *Plan) checkArgs() (bad problems.List) {
	for i, arg := range p.Args {
		flag, value, joined := strings.Cut(arg, "=")
		name, ok := strings.CutPrefix(flag, "--")
		bad.Add(arg == "--", "args", "%q, want flags alone", p.Args)
		bad.Add(ok && slices.Contains(given, name), "args", "%q, want no --%s: the sweep gives it", p.Args, name)
		if name == "set" && !joined && i+1 < len(p.Args) {
			value = p.Args[i+1]
		}
		key, _, _ := strings.Cut(value, "=")
		bad.Add(name == "set" && isSeed(strings.TrimSpace(key)), "args", "%q, want no seed: seeds has them", p.Args)
	}
	return bad
}

// isSeed reports whether a field is what seeds sets; names in JSON are the same in capitals.
func isSeed(field string) bool { return strings.EqualFold(field, "seed") }

// A dimension is a field with what it may be.
type dimension struct {
	field     string
	values    []any
	low, high float64
	log       bool
	whole     bool
}

// dimensions are the fields that vary, sorted by name.
func (p *Plan) dimensions() (dims []dimension, err error) {
	var bad problems.List
	var walk func(path string, v any)
	walk = func(path string, v any) {
		field := strings.TrimPrefix(path, "fields.")
		bad.Add(isSeed(field), path, "%v, want none: seeds has them", v)
		switch v := v.(type) {
		case []any:
			bad.Add(len(v) == 0, path, "empty, want values")
			dims = append(dims, dimension{field: field, values: v})
		case map[string]any:
			if v["low"] == nil && v["high"] == nil {
				for name, x := range v {
					walk(path+"."+name, x)
				}
				return
			}
			d := dimension{field: field}
			low, whole1, ok1 := numeric(v["low"])
			high, whole2, ok2 := numeric(v["high"])
			d.low, d.high, d.whole = low, high, whole1 && whole2
			d.log, _ = v["log"].(bool)
			for name := range v {
				bad.Add(name != "low" && name != "high" && name != "log", path+"."+name, "unknown, want low, high and log")
			}
			bad.Add(!ok1 || !ok2 || !(low < high), path, "%v to %v, want low below high", v["low"], v["high"])
			bad.Add(d.log && !(low > 0), path+".log", "true from %v on, want a low above 0", v["low"])
			bad.Add(p.Method != "random", path, "a range, which is for method random; want a list")
			dims = append(dims, d)
		default:
			bad.Add(true, path, "%v, want a list of values, or {low, high}", v)
		}
	}
	for name, v := range p.Fields {
		walk("fields."+name, v)
	}
	slices.SortFunc(dims, func(a, b dimension) int { return strings.Compare(a.field, b.field) })
	return dims, bad.Err()
}

func numeric(v any) (x float64, whole, ok bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true, true
	case float64:
		return v, false, !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	return 0, false, false
}

// draw draws a value.
func (d dimension) draw(r *rand.Rand) any {
	if d.values != nil {
		return d.values[r.IntN(len(d.values))]
	}
	low, high := d.low, d.high
	if d.whole {
		high++ // itself included
	}
	x := low + r.Float64()*(high-low)
	if d.log {
		x = math.Exp(math.Log(low) + r.Float64()*(math.Log(high)-math.Log(low)))
	}
	if d.whole {
		return int64(min(math.Floor(x), d.high))
	}
	return x
}

// A Trial is a run: a setting with a seed.
type Trial struct {
	Index   int      `json:"index"`
	Setting int      `json:"setting"`
	Sets    []string `json:"sets"` // KEY=VALUE of the setting
	Seed    uint64   `json:"seed"`
}

// Name is of its folder.
func (t Trial) Name() string { return fmt.Sprintf("run-%03d", t.Index) }

// List is all runs, setting by setting.
func (p *Plan) List() (trials []Trial) {
	dims, _ := p.dimensions()
	var settings [][]string
	if p.Method == "random" {
		r := rand.New(rand.NewPCG(p.Seed, 0))
		for range p.Trials {
			var sets []string
			for _, d := range dims {
				sets = append(sets, d.field+"="+literal(d.draw(r)))
			}
			settings = append(settings, sets)
		}
	} else {
		settings = [][]string{nil}
		for _, d := range dims {
			var next [][]string
			for _, s := range settings {
				for _, v := range d.values {
					next = append(next, append(slices.Clone(s), d.field+"="+literal(v)))
				}
			}
			settings = next
		}
	}
	seeds := p.Seeds
	if len(seeds) == 0 {
		seeds = []uint64{1}
	}
	for i, s := range settings {
		for _, seed := range seeds {
			trials = append(trials, Trial{Index: len(trials), Setting: i, Sets: s, Seed: seed})
		}
	}
	return trials
}

// literal is a value as TOML.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	case []any:
		var parts []string
		for _, x := range v {
			parts = append(parts, literal(x))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// trainFile is the file that the plan in file trains, "" if it names a recipe.
func (p *Plan) trainFile(file string) string {
	if filepath.Ext(p.Train) != ".toml" || filepath.IsAbs(p.Train) {
		if filepath.Ext(p.Train) == ".toml" {
			return p.Train
		}
		return ""
	}
	return filepath.Join(filepath.Dir(file), p.Train)
}

func (p *Plan) metric() (kind, name string) {
	if p.Metric == "" {
		return "train", "mean_return"
	}
	f := strings.Fields(p.Metric)
	return f[0], f[1]
}

// rungs are shares of a run, the last is all of it.
func (p *Plan) rungs() []float64 {
	switch {
	case p.Stop == "":
		return []float64{1}
	case len(p.Rungs) == 0:
		return []float64{0.25, 0.5, 1}
	}
	return append(slices.Clone(p.Rungs), 1)
}

// goOn is how many of n settings go on.
func (p *Plan) goOn(n int) int {
	keep := p.Keep
	if keep == 0 {
		keep = 0.5
	}
	return max(1, int(math.Ceil(keep*float64(n)-1e-9)))
}
