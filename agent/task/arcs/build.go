package arcs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// A sink takes examples, puzzles and groups: a split on disk or in memory.
type sink interface {
	Example(in, label []int32)
	EndPuzzle(id int32)
	EndGroup()
}

func meta() puzzle.Meta {
	zero := 0
	return puzzle.Meta{IgnoreLabelID: &zero, VocabSize: Vocab, SeqLen: Side * Side}
}

// Build writes a dataset of ARC tasks into dir. Of the tasks named in evaluate the "train" pairs
// go to the train split and the "test" pairs to the test split, under the same identifiers, as the
// demonstrations are conveyed by the identifier alone; all pairs of other tasks go to train. Copies of
// a task depend on Seed and its name, not on the other tasks. Without evaluated tasks there is no
// test split.
func Build(ctx context.Context, dir string, tasks []*arc.Task, evaluate map[string]bool, b puzzle.Build) error {
	w, err := puzzle.Create(dir, b.Replace)
	if err != nil {
		return err
	}
	defer w.Abort()
	train, err := w.Split("train", meta(), false)
	if err != nil {
		return err
	}
	var test sink
	if slices.ContainsFunc(tasks, func(t *arc.Task) bool { return evaluate[t.Name] }) {
		if test, err = w.Split("test", meta(), false); err != nil {
			return err
		}
	}
	names, err := build(ctx, tasks, evaluate, train, test, b)
	if err != nil {
		return err
	}
	return w.Commit(names)
}

// Sets is Build in memory, for few tasks.
func Sets(ctx context.Context, tasks []*arc.Task, evaluate map[string]bool, b puzzle.Build) (train, test *puzzle.Set, err error) {
	mtrain, mtest := puzzle.NewCollector(meta()), puzzle.NewCollector(meta())
	names, err := build(ctx, tasks, evaluate, mtrain, mtest, b)
	if err != nil {
		return nil, nil, err
	}
	return mtrain.Set(names), mtest.Set(names), nil
}

func build(ctx context.Context, tasks []*arc.Task, evaluate map[string]bool, train, test sink, b puzzle.Build) (names []string, err error) {
	names = []string{"<blank>"}
	groups, examples := 0, 0
	stream := func(yield func(*arc.Task, error) bool) {
		for _, t := range tasks {
			if !yield(t, nil) {
				return
			}
		}
	}
	// add writes one group; rng is nil in the test split, where nothing is moved.
	add := func(to sink, rng *rand.Rand, copies []*arc.Task, pairs func(*arc.Task) []arc.Pair) {
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
	err = puzzle.InOrder(ctx, stream, b.Workers, func(_ int, t *arc.Task) ([]*arc.Task, error) {
		return Copies(puzzle.Rand(b.Seed, t.Name), t, b.Augment), nil
	}, func(t *arc.Task, copies []*arc.Task) error {
		place := puzzle.Rand(b.Seed, "place "+t.Name)
		if evaluate[t.Name] {
			add(train, place, copies, func(c *arc.Task) []arc.Pair { return c.Train })
			add(test, nil, copies, func(c *arc.Task) []arc.Pair { return c.Test })
		} else {
			add(train, place, copies, func(c *arc.Task) []arc.Pair {
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
		if s, ok := train.(*puzzle.SplitWriter); ok {
			return s.Err()
		}
		return nil
	})
	return names, err
}

// Evaluated are the tasks that name means for Build: all, none, those of a folder of that name (as arc.Read tells
// folders), or a list of names with commas.
func Evaluated(name string, tasks []*arc.Task, folder map[string]string) (map[string]bool, error) {
	evaluate := map[string]bool{}
	if name == "none" {
		return evaluate, nil
	}
	for _, t := range tasks {
		if name == "all" || folder[t.Name] == name {
			evaluate[t.Name] = true
		}
	}
	if len(evaluate) > 0 {
		return evaluate, nil
	}
	for _, one := range strings.Split(name, ",") {
		if _, ok := folder[one]; !ok {
			return nil, fmt.Errorf("no folder and no task is called %q; none evaluates nothing", one)
		}
		evaluate[one] = true
	}
	return evaluate, nil
}
