//go:build cgo && !notorch

package rl

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A together is a gate and the policy that it is for, which learn in turn, in the same worlds: the gate from decisions that take as
// long as it says, the policy by PPO from decisions of a random number of segments, so that every depth goes on to act.
type together struct {
	*gating
	policy *PPO
}

func newTogether(g *gating, cfg PPOConfig, seed uint64) (*together, error) {
	p, err := NewPPO(g.net, g.actor, cfg, seed)
	if err != nil {
		return nil, err
	}
	p.rng = g.rng // which a run saves
	return &together{g, p}, nil
}

// Close frees both.
func (w *together) Close() {
	w.policy.Close()
	w.gating.Close()
}

// Frames is the number of steps of one Update.
func (w *together) Frames() int { return w.gating.Frames() + w.policy.Frames() }

// Update lets the gate learn, then the policy. Its losses are the policy's.
func (w *together) Update(ctx context.Context, done float64) (Losses, error) {
	gate, err := w.gating.Update(ctx, done)
	if err != nil {
		return gate, err
	}
	l, err := w.policy.Update(ctx, done)
	l.Thought, l.Explore = gate.Thought, gate.Explore
	for _, n := range w.policy.rollout.Segments {
		l.Thought += float64(n)
	}
	return l, err
}

// The policy's optimiser is saved beside the gate's.
const (
	policyPrefix = "policy."
	policySteps  = policyPrefix + "steps"
)

func (w *together) save(tensors map[string]safetensors.Tensor) error {
	adam, err := w.policy.adam.Save()
	for name, t := range adam {
		tensors[policyPrefix+name] = t
	}
	tensors[policySteps] = safetensors.OfInt64s([]int64{1}, []int64{w.policy.adam.Steps()})
	return err
}

// load restores what save added.
func (w *together) load(tensors map[string]safetensors.Tensor) error {
	steps, err := tensors[policySteps].Int64s()
	if err != nil || len(steps) != 1 {
		return errors.Join(fmt.Errorf("tensor %q: %d numbers, want 1", policySteps, len(steps)), err)
	}
	adam := map[string]safetensors.Tensor{}
	for name, t := range tensors {
		if name, ok := strings.CutPrefix(name, policyPrefix); ok {
			adam[name] = t
		}
	}
	return w.policy.adam.Load(adam, steps[0])
}
