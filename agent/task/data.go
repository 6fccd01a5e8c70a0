package task

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
)

func init() {
	Register(Family{Name: "rows", Data: []Data{
		{Kind: "dataset", Usage: "dataset:DIR         a dataset in the reference's format, as it is; its split test is held out", Open: openDataset},
		{Kind: "mix", Usage: "mix:A|B             rows of A and of B, half and half; mix:2*A|3*B two of A for three of B", Open: openMix},
		{Kind: "reveal", Usage: "reveal:N:A          rows of A, half of them with up to N of their answers given; as they are for evaluation", Open: openReveal},
	}})
}

// Open makes the training rows that a recipe's stage names: KIND:ARG, by the Data of that kind. Equal
// arguments give equal rows; heldOut asks for those that are kept for evaluation.
func Open(name string, seed uint64, heldOut bool) (Rows, error) {
	kind, arg, _ := strings.Cut(name, ":")
	d := dataOf(kind)
	var rows Rows
	err := error(NameErrorf("unknown kind, want one of %s", strings.Join(kinds(), ", ")))
	if d != nil {
		rows, err = d.Open(arg, seed, heldOut)
	}
	if err != nil {
		return Rows{}, fmt.Errorf("data %q: %w", name, err)
	}
	if rows.Task == "" {
		rows.Task = d.Task
	}
	return rows, nil
}

// kinds are all that Open knows.
func kinds() (all []string) {
	for _, f := range families {
		for _, d := range f.Data {
			all = append(all, d.Kind)
		}
	}
	return all
}

// Usage has a line for each form of the names that Open knows.
func Usage() string {
	var lines []string
	for _, f := range families {
		for _, d := range f.Data {
			lines = append(lines, d.Usage)
		}
	}
	return strings.Join(lines, "\n")
}

// A NameError is what is wrong with a data name itself, not with what it names.
type NameError struct{ Err error }

func (e *NameError) Error() string { return e.Err.Error() }
func (e *NameError) Unwrap() error { return e.Err }

// NameErrorf is the NameError of a message.
func NameErrorf(format string, args ...any) error {
	return &NameError{fmt.Errorf(format, args...)}
}

// openDataset is the train or test split of a dataset in the reference's format, in random order. A
// split stays open as long as the process lives.
func openDataset(dir string, seed uint64, heldOut bool) (Rows, error) {
	split := "train"
	if heldOut {
		split = "test"
	}
	set, err := puzzle.Open(dir, split)
	if err != nil {
		return Rows{}, err
	}
	if n := set.Meta.NumIdentifiers; n > 1 && set.Names == nil {
		err = fmt.Errorf("%s: missing, want the names of the %d identifiers", filepath.Join(dir, "identifiers.json"), n)
		return Rows{}, errors.Join(err, set.Close())
	}
	src, err := set.Shuffle(puzzle.Order{Seed: seed})
	if err != nil {
		return Rows{}, errors.Join(err, set.Close())
	}
	rows := Rows{Source: src}
	shape := set.Shape()
	if f := KindOf(shape); f != nil {
		rows.Task = f.Dataset
		side := int(math.Sqrt(float64(shape.SeqLen)))
		if side*side == shape.SeqLen { // as the boards of ponder's own families are
			rows.Rows, rows.Cols = side, side
		}
	}
	return rows, nil
}

// weighted reads N*NAME, a part of a mixture; N is 1 if there is none.
func weighted(part string) (float64, string) {
	if n, name, ok := strings.Cut(part, "*"); ok {
		if w, err := strconv.ParseFloat(n, 64); err == nil {
			return w, name
		}
	}
	return 1, part
}

// openMix takes each row from one of the parts, each as often as its weight says.
func openMix(arg string, seed uint64, heldOut bool) (Rows, error) {
	var parts []puzzle.Source
	var weights []float64
	var all Rows
	for i, part := range strings.Split(arg, "|") {
		weight, name := weighted(part)
		if !(weight > 0 && weight < 1e9) {
			return Rows{}, NameErrorf("%q: weight %v, want more than 0", part, weight)
		}
		rows, err := Open(name, rng.Stream(seed, fmt.Sprintf("mix/%d", i)).Uint64(), heldOut)
		if err != nil {
			return Rows{}, err
		}
		switch {
		case i == 0:
			all = rows
		case rows.Rows != all.Rows || rows.Cols != all.Cols:
			return Rows{}, fmt.Errorf("%q has a grid of %dx%d, those before %dx%d", name, rows.Rows, rows.Cols, all.Rows, all.Cols)
		case rows.Task != all.Task:
			return Rows{}, fmt.Errorf("%q is for task %q, those before for %q", name, rows.Task, all.Task)
		}
		parts, weights = append(parts, rows.Source), append(weights, weight)
	}
	mix, err := puzzle.Mix(seed, parts, weights)
	if err != nil {
		return Rows{}, err
	}
	all.Source, all.Names = mix, nil
	return all, nil
}

// openReveal makes every second row at random easier: up to so many of its answers stand in the question.
func openReveal(arg string, seed uint64, heldOut bool) (Rows, error) {
	most, name, _ := strings.Cut(arg, ":")
	n, err := strconv.Atoi(most)
	if err != nil || n < 1 {
		return Rows{}, NameErrorf("reveal %q, want reveal:N:A, N answers at most of rows of A", most)
	}
	rows, err := Open(name, rng.Stream(seed, "reveal").Uint64(), heldOut)
	if err != nil || heldOut {
		return rows, err
	}
	if t, err := Find(rows.Task); err != nil || !t.Given {
		return Rows{}, NameErrorf("reveal: the answers of task %q are no inputs", rows.Task)
	}
	rows.Source = puzzle.Augmented(rows.Source, seed, func(rng *rand.Rand, in, label []int32) {
		if rng.IntN(2) == 0 {
			return
		}
		// Each answer with the chance p, so that n·p are expected of a board that is empty.
		p := rng.Float64() * float64(n) / float64(len(in))
		for i, l := range label {
			if l >= 0 && rng.Float64() < p {
				in[i], label[i] = l, puzzle.Ignore
			}
		}
	})
	return rows, nil
}
