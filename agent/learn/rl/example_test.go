//go:build cgo && !notorch

package rl_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/agent/learn/rl"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/torch"
)

// A cliff is a world of one's own: nine fields in a row, the agent in the middle; at one end, which the
// observation tells, is a reward of 1, at the other nothing, and both end the episode.
type cliff struct {
	rng       *rand.Rand
	at, right int
}

func (c *cliff) Spec() env.Spec {
	return env.Spec{
		ID: "cliff", ObsLen: 2, Layout: []env.Field{{Name: "place", Shape: []int{1}}, {Name: "right", Shape: []int{1}}},
		Vocab: 9, Actions: []string{"left", "right"}, MaxSteps: 40,
	}
}
func (c *cliff) Seed(seed uint64) { c.rng = rand.New(rand.NewPCG(seed, 0)) }
func (c *cliff) Reset(obs []byte) {
	c.at, c.right = 4, c.rng.IntN(2)
	obs[0], obs[1] = byte(c.at), byte(c.right)
}

func (c *cliff) Step(action int, obs []byte) env.Outcome {
	c.at += 2*action - 1
	obs[0], obs[1] = byte(c.at), byte(c.right)
	end := c.at == 0 || c.at == 8
	if end && (c.at == 8) == (c.right == 1) {
		return env.Outcome{Reward: 1, Terminated: true}
	}
	return env.Outcome{Terminated: end}
}

// learn lets a network learn the world by PPO, and returns the share of the last episodes that succeeded.
func learn(n rl.Network, v *env.Vec, segments int) (success float64, err error) {
	a, err := rl.NewActor(n, v, rl.ActorConfig{Segments: segments}, 1)
	if err != nil {
		return 0, err
	}
	defer a.Close()
	p, err := rl.NewPPO(n, a, rl.PPOConfig{SweepConfig: rl.SweepConfig{Horizon: 32, Epochs: 4, LR: 2e-3}}, 1)
	if err != nil {
		return 0, err
	}
	defer p.Close()
	for range 40 {
		if _, err := p.Update(context.Background(), 0); err != nil {
			return 0, err
		}
		ended := a.Ended()
		success = 0
		for _, e := range ended {
			success += e.Return / float64(len(ended))
		}
	}
	return success, nil
}

func cliffs() (*env.Vec, error) {
	envs := make([]env.Env, 16)
	for i := range envs {
		envs[i] = &cliff{}
	}
	return env.NewVec(envs, env.VecConfig{})
}

// An HRM learns a world of one's own from reward.
func ExamplePPO() {
	v, err := cliffs()
	if err != nil {
		fmt.Println(err)
		return
	}
	n, err := rl.NewNetwork(rl.NetworkConfig{Kind: "hrm", Hidden: 16}, v.Spec(), torch.CPU, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer n.Close()
	success, err := learn(n, v, 2)
	fmt.Println("learned:", success > 0.95, err)
	// Output: learned: true <nil>
}

// A linear is a network of one's own: a number for each pair of what is seen and an action, and one for the
// value.
type linear struct {
	params *torch.Params
	table  *torch.Tensor // [18, 3]: place with each end; two actions and the value
}

func newLinear() (*linear, error) {
	n := &linear{params: torch.NewParams(torch.CPU)}
	return n, torch.Do(torch.NoGrad, func(s *torch.Scope) {
		n.table = n.params.Add(s, "table", s.Floats(make([]float32, 18*3), 18, 3))
	})
}
func (n *linear) Params() *torch.Params { return n.params }
func (n *linear) Close()                { n.params.Close() }
func (n *linear) Encode(s *torch.Scope, obs []byte, rows int) (rl.Seen, error) {
	ids := make([]int64, rows)
	for i := range ids {
		ids[i] = int64(obs[2*i]) + 9*int64(obs[2*i+1])
	}
	return rl.Seen{s.Embedding(n.table, s.Ints(ids, int64(rows)))}, nil
}
func (n *linear) Start(*torch.Scope, int) rl.State                       { return nil }
func (n *linear) Segment(_ *torch.Scope, _ rl.Seen, z rl.State) rl.State { return z }
func (n *linear) Heads(s *torch.Scope, x rl.Seen, _ rl.State) rl.Heads {
	return rl.Heads{Logits: s.Narrow(x[0], 1, 0, 2), Value: s.Reshape(s.Narrow(x[0], 1, 2, 1), -1)}
}

// A network of one's own learns it too.
func ExampleNetwork() {
	v, err := cliffs()
	if err != nil {
		fmt.Println(err)
		return
	}
	n, err := newLinear()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer n.Close()
	success, err := learn(n, v, 1)
	fmt.Println("learned:", success > 0.95, err)
	// Output: learned: true <nil>
}
