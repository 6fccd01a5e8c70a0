package maze

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/internal/text"
)

func init() {
	env.Register(env.Entry{
		ID:      "maze/15x15-v0",
		Family:  "maze",
		Form:    "maze/COLSxROWS-v0",
		Aliases: []string{"maze"},
		About:   "walk from the start to the goal of a maze",
		Options: []env.Option{
			{Name: "openings", Default: "0.2", About: "most extra openings, a chance for each inner wall; 0 is a perfect maze"},
			{Name: "path", Default: "0", About: "least moves from start to goal; 0 draws n/2 to 3n/2 for each maze"},
			{Name: "longest", Default: "0", About: "most moves from start to goal; 0 has no bound"},
			{Name: "split", Default: "all", About: "layouts: all, train (nine tenths) or test (the tenth held out)"},
			{Name: "view", Default: "full", About: "full, fog (the map seen so far) or window (what is seen now)"},
			{Name: "radius", Default: "3", About: "how far fog and window see"},
			{Name: "reward", Default: "goal", About: "goal (1 there), time (less the later) or distance (a share for every step nearer)"},
			{Name: "move_cost", Default: "0", About: "taken from the reward of every step"},
			{Name: "bump_cost", Default: "0", About: "taken from a step into a wall besides"},
			{Name: "doors", Default: "0", About: "cells that open and close during the episode; there is always a way"},
			{Name: "door_chance", Default: "0.05", About: "of each door to do so, in a step"},
			{Name: "steps", Default: "0", About: "limit of an episode; 0 is twice the number of cells"},
		},
		Match:     func(id string) bool { _, _, ok := size(id); return ok },
		Open:      open,
		Paint:     PaintBoard,
		OpenLevel: openLevel,
		Oracles: []env.OracleEntry{
			{Name: "plan", About: "a shortest way, seeing the whole maze", Open: oracle(NewPlan)},
			{Name: "bot", About: "explores; knows only what the agent has seen", Open: oracle(NewBot)},
		},
	})
}

// openLevel opens the mazes of a text, which are of one size and separated by empty lines.
func openLevel(s string) (env.Env, error) {
	s, err := text.Decode([]byte(s))
	if err != nil {
		return nil, nil
	}
	all, err := ReadAll(strings.NewReader(s))
	if err != nil || len(all) == 0 {
		if !drawn(s) {
			err = nil
		}
		return nil, err
	}
	var levels []string
	for i, m := range all {
		if m.Rows != all[0].Rows || m.Cols != all[0].Cols {
			return nil, fmt.Errorf("maze: the %dth maze is %dx%d, the first %dx%d: want mazes of one size", i+1, m.Cols, m.Rows, all[0].Cols, all[0].Rows)
		}
		levels = append(levels, m.String())
	}
	e, err := env.Make(fmt.Sprintf("maze/%dx%d-v0", all[0].Cols, all[0].Rows))
	if err != nil {
		return nil, err
	}
	return env.Level(e, levels...)
}

// drawn reports whether a text is to be a maze: its first line is mostly walls, or its lines are of 0 and 1.
func drawn(s string) bool {
	if strings.Trim(s, "01 ,\n") == "" && strings.Count(strings.TrimSpace(s), "\n") > 1 {
		return true
	}
	line, _, _ := strings.Cut(strings.TrimLeft(s, "\n"), "\n")
	walls := strings.Count(line, "#") + strings.Count(line, "+") + strings.Count(line, "-")
	for _, block := range "█▓▒■" {
		walls += strings.Count(line, string(block))
	}
	return 2*walls > utf8.RuneCountInString(line) && !strings.ContainsAny(s, "23456789")
}

// size reads maze/COLSxROWS-v0.
func size(id string) (cols, rows int, ok bool) {
	body, ok := strings.CutPrefix(id, "maze/")
	if !ok {
		return 0, 0, false
	}
	body, ok = strings.CutSuffix(body, "-v0")
	left, right, cut := strings.Cut(body, "x")
	cols, err1 := strconv.Atoi(left)
	rows, err2 := strconv.Atoi(right)
	ok = ok && cut && err1 == nil && err2 == nil && fmt.Sprintf("%dx%d", cols, rows) == body
	return cols, rows, ok
}

func open(id string, o *env.Options) (env.Env, error) {
	cols, rows, _ := size(id)
	cfg := WorldConfig{
		Maze: Config{
			Rows:        rows,
			Cols:        cols,
			MaxOpenings: o.Float("openings", 0, 1),
			MinPath:     o.Int("path", 0, MaxSide*MaxSide),
			MaxPath:     o.Int("longest", 0, MaxSide*MaxSide),
			Split:       Split(o.Choice("split", "all", "train", "test")),
		},
		View:     View(o.Choice("view", "full", "fog", "window")),
		Radius:   o.Int("radius", 1, MaxSide),
		Reward:   Reward(o.Choice("reward", "goal", "time", "distance")),
		MoveCost: o.Float("move_cost", 0, 1e6),
		BumpCost: o.Float("bump_cost", 0, 1e6),
		MaxSteps: o.Int("steps", 0, 1<<30),

		Doors:      o.Int("doors", 0, MaxSide*MaxSide),
		DoorChance: o.Float("door_chance", 0, 1),
	}
	if err := o.Err(); err != nil {
		return nil, err
	}
	w, err := NewWorld(id, cfg)
	if err != nil {
		return nil, err // not a nil *World in an Env
	}
	return w, nil
}

// oracle opens an oracle for a World; other Envs are refused.
func oracle[O env.Oracle](make func(*World) O) func(env.Env) (env.Oracle, error) {
	return func(e env.Env) (env.Oracle, error) {
		w, ok := e.(*World)
		if !ok {
			return nil, fmt.Errorf("maze: no oracle for %T", e)
		}
		return make(w), nil
	}
}
