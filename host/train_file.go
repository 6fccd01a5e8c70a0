//go:build cgo && !notorch

package host

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/ponder-agents/ponder/agent/learn/rl"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/cli"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// agentFile are the flags that change the file of an agent.
type agentFile struct {
	env, policy string
	frames      int64
}

func (f *agentFile) add(fl *pflag.FlagSet) {
	fl.StringVar(&f.env, "env", "", "id of the environment, instead of the file's, of an agent")
	fl.StringVar(&f.policy, "policy", "", "network, instead of the file's, of an agent: hrm, cell, conv, gru, lstm or transformer")
	fl.Int64Var(&f.frames, "frames", 0, "steps of all environments together, instead of the file's, of an agent")
}

// What flags of train are for one of the two kinds of files alone.
var (
	agentOnly  = []string{"env", "policy", "frames"}
	recipeOnly = []string{"data", "tasks", "steps", "batch", "precision"}
)

// isAgentFile reports whether name is a file of an agent that learns by acting: it names its algorithm.
func isAgentFile(name string) (bool, error) {
	if filepath.Ext(name) != ".toml" {
		return false, nil
	}
	return run.HasField(name, "algorithm")
}

// idle refuses flags that what is trained has no use for.
func (f *trainFlags) idle(flags []string, what string) error {
	for _, name := range flags {
		if f.changed(name) {
			return cli.Usagef("--%s is not for %s; --set KEY=VALUE sets any field", name, what)
		}
	}
	return nil
}

// agentConfig is what the file of an agent says, as the flags change it.
func (f *trainFlags) agentConfig(file string) (rl.Config, error) {
	cfg, err := rl.ReadConfig(file)
	if err != nil {
		if _, ok := errors.AsType[*fs.PathError](err); !ok {
			err = cli.WithCode(cli.ExitUsage, err)
		}
		return cfg, err
	}
	if f.changed("seed") {
		cfg.Seed = f.seed
	}
	if f.changed("begin") {
		cfg.Begin = f.begin
	}
	if f.changed("env") {
		cfg.Env = f.agent.env
	}
	if f.changed("policy") {
		cfg.Policy.Kind = f.agent.policy
	}
	if f.changed("frames") {
		cfg.Frames = f.agent.frames
	}
	return cfg, nil
}

// trainAgent trains the agent of a file.
func (f *trainFlags) trainAgent(cmd *cobra.Command, file string) error {
	if err := f.idle(recipeOnly, "the file of an agent"); err != nil {
		return err
	}
	cfg, err := f.agentConfig(file)
	if err != nil {
		return err
	}
	a := agentFlags{cfg: cfg, plan: f.plan, until: f.until, net: f.net, out: f.out, set: f.set, dryRun: f.dryRun}
	for _, p := range []struct {
		flag      string
		field     *int64
		ofAnAgent int64
	}{{"log-every", &a.plan.LogEvery, agentPlan.LogEvery}, {"save-every", &a.plan.SaveEvery, agentPlan.SaveEvery}, {"eval-every", &a.plan.EvalEvery, agentPlan.EvalEvery}} {
		if !f.changed(p.flag) {
			*p.field = p.ofAnAgent
		}
	}
	return a.train(cmd, strings.TrimSuffix(filepath.Base(file), ".toml"))
}
