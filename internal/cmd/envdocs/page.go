package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/minigrid"
)

// writePage writes the page of all environments, with what the oracles solve.
func writePage(w io.Writer, rows []exam.OracleResult) error {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# Environments")
	p("")
	p("<!-- Written by `make docs`; edit internal/cmd/envdocs instead. -->")
	p("")
	p("![one level of each family](environments.png)")
	p("")
	p("`ponder env list` names them, `show`, `play` and `check` do what they say, `ponder bench env` measures them. A library opens one by")
	p("`env.Make(\"MiniGrid-DoorKey-8x8-v0\", \"view=9\")`, many by `env.MakeVec`; the packages under env/ document observations, actions and options.")
	p("")
	p("## What the oracles solve")
	p("")
	p("Each oracle played the levels of the seeds 0, 1, … of each id. `plan` sees everything; `bot` knows what the agent has seen and the mission.")
	p("Steps are means over the levels solved. Shortest: plans proved to be as short as any. Unsolvable: levels not solved that were proved to have no")
	p("solution, however many steps there were (a relaxed search: the agent may walk over objects and carry all at once).")
	p("Repeat it by `ponder env solve 'MiniGrid-*' --levels 1000`, of BabyAI's by `--levels 100`.")
	p("")
	p("| id | levels | limit | plan | steps | shortest | bot | steps | unsolvable | missed seeds |")
	p("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|")
	find := func(id, oracle string) *exam.OracleResult {
		for i := range rows {
			if rows[i].Env == id && rows[i].Oracle == oracle {
				return &rows[i]
			}
		}
		return nil
	}
	share := func(r *exam.OracleResult) string {
		if r == nil {
			return "-"
		}
		return fmt.Sprintf("%.1f%%", 100*float64(r.Solved)/float64(r.Levels))
	}
	mean := func(r *exam.OracleResult) string {
		if r == nil || r.Solved == 0 {
			return "-"
		}
		return fmt.Sprintf("%.1f", r.MeanSteps)
	}
	for _, e := range env.List("") {
		plan, bot := find(e.ID, "plan"), find(e.ID, "bot")
		made, err := env.Make(e.ID)
		if err != nil || plan == nil && bot == nil {
			continue
		}
		shortest, hopeless, missed := "-", 0, []string{}
		if plan != nil && plan.Shortest > 0 {
			shortest = fmt.Sprintf("%.1f%%", 100*float64(plan.Shortest)/float64(max(plan.Solved, 1)))
		}
		for _, r := range []*exam.OracleResult{plan, bot} {
			if r != nil {
				hopeless = max(hopeless, r.Unsolvable)
				if len(r.Missed) > 0 {
					missed = append(missed, fmt.Sprintf("%s %s", r.Oracle, strings.Trim(fmt.Sprint(r.Missed), "[]")))
				}
			}
		}
		played := 0
		for _, r := range []*exam.OracleResult{plan, bot} {
			if r != nil {
				played = r.Levels
			}
		}
		p("| %s | %d | %d | %s | %s | %s | %s | %s | %d | %s |", e.ID, played, made.Spec().MaxSteps, share(plan), mean(plan), shortest, share(bot), mean(bot), hopeless, strings.Join(missed, "; "))
	}
	p("")
	p("The %d `BabyAI-*` ids have no plan: their instructions are followed by the bot alone. Of MiniGrid's own ids only Playground and the six of wave", len(env.List("BabyAI-*")))
	p("function collapse are missing. What is unsolvable in BabyAI's: a key may lie in the room that it opens (GoToImpUnlock, Unlock), and of two doors in")
	p("order that a strict level asks for, opening the first fails the second (OpenDoorsOrderN2Debug and N4Debug): so they are in the reference, too.")
	p("")
	p("## Options")
	p("")
	p("Every environment has `levels=LO:HI` (episodes are drawn from the levels of those seeds: disjoint ranges split training from test), `limit=N`")
	p("(truncate after N steps), `stack=N` (the last N frames) and, where there is a mask, `mask=true` (appended to the observation).")
	var families []string
	for _, e := range env.List("") {
		if slices.Contains(families, e.Family) || e.ID == "minigrid/level-v0" {
			continue
		}
		families = append(families, e.Family)
		p("")
		p("### %s", e.Family)
		p("")
		if e.Form != "" {
			p("Ids: `%s`.", e.Form)
			p("")
		}
		p("| option | default | |")
		p("|---|---|---|")
		for _, o := range e.Options {
			p("| %s | %s | %s |", o.Name, o.Default, o.About)
		}
	}
	p("")
	p("## MiniGrid levels as text")
	p("")
	p("`ponder env show ID --seed N` prints one, `--level FILE` shows or plays one of an id's size, and `minigrid/level-v0` with `file=PATH` opens one of any size.")
	p("")
	p("%s", strings.TrimRight(minigrid.Legend, "\n"))
	_, err := io.WriteString(w, b.String())
	return err
}
