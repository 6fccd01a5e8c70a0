package puzzle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/ponder-agents/ponder/internal/memory"
	"github.com/ponder-agents/ponder/internal/output"
)

// A Build says how a dataset is made from source puzzles. The same sources and Build give the same
// files, whatever the number of workers.
type Build struct {
	Augment  int                        // augmented copies of a training puzzle beside itself; published: 1000, for mazes 0 or 7
	Seed     uint64                     // of the copies and of the choice among the sources
	Compact  bool                       // uint8 tokens even where the reference writes int64 (augmented sudokus)
	Replace  bool                       // an existing dataset in the same folder gives way
	Workers  int                        // 0: as many as processors
	Progress func(groups, examples int) // may be nil; called after every group, from one goroutine
}

// A RowSplit is the sources of a split.
type RowSplit struct {
	Name      string // "train" or "test"; only "train" is augmented
	Rows      iter.Seq2[Row, error]
	MinRating int // rows rated lower are left out
	Limit     int // so many of the rest are drawn at random; 0: all
}

// A RowPlan says where the rows of a dataset come from: CSV files, or a generator.
type RowPlan struct {
	From                   string // folder with train.csv and test.csv, in place of Train and Test
	Train, Test            string // CSV files; their rows are read when they are asked for
	Limit, TestLimit       int    // of a CSV: so many of its rows, drawn at random; 0 means all
	Generate, GenerateTest int    // so many rows are generated instead
	MinRating              int
}

// A Generator makes n rows of a split.
type Generator func(split string, n int) iter.Seq2[Row, error]

// Splits are those of which p names a source. total is the number of groups, 0 where it is not known beforehand.
func (p RowPlan) Splits(generate Generator) (splits []RowSplit, total int, err error) {
	if p.From != "" {
		if p.Train != "" || p.Test != "" || p.Generate > 0 || p.GenerateTest > 0 {
			return nil, 0, errors.New("a folder stands for a CSV of each split; nothing is generated beside it")
		}
		p.Train, p.Test = filepath.Join(p.From, "train.csv"), filepath.Join(p.From, "test.csv")
	}
	known := true
	for _, s := range []struct {
		name, csv       string
		limit, generate int
	}{{"train", p.Train, p.Limit, p.Generate}, {"test", p.Test, p.TestLimit, p.GenerateTest}} {
		split := RowSplit{Name: s.name, MinRating: p.MinRating, Limit: s.limit}
		switch {
		case s.generate < 0 || s.limit < 0:
			return nil, 0, fmt.Errorf("%s split: a negative number of puzzles", s.name)
		case s.csv != "" && s.generate > 0:
			return nil, 0, fmt.Errorf("%s split: from a CSV or generated, not both", s.name)
		case s.generate > 0 && s.limit > 0:
			return nil, 0, fmt.Errorf("%s split: a limit is for CSV files; generate as many as you want", s.name)
		case s.generate > 0:
			split.Rows = generate(s.name, s.generate)
		case s.csv != "":
			split.Rows = ReadCSVFile(s.csv)
			known = known && s.limit > 0
		default:
			continue
		}
		splits, total = append(splits, split), total+s.generate+s.limit
	}
	if len(splits) == 0 {
		return nil, 0, errors.New("no source: neither a CSV nor a number of puzzles to generate")
	}
	if !known {
		total = 0
	}
	return splits, total, nil
}

// Examples is the number of examples as far as it is known beforehand.
func (p RowPlan) Examples(b Build) float64 {
	return float64(p.Generate+p.Limit)*float64(b.Augment+1) + float64(p.GenerateTest+p.TestLimit)
}

// CheckRoom reports whether the disk of dir holds so many examples of seq tokens, as many of a group as they are
// copies, and memory the groups in hand. wide tokens are those of Form.
func (b Build) CheckRoom(dir string, examples float64, seq int, wide bool) error {
	bytes := 1
	if wide && b.Augment > 0 && !b.Compact {
		bytes = 8
	}
	if err := output.CheckRoom(dir, examples*float64(2*bytes*seq)); err != nil {
		return err
	}
	const held = 4 // groups a worker: at work, done, and in the queue; of int32
	return memory.Check(fmt.Sprintf("%d augmented copies", b.Augment), float64(held*b.workers())*float64(b.Augment+1)*float64(2*4*seq))
}

func (b Build) workers() int { return cmp.Or(b.Workers, runtime.GOMAXPROCS(0)) }

// A Form is how a family's rows of text become examples.
type Form struct {
	Vocab func(cells int) int // of rows of so many cells
	Wide  bool                // augmented splits hold int64 tokens, as the reference's sudokus
	Parse func(Row) (in, label []int32, err error)
	// Augment makes copy i, from 1 on, of input and label src.
	Augment func(rng *rand.Rand, i int, dst, src [2][]int32)
}

// Rows writes a dataset of splits into dir. Its error names file and line.
func (b Build) Rows(ctx context.Context, dir string, splits []RowSplit, form Form) error {
	w, err := Create(dir, b.Replace)
	if err != nil {
		return err
	}
	defer w.Abort()
	groups, examples, cells := 0, 0, 0
	for _, split := range splits {
		copies := 0
		if split.Name == "train" {
			copies = b.Augment
		}
		zero := 0
		meta := Meta{IgnoreLabelID: &zero}
		var out *SplitWriter
		err := InOrder(ctx, split.choose(b.Seed), b.Workers, func(i int, row Row) ([][2][]int32, error) {
			in, label, err := form.Parse(row)
			if err != nil {
				return nil, err
			}
			group := [][2][]int32{{in, label}}
			rng := rowRand(b.Seed+nameHash(split.Name), uint64(i))
			for c := range copies {
				dst := [2][]int32{make([]int32, len(in)), make([]int32, len(in))}
				form.Augment(rng, c+1, dst, group[0])
				group = append(group, dst)
			}
			return group, nil
		}, func(row Row, group [][2][]int32) error {
			n := len(group[0][0])
			if cells == 0 {
				cells = n
			}
			if n != cells {
				return fmt.Errorf("%s: a puzzle of %d cells after ones of %d", row.At, n, cells)
			}
			if out == nil {
				meta.SeqLen, meta.VocabSize = cells, form.Vocab(cells)
				var err error
				if out, err = w.Split(split.Name, meta, form.Wide && !b.Compact && copies > 0); err != nil {
					return err
				}
			}
			for _, e := range group {
				out.Example(e[0], e[1])
				out.EndPuzzle(0)
			}
			out.EndGroup()
			groups, examples = groups+1, examples+len(group)
			if b.Progress != nil {
				b.Progress(groups, examples)
			}
			return out.Err()
		})
		if err != nil {
			return err
		}
		if out == nil {
			return fmt.Errorf("split %s: no puzzles", split.Name)
		}
	}
	return w.Commit(nil)
}

// choose yields the rows that the split takes, in the order of the source.
func (s RowSplit) choose(seed uint64) iter.Seq2[Row, error] {
	rated := func(yield func(Row, error) bool) {
		for row, err := range s.Rows {
			if err == nil && row.Rating < s.MinRating {
				continue
			}
			if !yield(row, err) {
				return
			}
		}
	}
	if s.Limit == 0 {
		return rated
	}
	return func(yield func(Row, error) bool) {
		// Algorithm R (Vitter 1985): one pass, every subset equally likely.
		rng := Rand(seed, "choose "+s.Name)
		type numbered struct {
			n int
			Row
		}
		var kept []numbered
		n := 0
		for row, err := range rated {
			if err != nil {
				yield(row, err)
				return
			}
			if len(kept) < s.Limit {
				kept = append(kept, numbered{n, row})
			} else if j := rng.IntN(n + 1); j < s.Limit {
				kept[j] = numbered{n, row}
			}
			n++
		}
		if len(kept) < s.Limit {
			yield(Row{}, fmt.Errorf("split %s: %d puzzles asked for, there are %d", s.Name, s.Limit, len(kept)))
			return
		}
		slices.SortFunc(kept, func(a, b numbered) int { return a.n - b.n })
		for _, k := range kept {
			if !yield(k.Row, nil) {
				return
			}
		}
	}
}

// Rand is the random stream of what has this name in a build with this seed.
func Rand(seed uint64, name string) *rand.Rand { return rowRand(seed, nameHash(name)) }

func nameHash(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name)) // never fails
	return h.Sum64()
}

// InOrder works on the elements of in with several goroutines and hands results to emit in order,
// from the caller's goroutine. It ends at the first error, in order.
func InOrder[T, R any](ctx context.Context, in iter.Seq2[T, error], workers int, work func(int, T) (R, error), emit func(T, R) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel(nil)

	type result struct {
		v   T
		r   R
		err error
	}
	type job struct {
		i   int
		v   T
		out chan<- result
	}
	jobs, queue := make(chan job), make(chan (<-chan result), 2*workers)
	wg.Go(func() {
		defer close(queue)
		defer close(jobs)
		i := 0
		for v, err := range in {
			out := make(chan result, 1)
			select {
			case queue <- out:
			case <-ctx.Done():
				return
			}
			if err != nil {
				out <- result{err: err}
				return
			}
			select {
			case jobs <- job{i, v, out}:
			case <-ctx.Done():
				return
			}
			i++
		}
	})
	for range workers {
		wg.Go(func() {
			for j := range jobs {
				r, err := work(j.i, j.v)
				j.out <- result{j.v, r, err}
			}
		})
	}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case out, ok := <-queue:
			if !ok {
				return context.Cause(ctx) // nil unless the caller gave up meanwhile
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case r := <-out:
				if r.err != nil {
					return r.err
				}
				if err := emit(r.v, r.r); err != nil {
					return err
				}
			}
		}
	}
}
