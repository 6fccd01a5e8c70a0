package arcs

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
)

// A Corpus is ARC tasks whose grids fit into a frame of Side rows and columns, each with augmented copies
// that have identifiers of their own. The demonstrations of all are learned from; their tests are held
// out, under the same identifiers.
type Corpus struct {
	Side   int // at most the constant Side
	Tasks  []*arc.Task
	Large  []*arc.Task // those that do not fit
	copies int
}

// ParseCorpus reads what a data name says after "arc:": SIDE:COPIES:DIR.
func ParseCorpus(arg string) (*Corpus, error) {
	f := strings.SplitN(arg, ":", 3)
	if len(f) < 3 {
		return nil, task.NameErrorf("want arc:SIDE:COPIES:DIR")
	}
	side, err1 := strconv.Atoi(f[0])
	copies, err2 := strconv.Atoi(f[1])
	if err1 != nil || err2 != nil || side < 1 || side > Side || copies < 0 {
		return nil, task.NameErrorf("side %q, copies %q: want 1 to %d and 0 or more", f[0], f[1], Side)
	}
	return ReadCorpus(arc.Reading{}, f[2], side, copies)
}

// ReadCorpus reads the tasks below path that fit.
func ReadCorpus(how arc.Reading, path string, side, copies int) (*Corpus, error) {
	all, _, err := arc.Read(how, path)
	if err != nil {
		return nil, err
	}
	a := &Corpus{Side: side, copies: copies}
	for _, t := range all {
		if !slices.ContainsFunc(slices.Concat(t.Train, t.Test), func(p arc.Pair) bool {
			return max(p.Input.Rows, p.Input.Cols, p.Output.Rows, p.Output.Cols) > side
		}) {
			a.Tasks = append(a.Tasks, t)
		} else {
			a.Large = append(a.Large, t)
		}
	}
	if len(a.Tasks) == 0 {
		return nil, fmt.Errorf("%s: none of %d tasks fits into %dx%d", filepath.Clean(path), len(all), side, side)
	}
	return a, nil
}

// Sets are the demonstrations and the tests of all tasks and copies in memory, frames cropped to Side:
// grids stand at the top left. The copies depend on the tasks alone.
func (a *Corpus) Sets() (demos, tests *puzzle.Set) {
	meta := puzzle.Meta{VocabSize: Vocab, SeqLen: a.Side * a.Side}
	d, t := puzzle.NewCollector(meta), puzzle.NewCollector(meta)
	names := []string{"<blank>"}
	for _, source := range a.Tasks {
		for _, c := range Copies(rng.Stream(0, "arc/"+source.Name).Rand, source, a.copies) {
			for _, part := range []struct {
				to    *puzzle.Collector
				pairs []arc.Pair
			}{{d, c.Train}, {t, c.Test}} {
				FramePairs(nil, part.pairs, func(in, label []int32) { part.to.Example(a.crop(in), a.crop(label)) })
				part.to.EndPuzzle(int32(len(names)))
			}
			names = append(names, c.Name)
		}
		d.EndGroup()
		t.EndGroup()
	}
	return d.Set(names), t.Set(names)
}

// Question is the input of a test of a task as the tokens of a cropped frame.
func (a *Corpus) Question(task, test int) []byte {
	frame := make([]int32, Side*Side)
	Frame(frame, &a.Tasks[task].Test[test].Input, 0, 0)
	var out []byte
	for _, t := range a.crop(frame) {
		out = append(out, byte(t))
	}
	return out
}

// crop is the top left Side rows and columns of a frame.
func (a *Corpus) crop(frame []int32) []int32 {
	out := make([]int32, 0, a.Side*a.Side)
	for r := range a.Side {
		out = append(out, frame[r*Side:r*Side+a.Side]...)
	}
	return out
}

// Frame writes cropped tokens into a whole frame, padding around; it undoes what Sets did.
func (a *Corpus) Frame(dst, tokens []int32) []int32 {
	dst = append(dst[:0], make([]int32, Side*Side)...)
	for r := range a.Side {
		copy(dst[r*Side:], tokens[r*a.Side:(r+1)*a.Side])
	}
	return dst
}

func open(arg string, seed uint64, heldOut bool) (task.Rows, error) {
	a, err := ParseCorpus(arg)
	if err != nil {
		return task.Rows{}, err
	}
	set, tests := a.Sets()
	if heldOut {
		set = tests
	}
	src, err := set.Shuffle(puzzle.Order{Seed: seed})
	return task.Rows{Source: src, Rows: a.Side, Cols: a.Side, Names: set.Names}, err
}
