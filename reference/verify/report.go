package verify

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// A Report is what came of one file.
type Report struct {
	File            string      `json:"file"`
	Engine          string      `json:"engine"` // what computed: "torch" or "go"
	Format          string      `json:"format"`
	Skipped         bool        `json:"skipped,omitempty"` // not a case; not a failure
	Quantities      []*Quantity `json:"quantities,omitempty"`
	TensorsInFile   int         `json:"tensors_in_file"`
	TensorsCompared int         `json:"tensors_compared"`
	NotCompared     []string    `json:"not_compared,omitempty"`    // tensors that are excepted
	NotThisEngine   []string    `json:"not_this_engine,omitempty"` // tensors of what the engine does not compute: training
	Problems        []string    `json:"problems,omitempty"`        // unreadable file, unknown key, missing value
}

// OK reports whether everything is within its limit.
func (r *Report) OK() bool {
	return len(r.Problems) == 0 && !slices.ContainsFunc(r.Quantities, (*Quantity).Over)
}

// A Quantity is one kind of value over all its tensors.
type Quantity struct {
	Name    string  `json:"name"`
	MaxAbs  float64 `json:"max_abs"`
	RelL2   float64 `json:"rel_l2"` // relative L2 distance, the largest of a tensor
	Limit   float64 `json:"limit"`
	Measure Measure `json:"measure"` // what the limit is for
	Tensors int     `json:"tensors"`
	NaN     bool    `json:"nan,omitempty"`
}

// Measure says which difference a limit bounds.
type Measure string

// The measures.
const (
	MaxAbs   Measure = "max_abs"
	Relative Measure = "rel_l2"
	Exact    Measure = "exact"
)

// Over reports whether the quantity exceeds its limit.
func (q *Quantity) Over() bool {
	switch {
	case q.NaN:
		return true
	case q.Measure == Relative:
		return !(q.RelL2 <= q.Limit)
	}
	return !(q.MaxAbs <= q.Limit)
}

func (r *Report) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// compare adds the difference of one tensor to the quantity called name.
func (r *Report) compare(name string, m Measure, limit float64, key string, got, want []float64) {
	i := slices.IndexFunc(r.Quantities, func(q *Quantity) bool { return q.Name == name })
	if i < 0 {
		i = len(r.Quantities)
		r.Quantities = append(r.Quantities, &Quantity{Name: name, Measure: m, Limit: limit})
	}
	q := r.Quantities[i]
	q.Tensors++
	r.TensorsCompared++
	if len(got) != len(want) {
		r.problem("%s: %d values, want %d", key, len(got), len(want))
		return
	}
	var diff, norm float64
	for j := range want {
		d := got[j] - want[j]
		if math.IsNaN(d) || math.IsInf(d, 0) {
			q.NaN = true
		}
		q.MaxAbs = math.Max(q.MaxAbs, math.Abs(d))
		diff += d * d
		norm += want[j] * want[j]
	}
	if rel := math.Sqrt(diff / norm); diff > 0 {
		q.RelL2 = math.Max(q.RelL2, rel)
	}
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) {
	if r.Skipped {
		fmt.Fprintf(w, "skip  %s\n", r.File)
		return
	}
	verdict := "ok   "
	if !r.OK() {
		verdict = "FAIL "
	}
	fmt.Fprintf(w, "%s %s (%s, %d of %d tensors compared)\n", verdict, r.File, r.Format, r.TensorsCompared, r.TensorsInFile)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, q := range r.Quantities {
		mark := ""
		if q.NaN {
			mark = "NaN"
		}
		if q.Over() {
			mark += " OVER"
		}
		fmt.Fprintf(t, "      %s\tmax_abs %.2e\trel_l2 %.2e\tlimit %g %s\t%d tensors\t%s\n", q.Name, q.MaxAbs, q.RelL2, q.Limit, q.Measure, q.Tensors, mark)
	}
	t.Flush()
	if n := len(r.NotThisEngine); n > 0 {
		fmt.Fprintf(w, "      %d tensors are of what engine %s does not compute\n", n, r.Engine)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(w, "      problem: %s\n", p)
	}
}
