package report

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ponder-agents/ponder/agent/run"
)

// seedField is the one in which the runs of a group differ.
const seedField = "seed"

// A Group is runs whose configurations differ in nothing but the seed.
type Group struct {
	Name     string
	Runs     []*Run
	Settings map[string]string // those fields in which the groups differ
}

// mostNamed is how many fields make a name that people can read.
const mostNamed = 4

// Groups sorts runs into groups, in the order of the first of each, and names them by what they differ in.
func Groups(runs []*Run) (groups []*Group) {
	byKey := map[string]*Group{}
	for _, r := range runs {
		key := r.Info.Learner
		for _, field := range slices.Sorted(maps.Keys(r.Config)) {
			if field != seedField {
				key += "\n" + field + "=" + r.Config[field]
			}
		}
		g := byKey[key]
		if g == nil {
			g = &Group{}
			byKey[key], groups = g, append(groups, g)
		}
		g.Runs = append(g.Runs, r)
	}
	differ := differing(groups)
	names := map[string]int{}
	for _, g := range groups {
		g.Settings = map[string]string{}
		var parts []string
		for _, field := range differ {
			v, ok := g.Runs[0].Config[field]
			if g.Settings[field] = v; ok && v != "" {
				parts = append(parts, short(field)+"="+v)
			}
		}
		if g.Name = strings.Join(parts, " "); len(parts) == 0 || len(parts) > mostNamed {
			g.Name = g.common()
		}
		names[g.Name]++
	}
	bases := map[string]int{}
	for _, g := range groups {
		bases[filepath.Base(g.Runs[0].Dir)]++
	}
	for _, g := range groups {
		if names[g.Name] > 1 {
			if g.Name = filepath.Base(g.Runs[0].Dir); bases[g.Name] > 1 {
				g.Name = g.Runs[0].Dir
			}
		}
	}
	return groups
}

// differing are the fields in which the groups differ, sorted.
func differing(groups []*Group) (fields []string) {
	all := map[string]map[string]bool{}
	for _, g := range groups {
		for field := range g.Runs[0].Config {
			all[field] = map[string]bool{}
		}
	}
	for field, values := range all {
		for _, g := range groups {
			values[g.Runs[0].Config[field]] = true
		}
		if len(values) > 1 && field != seedField {
			fields = append(fields, field)
		}
	}
	slices.Sort(fields)
	return fields
}

// short is a field's name without the tables that it is in.
func short(field string) string { return field[strings.LastIndexByte(field, '.')+1:] }

// common is what the folders of a group's runs are called but for a number at the end, or what is learned.
func (g *Group) common() string {
	c := g.Runs[0].Config
	for _, field := range []string{"env", "task"} {
		if v := c[field]; v != "" && len(g.Runs[0].Dir) > 40 {
			return v
		}
	}
	name := filepath.Base(g.Runs[0].Dir)
	for _, r := range g.Runs[1:] {
		for !strings.HasPrefix(filepath.Base(r.Dir), name) {
			_, last := utf8.DecodeLastRuneInString(name)
			name = name[:len(name)-last]
		}
	}
	if name = strings.TrimRight(name, "-_.=0123456789"); name == "" || name == "run" || name == "seed" {
		for _, field := range []string{"env", "task"} {
			if v := c[field]; v != "" {
				return v
			}
		}
		return g.Runs[0].Dir
	}
	return name
}

// keys are the metrics of any run of the group.
func (g *Group) keys() map[Key]bool {
	all := map[Key]bool{}
	for _, r := range g.Runs {
		for k := range r.Series {
			all[k] = true
		}
	}
	return all
}

// Final is the figure that each run of g has that metric end with: the last of an evaluation, the mean of
// the last tenth of the lines of training, which are noisier.
func (g *Group) Final(k Key) (values []float64) {
	for _, r := range g.Runs {
		if s := r.Series[k]; len(s) > 0 {
			n := 1
			if k.Kind != "eval" {
				n = max(1, len(s)/10)
			}
			sum := 0.0
			for _, p := range s[len(s)-n:] {
				sum += p.Value
			}
			values = append(values, sum/float64(n))
		}
	}
	return values
}

// Reach is the first step at which each run of g had the metric at least so large, or so small where less is better
// (run.Smaller); those that never had are counted in never.
func (g *Group) Reach(k Key, level float64) (steps []float64, never int) {
	there := func(p Point) bool { return p.Value >= level }
	if run.Smaller(k.Name) {
		there = func(p Point) bool { return p.Value <= level }
	}
	for _, r := range g.Runs {
		i := slices.IndexFunc(r.Series[k], there)
		if i < 0 {
			never++
		} else {
			steps = append(steps, float64(r.Series[k][i].Step))
		}
	}
	return steps, never
}

// reaches is the metric of that name in which g comes to a level, if g has it.
func (g *Group) reaches(name string) (k Key, ok bool) {
	all := g.keys()
	if k = (Key{"train", name}); !all[k] {
		k.Kind = "eval"
	}
	return k, all[k]
}

// String is for people.
func (k Key) String() string {
	return fmt.Sprintf("%s (%s)", strings.ReplaceAll(k.Name, "_", " "), k.Kind)
}
