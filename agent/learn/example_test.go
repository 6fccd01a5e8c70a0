//go:build cgo && !notorch

package learn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/task"
	_ "github.com/ponder-agents/ponder/agent/task/families"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// A run can be stopped at any moment, here before its first step, and goes on as if it had not been; so
// does one that `ponder train` began, or that was killed.
func ExampleTrainer() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	r, err := learn.Preset("maze")
	if err != nil {
		log.Fatal(err)
	}
	r.Model.Hidden, r.Model.Inner = 16, 24
	r.Steps = 20
	t, err := learn.NewTrainer(r, task.Open, torch.CPU)
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = run.Begin(ctx, dir, t, run.Plan{LogEvery: 10, SaveEvery: 10, EvalCount: 4}, run.Options{})
	fmt.Println(errors.Is(err, context.Canceled))

	open := func(s *run.Saved) (run.Learner, error) { return learn.Resume(s, task.Open, torch.CPU) }
	if err := run.Resume(context.Background(), dir, open, run.Options{}); err != nil {
		log.Fatal(err)
	}
	info, err := run.ReadInfo(dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.State, info.Step)
	// Output:
	// true
	// finished 20
}

// A loop of one's own: between the gradients and the step there is room, here for clipping by the norm
// of them all.
func ExampleLoop() {
	r, err := learn.Preset("maze")
	if err != nil {
		log.Fatal(err)
	}
	r.Model.Hidden, r.Model.Inner = 16, 24
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	model, err := hrm.New(r.Model, params, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	mazes, err := task.Open("maze-directions:7", 1, false)
	if err != nil {
		log.Fatal(err)
	}
	loop, err := learn.NewLoop(model, learn.LoopConfig{Halting: act.Config{MaxSegments: 2}, Loss: r.Loss}, 8, mazes.Rows*mazes.Cols, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer loop.Close()
	loop.Grid = [2]int{mazes.Rows, mazes.Cols}
	opt, err := learn.NewOptimizer(params, learn.OptimizerConfig{
		Adam:     torch.AdamConfig{Rule: torch.AdamW},
		Schedule: torch.Schedule{LR: 1e-2, MinRatio: 1, Steps: 150},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer opt.Close()

	var first, last float64 // loss of a cell
	for opt.Steps() < 150 {
		g, res, err := loop.Gradients(func(_ int, in, label []int32) (int32, error) { return mazes.Next(in, label) })
		if err != nil {
			log.Fatal(err)
		}
		if _, err := g.Clip(1); err != nil {
			log.Fatal(err)
		}
		if err := opt.Apply(g); err != nil {
			log.Fatal(err)
		}
		g.Close()
		if last = res.Loss.LM / float64(res.Rows); first == 0 {
			first = last
		}
	}
	fmt.Println("less than half of what it was:", last < first/2)
	// Output: less than half of what it was: true
}

// An optimiser moves parameters whoever owns them: here a line through three points, (0, 1), (1, 3) and
// (2, 5).
func ExampleOptimizer() {
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		params.Add(s, "slope", s.Floats([]float32{0}, 1))
		params.Add(s, "intercept", s.Floats([]float32{0}, 1))
	})
	if err != nil {
		log.Fatal(err)
	}
	opt, err := learn.NewOptimizer(params, learn.OptimizerConfig{
		Adam:     torch.AdamConfig{Rule: torch.AdamW},
		Schedule: torch.Schedule{LR: 0.1, Steps: 300},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer opt.Close()
	for opt.Steps() < 300 {
		var g *learn.Gradients
		err := torch.Do(torch.Grad, func(s *torch.Scope) {
			x, y := s.Floats([]float32{0, 1, 2}, 3), s.Floats([]float32{1, 3, 5}, 3)
			off := s.Sub(s.Add(s.Mul(x, params.Get("slope")), params.Get("intercept")), y)
			g = learn.Differentiate(s, params, s.Sum(s.Mul(off, off)))
		})
		if err != nil {
			log.Fatal(err)
		}
		if err := opt.Apply(g); err != nil {
			log.Fatal(err)
		}
		g.Close()
	}
	for _, name := range params.Names() {
		fmt.Printf("%s %.2f\n", name, torch.Read[float32](nil, params.Get(name))[0])
	}
	// Output:
	// slope 2.00
	// intercept 1.00
}
