package exam

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
)

// Agents examines m in the environment of an id as Agent does: where its run kept levels to learn from apart, in
// those that it did not learn from and then in those that it did; elsewhere, and where options name levels, once.
// each may change a result.
func Agents(ctx context.Context, m *think.Model, id string, options []string, n int, seed uint64, cfg Config, each func(r *AgentResult, options []string) error) (AgentResults, error) {
	type part struct {
		name   string
		levels env.Range
	}
	parts := []part{{}}
	named := slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, env.LevelsOption) })
	if m.Usage.Levels != "" && m.Usage.Env == id && !named {
		train, test, err := m.Usage.Ranges()
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", m.Name, err)
		}
		parts = []part{{"test", test}, {"training", train}}
	}
	var all AgentResults
	for _, p := range parts {
		r, err := Agent(ctx, m, id, p.levels.On(options), n, seed, cfg)
		if r.Split = p.name; p.name != "" {
			r.Levels = p.levels.String()
		}
		if err == nil {
			err = each(&r, p.levels.On(options))
		}
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

// AgentResults are what models achieved in several worlds, or on several levels.
type AgentResults []AgentResult

// Print writes a line for each.
func (all AgentResults) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ENV\tLEVELS\tMODEL\tEPISODES\tRETURN\tSUCCESS\tSPL\tSEGMENTS AN ACTION\tAN EPISODE\tREGRET")
	optional := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprintf("%.3f", *v)
	}
	for _, r := range all {
		levels := "any"
		if r.Split != "" {
			levels = r.Split
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%.3f ± %.3f\t%.1f %%\t%s\t%.2f\t%.1f\t%s\n", r.Env, levels, r.Model, r.Episodes, r.MeanReturn, r.ReturnError, 100*r.Success,
			optional(r.SPL), r.MeanSegments, r.SegmentsPerEpisode, optional(r.Regret))
	}
	return t.Flush()
}

// Least is the smallest success, that on levels that were learned from left out.
func (all AgentResults) Least() float64 {
	least := 1.0
	for _, r := range all {
		if r.Split != "training" {
			least = min(least, r.Success)
		}
	}
	return least
}
