package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"image/color"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/internal/output"
	"github.com/ponder-agents/ponder/internal/shell"
)

// A Level is a figure that runs are to reach: after how many steps did they?
type Level struct {
	Metric string
	Value  float64
}

// Options say what a page has besides.
type Options struct {
	Title  string // "" means "Runs"
	Levels []Level
	Now    time.Time // when it is, for runs that have been silent
}

// A Page is a report.
type Page struct {
	Title   string
	Groups  []*Group
	Notes   []string
	Figures []Figure

	options Options
}

// New makes the page of groups. Notes are shown at its end.
func New(groups []*Group, notes []string, o Options) (*Page, error) {
	if o.Title == "" {
		o.Title = "Runs"
	}
	if err := o.check(groups); err != nil {
		return nil, err
	}
	figures, left, err := Figures(groups)
	if err != nil {
		return nil, err
	}
	notes = append(notes, left...)
	if len(groups) > 1 && len(shared(groups)) == 0 {
		notes = append(notes, "no metric is in all groups: each figure shows those that have it")
	}
	return &Page{Title: o.Title, Groups: groups, Notes: notes, Figures: figures, options: o}, nil
}

// check refuses levels that no run can reach.
func (o Options) check(groups []*Group) error {
	for _, l := range o.Levels {
		if math.IsNaN(l.Value) {
			return fmt.Errorf("level of %s: NaN is none to reach", l.Metric)
		}
		if !slices.ContainsFunc(groups, func(g *Group) bool { _, ok := g.reaches(l.Metric); return ok }) {
			return fmt.Errorf("level of %s: no run has this metric", l.Metric)
		}
	}
	return nil
}

// shared are the metrics that every group has.
func shared(groups []*Group) map[Key]bool {
	all := groups[0].keys()
	for _, g := range groups[1:] {
		has := g.keys()
		maps.DeleteFunc(all, func(k Key, _ bool) bool { return !has[k] })
	}
	return all
}

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// A view is what the template sees.
type view struct {
	Title    string
	Summary  string
	Finals   table
	Reached  *table
	Sections []viewSection
	Exams    *table
	Differ   *table
	Same     []setting
	Runs     table
	Notes    []string
}

type viewSection struct {
	Name    string
	Figures []viewFigure
}

type viewFigure struct {
	Title, Caption string
	SVG            template.HTML
}

// A table has a head, and rows that may be of a group.
type table struct {
	Head []string
	Rows []tableRow
}

type tableRow struct {
	Color string // of its group; "" for none
	Cells []string
}

type setting struct{ Field, Value string }

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// WriteHTML writes the page: one file with all in it.
func (p *Page) WriteHTML(w io.Writer) error {
	v := view{Title: p.Title, Finals: p.finals(), Reached: p.reached(), Exams: p.exams(), Runs: p.runs(), Notes: p.Notes}
	v.Summary = p.summary()
	v.Differ, v.Same = p.settings()
	for _, f := range p.Figures {
		svg, err := f.SVG()
		if err != nil {
			return fmt.Errorf("figure %s: %w", f.Name, err)
		}
		if n := len(v.Sections); n == 0 || v.Sections[n-1].Name != f.Section {
			v.Sections = append(v.Sections, viewSection{Name: f.Section})
		}
		s := &v.Sections[len(v.Sections)-1]
		s.Figures = append(s.Figures, viewFigure{f.Title, f.Caption, template.HTML(svg)})
	}
	return pageTemplate.Execute(w, v)
}

// WritePNGs writes every figure into a folder that is there or is made.
func (p *Page) WritePNGs(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range p.Figures {
		png, err := f.PNG()
		if err == nil {
			err = output.WriteFile(filepath.Join(dir, f.Name+".png"), func(w io.Writer) error {
				_, err := w.Write(png)
				return err
			})
		}
		if err != nil {
			return fmt.Errorf("figure %s: %w", f.Name, err)
		}
	}
	return nil
}

func (p *Page) summary() string {
	runs, machines := 0, map[string]bool{}
	for _, g := range p.Groups {
		runs += len(g.Runs)
		for _, r := range g.Runs {
			if r.Info.Machine != "" {
				machines[r.Info.Machine] = true
			}
		}
	}
	s := fmt.Sprintf("%d runs in %d groups; the runs of a group differ in nothing but the seed.", runs, len(p.Groups))
	if len(machines) > 0 {
		s += " On " + strings.Join(slices.Sorted(maps.Keys(machines)), "; ") + "."
	}
	return s
}

// finals are the figures that the groups end with.
func (p *Page) finals() table {
	t := table{Head: []string{"group", "seeds", "steps"}}
	var keys []Key
	for _, k := range sorted(p.Groups) {
		if s := section(k.Name); s == Learned || s == Thought && k.Kind == "eval" || k == (Key{"eval", "loss"}) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		keys = []Key{{"train", "loss"}}
	}
	for _, k := range keys {
		t.Head = append(t.Head, k.String())
	}
	for i, g := range p.Groups {
		var seeds []string
		var steps []float64
		for _, r := range g.Runs {
			seeds, steps = append(seeds, fmt.Sprint(r.Info.Seed)), append(steps, float64(r.Step))
		}
		cells := []string{g.Name, strings.Join(seeds, ", "), span(Of(steps), whole)}
		for _, k := range keys {
			v := Of(g.Final(k))
			cell := v.String()
			if v.N > 1 {
				cell += "\n" + span(v, number)
			}
			cells = append(cells, cell)
		}
		t.Rows = append(t.Rows, tableRow{hex(Color(i)), cells})
	}
	return t
}

// span is from the least to the most, each as write says.
func span(i Interval, write func(float64) string) string {
	if i.Least == i.Max || i.N < 2 {
		return write(i.Mean)
	}
	return write(i.Least) + " to " + write(i.Max)
}

// whole is a number of steps.
func whole(v float64) string {
	if v < 1e4 {
		return fmt.Sprintf("%.0f", v)
	}
	return number(v)
}

// reached says when runs came to the levels that were asked for.
func (p *Page) reached() *table {
	if len(p.options.Levels) == 0 {
		return nil
	}
	t := &table{Head: []string{"group"}}
	for _, l := range p.options.Levels {
		t.Head = append(t.Head, fmt.Sprintf("%s of %v", strings.ReplaceAll(l.Metric, "_", " "), l.Value))
	}
	for i, g := range p.Groups {
		cells := []string{g.Name}
		for _, l := range p.options.Levels {
			k, ok := g.reaches(l.Metric)
			if !ok {
				cells = append(cells, "–")
				continue
			}
			steps, never := g.Reach(k, l.Value)
			cell := ""
			if len(steps) > 0 {
				slices.Sort(steps)
				var all []string
				for _, s := range steps {
					all = append(all, whole(s))
				}
				cell = "after " + strings.Join(all, ", ") + " steps"
			}
			if never > 0 {
				cell = strings.TrimPrefix(fmt.Sprintf("%s; %d of %d never", cell, never, len(g.Runs)), "; ")
			}
			cells = append(cells, cell)
		}
		t.Rows = append(t.Rows, tableRow{hex(Color(i)), cells})
	}
	return t
}

// exams are the lines of `ponder eval agent --json` beside the runs.
func (p *Page) exams() *table {
	t := &table{Head: []string{"model", "world", "levels", "episodes", "return", "success", "SPL", "segments an action", "segments an episode", "regret"}}
	optional := func(v *float64) string {
		if v == nil {
			return ""
		}
		return number(*v)
	}
	for i, g := range p.Groups {
		for _, r := range g.Runs {
			for _, e := range r.Exams {
				t.Rows = append(t.Rows, tableRow{hex(Color(i)), []string{
					e.Model, e.Env, levels(e), fmt.Sprint(e.Episodes), fmt.Sprintf("%s ± %s", number(e.MeanReturn), number(1.96*e.ReturnError)),
					number(e.Success), optional(e.SPL), number(e.MeanSegments), number(e.SegmentsPerEpisode), optional(e.Regret),
				}})
			}
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return t
}

func levels(e exam.AgentResult) string { return strings.TrimSpace(e.Split + " " + e.Levels) }

// settings are the fields in which the groups differ, and those that all share.
func (p *Page) settings() (differ *table, same []setting) {
	fields := differing(p.Groups)
	if len(fields) > 0 {
		differ = &table{Head: []string{"field"}}
		for _, g := range p.Groups {
			differ.Head = append(differ.Head, g.Name)
		}
		for _, field := range fields {
			cells := []string{field}
			for _, g := range p.Groups {
				cells = append(cells, g.Settings[field])
			}
			differ.Rows = append(differ.Rows, tableRow{"", cells})
		}
	}
	config := p.Groups[0].Runs[0].Config
	for _, field := range slices.Sorted(maps.Keys(config)) {
		if field != seedField && !slices.Contains(fields, field) {
			same = append(same, setting{field, config[field]})
		}
	}
	return differ, same
}

// runs are all of them, with what began them.
func (p *Page) runs() table {
	t := table{Head: []string{"run", "seed", "state", "step", "took", "command"}}
	for i, g := range p.Groups {
		for _, r := range g.Runs {
			t.Rows = append(t.Rows, tableRow{hex(Color(i)), []string{
				r.Dir, fmt.Sprint(r.Info.Seed), r.State(p.options.Now), fmt.Sprint(r.Step), runlog.Span(time.Duration(r.Took * float64(time.Second))), shell.Join(r.Info.Command),
			}})
		}
	}
	return t
}
