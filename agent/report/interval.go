package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// An Interval is a mean with what 95 % confidence leaves of it, by Student's t for the few runs that there
// are: it supposes that figures of seeds are normal.
type Interval struct {
	N          int
	Mean       float64
	Half       float64 // the mean is within Half; NaN of fewer than 2 values
	Least, Max float64
}

// Of is the interval of values.
func Of(values []float64) Interval {
	i := Interval{N: len(values), Mean: math.NaN(), Half: math.NaN(), Least: math.NaN(), Max: math.NaN()}
	if i.N == 0 {
		return i
	}
	mean, std := stat.MeanStdDev(values, nil)
	i.Mean, i.Least, i.Max = mean, slices.Min(values), slices.Max(values)
	if i.N > 1 {
		t := distuv.StudentsT{Sigma: 1, Nu: float64(i.N - 1)}
		i.Half = t.Quantile(0.975) * std / math.Sqrt(float64(i.N))
	}
	return i
}

func (i Interval) String() string {
	switch {
	case i.N == 0:
		return "–"
	case i.N == 1:
		return number(i.Mean)
	}
	return fmt.Sprintf("%s ± %s", number(i.Mean), number(i.Half))
}

// number is a figure in three digits or so, as people write it.
func number(v float64) string {
	rounded, _ := strconv.ParseFloat(fmt.Sprintf("%.3g", v), 64) // 999,936 is 1M
	switch a := math.Abs(rounded); {
	case math.IsNaN(v):
		return "–"
	case a >= 1e4:
		size, name := unit(a)
		return fmt.Sprintf("%.3g%s", rounded/size, name)
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 0.001 || a == 0:
		return fmt.Sprintf("%.3f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

// unit is what a number from 10,000 on is counted in; those from 1e12 on have a power of ten.
func unit(a float64) (size float64, name string) {
	switch {
	case a >= 1e12:
		return 1, ""
	case a >= 1e9:
		return 1e9, "G"
	case a >= 1e6:
		return 1e6, "M"
	}
	return 1e3, "k"
}

// A Curve is a metric over the runs of a group.
type Curve struct {
	Steps            []float64
	Mean, Least, Max []float64 // over the runs that have come so far
}

// mostPoints is more than a figure can show.
const mostPoints = 400

// Curve is g's metric: at every step that a run has a line of, the values of all runs, between their lines on
// straight ones. It ends where fewer than half of the runs go on.
func (g *Group) Curve(k Key) (c Curve) {
	var all []Series
	var steps []int64
	for _, r := range g.Runs {
		if s := r.Series[k]; len(s) > 0 {
			all = append(all, s)
			for _, p := range s {
				steps = append(steps, p.Step)
			}
		}
	}
	slices.Sort(steps)
	steps = slices.Compact(steps)
	for i, n := 0, len(steps); i < n; i++ {
		if n > mostPoints && i*mostPoints/n == (i-1)*mostPoints/n && i > 0 && i < n-1 {
			continue
		}
		var values []float64
		for _, s := range all {
			if v, ok := s.at(steps[i]); ok {
				values = append(values, v)
			}
		}
		if 2*len(values) < len(all) || len(values) == 0 {
			continue
		}
		c.add(float64(steps[i]), stat.Mean(values, nil), slices.Min(values), slices.Max(values))
	}
	return c
}

func (c *Curve) add(step, mean, least, most float64) {
	c.Steps, c.Mean = append(c.Steps, step), append(c.Mean, mean)
	c.Least, c.Max = append(c.Least, least), append(c.Max, most)
}

// at is the value at a step between the first and the last.
func (s Series) at(step int64) (float64, bool) {
	i, exact := slices.BinarySearchFunc(s, step, func(p Point, step int64) int { return int(p.Step - step) })
	switch {
	case exact:
		return s[i].Value, true
	case i == 0 || i == len(s):
		return 0, false
	}
	a, b := s[i-1], s[i]
	share := float64(step-a.Step) / float64(b.Step-a.Step)
	return a.Value + share*(b.Value-a.Value), true
}
