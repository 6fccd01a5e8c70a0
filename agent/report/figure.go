package report

import (
	"bytes"
	"cmp"
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The sections of a page, in their order.
const (
	Learned  = "What was learned"
	Thought  = "What it thought"
	Exams    = "Exams"
	Training = "How it learned"
)

// A Figure is a plot with its title.
type Figure struct {
	Section string
	Title   string
	Caption string
	Name    string // for a file, of letters, digits and dashes: "eval-mean-return"; no other figure of a page has it
	plot    *plot.Plot
	legend  []entry
	beyond  int // points that are left out, see farthest
}

type entry struct {
	name  string
	thumb plot.Thumbnailer
}

// The size of a figure, and the dots of a PNG.
const (
	width, height = 15 * vg.Centimeter, 8.5 * vg.Centimeter
	row           = 14 * vg.Length(1) // of the legend
	dotsPerInch   = 160
)

// farthest is the largest number in a figure: gonum's sums and differences must be finite, and it widens the axis of
// a lone number by 1, which is lost beside one above 2^53 (it panics).
const farthest = 1e15

// fits reports whether a point with these numbers can be drawn, and counts those that cannot.
func (f *Figure) fits(numbers ...float64) bool {
	for _, v := range numbers {
		if !(math.Abs(v) <= farthest) { // nor does NaN
			f.beyond++
			return false
		}
	}
	return true
}

// colors can be told apart by who sees red and green alike (Okabe and Ito 2008, "Color Universal Design").
var colors = []color.NRGBA{
	{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {230, 159, 0, 255}, {86, 180, 233, 255}, {60, 60, 60, 255},
}

// Color is what the group at that place is drawn in, everywhere.
func Color(group int) color.NRGBA { return colors[group%len(colors)] }

// stroke is its line, with dashes where the colors come again.
func stroke(group int) draw.LineStyle {
	s := draw.LineStyle{Color: Color(group), Width: vg.Points(1.6)}
	if turn := group / len(colors); turn > 0 {
		s.Dashes = []vg.Length{vg.Points(6 / float64(turn)), vg.Points(3)}
	}
	return s
}

// metrics that people look for come first, in the sections where they belong; shares lie between 0 and 1.
var metrics = map[string]struct {
	order   int
	section string
	share   bool
}{
	"exact_accuracy": {1, Learned, true}, "judged_accuracy": {2, Learned, true}, "cell_accuracy": {3, Learned, true},
	"mean_return": {4, Learned, false}, "success": {5, Learned, true}, "spl": {6, Learned, true},
	"mean_return_on_training_levels": {7, Learned, false}, "success_on_training_levels": {8, Learned, true},
	"mean_segments": {1, Thought, false}, "segments": {2, Thought, false}, "segments_per_episode": {3, Thought, false},
	"regret": {4, Thought, false}, "q_halt_accuracy": {5, Thought, true}, "price": {6, Thought, false},
	"loss": {1, Training, false}, "value_loss": {2, Training, false}, "q_halt_loss": {3, Training, false}, "entropy": {4, Training, false},
	"kl": {5, Training, false}, "grad_norm": {6, Training, false},
}

// drawn reports whether a metric is worth a figure: counts and speeds are not.
func drawn(name string) bool {
	return !strings.Contains(name, "time") && !strings.Contains(name, "per_second") && !slices.Contains([]string{"frames", "episodes", "count", "rows", "finished", "batch"}, name)
}

// isShare reports whether the metric lies between 0 and 1.
func isShare(name string) bool { return metrics[name].share || strings.Contains(name, "accuracy") }

// section is where a metric is shown.
func section(name string) string {
	switch m, ok := metrics[name]; {
	case ok:
		return m.section
	case strings.Contains(name, "segment"), strings.Contains(name, "halt"), strings.Contains(name, "regret"):
		return Thought
	case strings.Contains(name, "accuracy"):
		return Learned
	}
	return Training
}

// sorted are the metrics of the groups in the order of a page: evaluations before training.
func sorted(groups []*Group) []Key {
	all := map[Key]bool{}
	for _, g := range groups {
		maps.Copy(all, g.keys())
	}
	sections := []string{Learned, Thought, Training}
	keys := slices.Collect(maps.Keys(all))
	keys = slices.DeleteFunc(keys, func(k Key) bool { return !drawn(k.Name) })
	slices.SortFunc(keys, func(a, b Key) int {
		order := func(k Key) int { return cmp.Or(metrics[k.Name].order, 99) }
		return cmp.Or(
			slices.Index(sections, section(a.Name))-slices.Index(sections, section(b.Name)),
			strings.Compare(a.Kind, b.Kind), order(a)-order(b), strings.Compare(a.Name, b.Name))
	})
	return keys
}

// Figures are all that the groups have something for. A note says where points are left out.
func Figures(groups []*Group) (figures []Figure, notes []string, err error) {
	var all []func([]*Group) (Figure, bool, error)
	for _, k := range sorted(groups) {
		all = append(all, func(groups []*Group) (Figure, bool, error) { return curves(groups, k) })
	}
	for _, draw := range append(all, cost, rules, changes, regrets) {
		f, ok, err := draw(groups)
		if err != nil {
			return nil, nil, fmt.Errorf("figure %q: %w", f.Title, err)
		}
		if f.beyond > 0 {
			notes = append(notes, fmt.Sprintf("figure %q: points beyond ±%g left out: %d", f.Title, farthest, f.beyond))
		}
		if ok {
			figures = append(figures, f)
		}
	}
	slices.SortStableFunc(figures, func(a, b Figure) int {
		sections := []string{Learned, Thought, Exams, Training}
		return slices.Index(sections, a.Section) - slices.Index(sections, b.Section)
	})
	names := map[string]bool{} // without case, as some file systems have them
	for i := range figures {
		f := &figures[i]
		base := f.Name
		for n := 2; names[strings.ToLower(f.Name)]; n++ {
			f.Name = fmt.Sprintf("%s-%d", base, n)
		}
		names[strings.ToLower(f.Name)] = true
	}
	return figures, notes, nil
}

// fileName is a name with dashes for all but letters and digits, and not too long for a file.
func fileName(name string) string {
	parts := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	letters := []rune(strings.Join(parts, "-"))
	return string(letters[:min(len(letters), 50)])
}

// curves is a metric over the steps, one line a group, from the worst to the best seed a band. ok is false if
// no group has two points.
func curves(groups []*Group, k Key) (f Figure, ok bool, err error) {
	f = Figure{Section: section(k.Name), Title: title(k), Name: fileName(k.Kind + "-" + k.Name), plot: newPlot("steps", strings.ReplaceAll(k.Name, "_", " "))}
	for i, g := range groups {
		var c Curve
		all := g.Curve(k)
		for j, x := range all.Steps {
			if f.fits(x, all.Mean[j], all.Least[j], all.Max[j]) {
				c.add(x, all.Mean[j], all.Least[j], all.Max[j])
			}
		}
		if len(c.Steps) == 0 {
			continue
		}
		ok = ok || len(c.Steps) > 1
		if len(g.Runs) > 1 && len(c.Steps) > 1 {
			n := len(c.Steps)
			band := make(plotter.XYs, 2*n)
			for j, x := range c.Steps {
				band[j] = plotter.XY{X: x, Y: c.Max[j]}
				band[2*n-1-j] = plotter.XY{X: x, Y: c.Least[j]}
			}
			area, err := plotter.NewPolygon(band)
			if err != nil {
				return f, false, err
			}
			shade := Color(i)
			shade.A = 45
			area.Color, area.LineStyle.Width = shade, 0
			f.plot.Add(area)
		}
		points := make(plotter.XYs, len(c.Steps))
		for j, x := range c.Steps {
			points[j] = plotter.XY{X: x, Y: c.Mean[j]}
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return f, false, err
		}
		line.LineStyle = stroke(i)
		f.plot.Add(line)
		f.legend = append(f.legend, entry{g.Name, line})
		if len(points) == 1 {
			if err := f.scatter(points, i); err != nil {
				return f, false, err
			}
		}
	}
	f.Caption = "Mean over seeds; the band reaches from the worst to the best."
	if isShare(k.Name) {
		f.plot.Y.Min, f.plot.Y.Max = 0, 1.02
	}
	return f, ok, nil
}

// scatter adds points of a group.
func (f *Figure) scatter(points plotter.XYs, group int) error {
	s, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	s.GlyphStyle = glyph(group)
	f.plot.Add(s)
	return nil
}

// glyph is the point of a group, a square where the colors come again.
func glyph(group int) draw.GlyphStyle {
	s := draw.GlyphStyle{Color: Color(group), Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
	if group >= len(colors) {
		s.Shape = draw.BoxGlyph{}
	}
	return s
}

// title says a metric in words.
func title(k Key) string {
	words := strings.ReplaceAll(k.Name, "_", " ")
	_, first := utf8.DecodeRuneInString(words)
	words = strings.ToUpper(words[:first]) + words[first:]
	switch k.Kind {
	case "eval":
		return words + ", evaluations"
	case "train":
		return words + ", while training"
	}
	return words + ", " + k.Kind
}

// cost shows what a run came to against the segments that it thought.
func cost(groups []*Group) (f Figure, ok bool, err error) {
	for _, what := range []Key{{"eval", "success"}, {"eval", "exact_accuracy"}, {"eval", "mean_return"}} {
		for _, segments := range []Key{{"eval", "mean_segments"}, {"eval", "segments"}} {
			f = Figure{Section: Thought, Title: "What thinking bought", Name: "thinking", plot: newPlot("segments, at the end", strings.ReplaceAll(what.Name, "_", " ")+", at the end")}
			f.Caption = "Each point is a run as its last evaluation found it."
			least, most := math.Inf(1), math.Inf(-1)
			for i, g := range groups {
				var points plotter.XYs
				for _, r := range g.Runs {
					x, y := r.Series[segments], r.Series[what]
					if len(x) > 0 && len(y) > 0 {
						p := plotter.XY{X: x[len(x)-1].Value, Y: y[len(y)-1].Value}
						if f.fits(p.X, p.Y) {
							least, most, points = min(least, p.X), max(most, p.X), append(points, p)
						}
					}
				}
				if len(points) == 0 {
					continue
				}
				if err := f.scatter(points, i); err != nil {
					return f, false, err
				}
				f.legend = append(f.legend, entry{g.Name, dot(i)})
			}
			if most > least {
				if isShare(what.Name) {
					f.plot.Y.Min, f.plot.Y.Max = 0, 1.02
				}
				return f, true, nil
			}
		}
	}
	return f, false, nil
}

// regrets shows for each exam with branches at what share of the decisions it thought too little, or too long.
func regrets(groups []*Group) (f Figure, ok bool, err error) {
	f = Figure{
		Section: Exams, Title: "Was it thought long enough?", Name: "regret", plot: newPlot("", "share of decisions"),
		Caption: "A decision of every episode was branched after other numbers of segments (eval agent --regret): too short where a longer thought was worth more than its price, too long where a shorter one was.",
	}
	var names []string
	parts := [3]plotter.Values{}
	for _, g := range groups {
		for _, r := range g.Runs {
			for _, e := range r.Exams {
				if b := e.Branched; b != nil && f.fits(b.TooShort, b.Right, b.TooLong) {
					names = append(names, e.Model)
					for i, v := range []float64{b.TooShort, b.Right, b.TooLong} {
						parts[i] = append(parts[i], v)
					}
				}
			}
		}
	}
	if len(names) == 0 {
		return f, false, nil
	}
	var below *plotter.BarChart
	for i, name := range []string{"too short", "right", "too long"} {
		bars, err := plotter.NewBarChart(parts[i], min(vg.Points(40), width/vg.Length(len(names)+1)/2))
		if err != nil {
			return f, false, err
		}
		bars.Color, bars.LineStyle.Width = colors[[]int{1, 2, 0}[i]], 0
		if below != nil {
			bars.StackOn(below)
		}
		below = bars
		f.plot.Add(bars)
		f.legend = append(f.legend, entry{name, bars})
	}
	f.plot.NominalX(names...)
	f.plot.Y.Min, f.plot.Y.Max = 0, 1.02
	return f, true, nil
}

// A dot stands for a group in a legend of points.
type dot int

func (d dot) Thumbnail(c *draw.Canvas) {
	c.DrawGlyph(glyph(int(d)), c.Center())
}

// newPlot is an empty one in our style.
func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, s := range []*text.Style{&p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		s.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(9)}
		s.Color = color.Gray{60}
	}
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle.Color, a.Tick.LineStyle.Color, a.Tick.Marker = color.Gray{160}, color.Gray{160}, ticks{}
		a.Tick.Length, a.Padding = vg.Points(4), vg.Points(3)
	}
	grid := plotter.NewGrid()
	for _, l := range []*draw.LineStyle{&grid.Vertical, &grid.Horizontal} {
		l.Color, l.Width = color.Gray{230}, vg.Points(0.5)
	}
	p.Add(grid)
	return p
}

// ticks are gonum's with large numbers said shortly, and none between them.
type ticks struct{}

func (ticks) Ticks(least, most float64) (out []plot.Tick) {
	for _, t := range (plot.DefaultTicks{}).Ticks(least, most) {
		if t.Label == "" {
			continue
		}
		if a := math.Abs(t.Value); a >= 1e4 {
			size, name := unit(a)
			t.Label = fmt.Sprintf("%g%s", t.Value/size, name)
		}
		out = append(out, t)
	}
	return out
}

// draw draws the plot with its legend above.
func (f Figure) draw(c draw.Canvas) {
	if len(f.legend) > 1 {
		strip := draw.Crop(c, 0, 0, c.Max.Y-c.Min.Y-row*vg.Length(len(f.legend)), 0)
		l := plot.NewLegend()
		l.TextStyle, l.Left, l.Top, l.ThumbnailWidth, l.Padding = f.plot.Legend.TextStyle, true, true, vg.Points(24), vg.Points(2)
		for _, e := range f.legend {
			l.Add(e.name, e.thumb)
		}
		l.Draw(strip)
		c = draw.Crop(c, 0, 0, 0, -row*vg.Length(len(f.legend))-vg.Points(4))
	}
	f.plot.Draw(draw.Crop(c, 0, -vg.Points(8), 0, 0)) // room for half of the last label
}

// size is the figure's: the legend is not taken off the plot.
func (f Figure) size() (w, h vg.Length) {
	if n := len(f.legend); n > 1 {
		return width, height + row*vg.Length(n)
	}
	return width, height
}

// SVG is the figure as an element to stand in HTML.
func (f Figure) SVG() (string, error) {
	c := vgsvg.New(f.size())
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", err
	}
	s := b.String()
	return s[max(0, strings.Index(s, "<svg")):], nil // without the prologue of a file
}

// PNG is the figure as a file.
func (f Figure) PNG() ([]byte, error) {
	w, h := f.size()
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dotsPerInch))}
	f.draw(draw.New(c))
	var b bytes.Buffer
	_, err := c.WriteTo(&b)
	return b.Bytes(), err
}
