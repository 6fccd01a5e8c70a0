// Command library is a program of another module that uses ponder as a library: operations of its own
// on tensors, a segment of an HRM of its own size, and a network of its own acting in a world.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// linear is the smallest network that acts: one matrix from what is seen to the actions.
type linear struct {
	weight *torch.Tensor // [actions, obs]
	obs    int64
}

func (p *linear) Act(_ context.Context, actions []int32, obs []byte, _ []bool, _ [][]trace.Segment) error {
	return torch.Do(torch.NoGrad, func(s *torch.Scope) {
		x := s.To(torch.From(s, torch.CPU, obs, int64(len(actions)), p.obs), torch.Float32)
		copy(actions, torch.Read[int32](nil, s.Argmax(s.Linear(x, p.weight, nil))))
	})
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	model, err := hrm.New(hrm.Config{
		Vocab: 5, Seq: 9, Hidden: 16, Heads: 2, Levels: hrm.HL(1, 1, 2, 2),
	}, params, 1)
	if err != nil {
		return err
	}
	defer model.Close()
	err = torch.Do(torch.Grad, func(s *torch.Scope) {
		tokens := s.Ints([]int64{0, 1, 2, 3, 4, 0, 1, 2, 3}, 1, 9)
		_, out := model.Segment(s, model.Start(s, 1, 9), hrm.Input{Tokens: tokens})
		_, trained := params.Trained()
		grads := s.Gradients(s.Sum(out.Logits), trained)
		fmt.Println("logits", torch.Shape(out.Logits), "gradients", len(grads), "moved", s.Norm(grads) > 0)
	})
	if err != nil {
		return err
	}

	worlds, err := env.MakeVec("maze/5x5-v0", 4, env.VecConfig{})
	if err != nil {
		return err
	}
	defer worlds.Close()
	spec := worlds.Spec()
	policy := &linear{obs: int64(spec.ObsLen)}
	gen := torch.NewGenerator(2)
	defer gen.Close()
	err = torch.Do(torch.NoGrad, func(s *torch.Scope) {
		policy.weight = s.Keep(gen.TruncNormal(s, 1, int64(len(spec.Actions)), policy.obs))
	})
	if err != nil {
		return err
	}
	defer policy.weight.Drop()
	stats, err := agent.Run(context.Background(), worlds, policy, agent.Config{Episodes: 20})
	fmt.Println("episodes", stats.Episodes)
	return err
}
