package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
)

// parseChoice reads what an address says is to be played; seed is taken where it names none.
func parseChoice(query url.Values, seed uint64) (session.Choice, error) {
	c := session.Choice{
		Env: query.Get("env"), Agent: trace.Agent(query.Get("agent")), Model: query.Get("model"),
		Rule: query.Get("rule"), Seed: seed, Edits: query.Get("edits"),
		Options: strings.Join(query["option"], "\n"), Whole: query.Get("whole") == "1",
	}
	if c.Env == "" {
		if !query.Has("agent") && !query.Has("model") && !query.Has("seed") && !query.Has("edits") {
			demo := open.Demo(int(seed % uint64(open.Demos())))
			demo.Rule = c.Rule
			return demo, nil
		}
		c.Env = "maze"
	}
	if c.Agent == "" {
		c.Agent = trace.Network
	}
	if s := query.Get("seed"); s != "" {
		var err error
		if c.Seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			return c, fmt.Errorf("seed=%.40s: want a whole number from 0 on", s)
		}
	}
	return c, c.Check()
}

// formatChoice writes what parseChoice reads, but what goes without saying and the seeds to come.
func formatChoice(c session.Choice) string {
	query := url.Values{"env": {c.Env}, "seed": {strconv.FormatUint(c.Seed, 10)}}
	set := func(name, value, usual string) {
		if value != usual {
			query.Set(name, value)
		}
	}
	set("agent", string(c.Agent), string(trace.Network))
	set("model", c.Model, "")
	set("rule", c.Rule, "")
	set("edits", c.Edits, "")
	if c.Whole {
		query.Set("whole", "1")
	}
	if c.Options != "" {
		query["option"] = c.OptionList()
	}
	return query.Encode()
}
