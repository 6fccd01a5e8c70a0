package puzzle

import (
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
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

// BuildSudoku writes a dataset of sudokus into dir.
func BuildSudoku(ctx context.Context, dir string, splits []RowSplit, b Build) error {
	return b.rows(ctx, dir, splits, SudokuVocab, !b.Compact, Row.Sudoku, func(rng *rand.Rand, _ int, dst, src [2][]int32) {
		boxRows, boxCols, _ := SudokuBox(len(src[0]))
		m := RandomSudokuMap(rng, boxRows, boxCols)
		for k := range src {
			m.Apply(dst[k], src[k])
		}
	})
}

// BuildMaze writes a dataset of square mazes into dir. The copies are the symmetries of the square
// in their order, so Augment is at most 7.
func BuildMaze(ctx context.Context, dir string, splits []RowSplit, b Build) error {
	if b.Augment > Dihedrals-1 {
		return fmt.Errorf("%d copies of a maze: it has %d besides itself", b.Augment, Dihedrals-1)
	}
	return b.rows(ctx, dir, splits, MazeVocab, false, Row.Maze, func(_ *rand.Rand, i int, dst, src [2][]int32) {
		side := mazeSide(len(src[0]))
		for k := range src {
			Dihedral(dst[k], src[k], side, side, i)
		}
	})
}

// rows writes splits of rows that parse turns into tokens; augment makes copy i (from 1 on) of input
// and label src.
func (b Build) rows(ctx context.Context, dir string, splits []RowSplit, vocab int, wide bool,
	parse func(Row) (in, label []int32, err error), augment func(rng *rand.Rand, i int, dst, src [2][]int32),
) error {
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
		meta := Meta{IgnoreLabelID: &zero, VocabSize: vocab}
		var out *SplitWriter
		err := ordered(ctx, split.choose(b.Seed), b.Workers, func(i int, row Row) ([][2][]int32, error) {
			in, label, err := parse(row)
			if err != nil {
				return nil, err
			}
			group := [][2][]int32{{in, label}}
			rng := rowRand(b.Seed+nameHash(split.Name), uint64(i))
			for c := range copies {
				dst := [2][]int32{make([]int32, len(in)), make([]int32, len(in))}
				augment(rng, c+1, dst, group[0])
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
				meta.SeqLen = cells
				var err error
				if out, err = w.Split(split.Name, meta, wide && copies > 0); err != nil {
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
			return out.failed()
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
		rng := rowRand(seed, nameHash("choose "+s.Name))
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

// A sink takes examples, puzzles and groups: a split on disk or in memory.
type sink interface {
	Example(in, label []int32)
	EndPuzzle(id int32)
	EndGroup()
}

func arcMeta() Meta {
	zero := 0
	return Meta{IgnoreLabelID: &zero, VocabSize: ARCVocab, SeqLen: ARCSide * ARCSide}
}

// BuildARC writes a dataset of ARC tasks into dir. Of the tasks named in evaluate the "train" pairs
// go to the train split and the "test" pairs to the test split, under the same identifiers, as the
// demonstrations are conveyed by the identifier alone; all pairs of other tasks go to train. Copies of
// a task depend on Seed and its name, not on the other tasks. Without evaluated tasks there is no
// test split.
func BuildARC(ctx context.Context, dir string, tasks []Task, evaluate map[string]bool, b Build) error {
	w, err := Create(dir, b.Replace)
	if err != nil {
		return err
	}
	defer w.Abort()
	train, err := w.Split("train", arcMeta(), false)
	if err != nil {
		return err
	}
	var test sink
	if slices.ContainsFunc(tasks, func(t Task) bool { return evaluate[t.Name] }) {
		if test, err = w.Split("test", arcMeta(), false); err != nil {
			return err
		}
	}
	names, err := b.arc(ctx, tasks, evaluate, train, test)
	if err != nil {
		return err
	}
	return w.Commit(names)
}

// ARCSets is BuildARC in memory, for few tasks.
func ARCSets(ctx context.Context, tasks []Task, evaluate map[string]bool, b Build) (train, test *Set, err error) {
	mtrain, mtest := NewMemory(arcMeta()), NewMemory(arcMeta())
	names, err := b.arc(ctx, tasks, evaluate, mtrain, mtest)
	if err != nil {
		return nil, nil, err
	}
	return mtrain.Set(names), mtest.Set(names), nil
}

func (b Build) arc(ctx context.Context, tasks []Task, evaluate map[string]bool, train, test sink) (names []string, err error) {
	names = []string{"<blank>"}
	groups, examples := 0, 0
	stream := func(yield func(Task, error) bool) {
		for _, t := range tasks {
			if !yield(t, nil) {
				return
			}
		}
	}
	// add writes one group; rng is nil in the test split, where nothing is moved.
	add := func(to sink, rng *rand.Rand, copies []Task, pairs func(Task) []Pair) {
		id := int32(len(names))
		for i, c := range copies {
			FramePairs(rng, pairs(c), func(in, label []int32) {
				to.Example(in, label)
				examples++
			})
			to.EndPuzzle(id + int32(i))
		}
		to.EndGroup()
	}
	err = ordered(ctx, stream, b.Workers, func(_ int, t Task) ([]Task, error) {
		return t.Copies(rowRand(b.Seed, nameHash(t.Name)), b.Augment), nil
	}, func(t Task, copies []Task) error {
		place := rowRand(b.Seed, nameHash("place "+t.Name))
		if evaluate[t.Name] {
			add(train, place, copies, func(c Task) []Pair { return c.Train })
			add(test, nil, copies, func(c Task) []Pair { return c.Test })
		} else {
			add(train, place, copies, func(c Task) []Pair {
				known := slices.Clone(c.Train)
				for _, p := range c.Test {
					if p.Output.Rows > 0 {
						known = append(known, p)
					}
				}
				return known
			})
		}
		for _, c := range copies {
			names = append(names, c.Name)
		}
		groups++
		if b.Progress != nil {
			b.Progress(groups, examples)
		}
		if s, ok := train.(*SplitWriter); ok {
			return s.failed()
		}
		return nil
	})
	return names, err
}

func nameHash(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name)) // never fails
	return h.Sum64()
}

// ordered works on the elements of in with several goroutines and hands results to emit in order,
// from the caller's goroutine. It ends at the first error, in order.
func ordered[T, R any](ctx context.Context, in iter.Seq2[T, error], workers int, work func(int, T) (R, error), emit func(T, R) error) error {
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
