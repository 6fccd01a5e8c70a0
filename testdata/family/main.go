// Command family is a program of another module with a family and a network of its own: it trains an HRM for the
// family as ponder trains for its own, evaluates it and the other network on rows that were held out, and it on a
// dataset in a folder, plays that, asks one question and records the thought.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"

	"example.org/family/reverse"
	"example.org/family/swap"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/host"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/viz"
)

func main() {
	if err := family(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

// fromFolder asks the run for a dataset of one's own, and plays its third row, by ponder's command line.
func fromFolder(ctx context.Context, dir, run string) error {
	rows, err := task.Open("reverse:8", 1, true)
	if err != nil {
		return err
	}
	data, recording := filepath.Join(dir, "data"), filepath.Join(dir, "row.trace")
	w, err := puzzle.Create(data, false)
	if err != nil {
		return err
	}
	defer w.Abort()
	split, err := w.Split("test", puzzle.Meta{VocabSize: reverse.Vocab, SeqLen: 8}, false)
	if err != nil {
		return err
	}
	in, label := make([]int32, 8), make([]int32, 8)
	var third []int32
	for i := range 20 {
		if _, err := rows.Next(in, label); err != nil {
			return err
		}
		if i == 2 {
			third = slices.Clone(label)
		}
		split.Example(in, label)
		split.EndPuzzle(0)
		split.EndGroup()
	}
	if err := w.Commit(nil); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"eval", "reverse", "--data", data, "--model", run, "--count", "20", "--min-accuracy", "0.9"},
		{"record", "dataset:" + data, "--model", run, "--failed", "--out", filepath.Join(dir, "failed.trace"), "--quiet"}, // none, or one
		{"record", "dataset:" + data, "--model", run, "--seed", "2", "--out", recording, "--quiet"},
	} {
		root := host.Root()
		root.SetArgs(args)
		root.SetOut(io.Discard)
		if err := root.ExecuteContext(ctx); err != nil {
			return err
		}
	}
	f, err := trace.Open(recording)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := f.Step(0)
	if err != nil {
		return err
	}
	right := 0
	for i, d := range s.Thought[len(s.Thought)-1].Answer {
		if int32(d) == third[i] {
			right++
		}
	}
	fmt.Printf("%s: %d of %d digits right\n", s.Board.Caption, right, len(third))
	return nil
}

func family(ctx context.Context, dir string) error {
	r, err := learn.Preset("reverse")
	if err != nil {
		return err
	}
	t, err := learn.NewTrainer(r, task.Open, torch.CPU)
	if err != nil {
		return err
	}
	defer t.Close()
	folder := filepath.Join(dir, "run")
	if err := run.Begin(ctx, folder, t, run.Plan{LogEvery: 100, SaveEvery: 100, EvalCount: 50}, run.Options{}); err != nil {
		return err
	}

	c, err := checkpoint.Find(folder)
	if err != nil {
		return err
	}
	m, err := engine.Open("reverse", c) // in pure Go; learn.Load thinks on libtorch
	if err != nil {
		return err
	}
	defer m.Close()
	res, err := exam.Rows(ctx, m, "reverse:8", 200, exam.Config{})
	if err != nil {
		return err
	}
	fmt.Println("nearly all exact:", res.ExactAccuracy > 0.9)

	own := &think.Model{Name: "swap", Core: swap.Core{Vocab: reverse.Vocab}, Usage: think.Usage{
		Task: "reverse", Halting: act.Config{MaxSegments: 8, Rule: act.HaltAbove},
	}}
	if res, err = exam.Rows(ctx, own, "reverse:9", 50, exam.Config{}); err != nil {
		return err
	}
	fmt.Printf("a network of one's own: %.0f %% exact after %.0f segments\n", 100*res.ExactAccuracy, res.MeanSegments)

	if err := fromFolder(ctx, dir, folder); err != nil {
		return err
	}

	question := []byte{3, 1, 4, 1, 5, 9, 2, 6}
	mind, err := think.MindOf(m, new(reverse.Reader), 0, think.Config{})
	if err != nil {
		return err
	}
	defer mind.Close()
	thought, err := mind.Decide(ctx, question)
	if err != nil {
		return err
	}
	fmt.Println(question, "backwards:", thought[len(thought)-1].Answer)

	h := trace.Header{EnvID: "reverse"}
	mind.Describe(&h)
	recording := filepath.Join(dir, "reverse.trace")
	w, err := trace.Create(recording, h)
	if err != nil {
		return err
	}
	step := trace.Step{Board: reverse.Board(question), Action: -1, Terminated: true, Thought: thought}
	if err := w.Put(&step); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	film, err := os.Create(filepath.Join(dir, "reverse.gif"))
	if err != nil {
		return err
	}
	defer film.Close()
	f, err := trace.Open(recording)
	if err != nil {
		return err
	}
	defer f.Close()
	return viz.WriteGIF(ctx, film, &viz.Reel{History: f, Header: f.Header(), Painters: viz.FamilyPainters(), Options: viz.Options{Width: 640, Height: 400}}, nil)
}
