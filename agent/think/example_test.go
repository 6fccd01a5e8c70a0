package think_test

import (
	"context"
	"fmt"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/models"
)

// A shipped model acts in mazes, and thinks no longer than it finds necessary.
func ExampleNewPolicy() {
	model, err := engine.Shipped("maze", models.Open)
	if err != nil {
		fmt.Println(err)
		return
	}
	worlds, err := env.MakeVec("maze/9x9-v0", 8, env.VecConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	policy, err := think.NewPolicy(model, worlds.Spec(), think.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	stats, err := agent.Run(context.Background(), worlds, policy, agent.Config{Episodes: 8})
	fmt.Println(stats.Successes, stats.Segments.Mean < 6, err)
	// Output: 8 true <nil>
}
