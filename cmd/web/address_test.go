package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
)

func TestAddress(t *testing.T) {
	for _, c := range []session.Choice{
		{Env: "maze/15x15-v0", Agent: trace.Network, Seed: 7},
		{Env: "sudoku", Agent: trace.Network, Model: "sudoku-groups", Rule: "never", Seed: 1<<64 - 1, Edits: "3.4.1_5.5.-1.2"},
		{Env: "maze?fog=true&size=9", Agent: trace.Oracle},
		{Env: "sudoku", Options: "difficulty=hard\ngivens=24:26", Agent: trace.Network, Whole: true},
	} {
		query, err := url.ParseQuery(formatChoice(c))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseChoice(query, 5); got != c || err != nil {
			t.Errorf("%s: read %+v, %v, want %+v", query.Encode(), got, err, c)
		}
	}
	if got, err := parseChoice(url.Values{}, 5); err != nil || got != open.Demo(5) {
		t.Errorf("an address without any: %+v, %v", got, err)
	}
	for address, want := range map[string]string{"seed=-1": "seed=-1", "agent=elf": `agent "elf"`, "edits=x": `edit "x"`} {
		query, _ := url.ParseQuery(address)
		if _, err := parseChoice(query, 5); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", address, err)
		}
	}
}
