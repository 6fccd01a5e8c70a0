package exam

import (
	"context"
	"math"
	"testing"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/models"
)

// TestWays has three thoughts of which all is known.
func TestWays(t *testing.T) {
	inf := math.Inf(1)
	all := []*course{
		{right: []bool{false, true, true, true}, q: []float64{-3, 2, 3, 4}, more: make([]float64, 4), residual: []float64{inf, 0.5, 0.1, 0}},
		{right: []bool{true, true, false, true}, q: []float64{5, 4, 1, 6}, more: []float64{9, 4.5, 4.5, 4.5}, residual: []float64{inf, 0.4, 0.3, 0.1}},
		{right: []bool{false, false, false, false}, q: []float64{-9, -8, -7, -6}, more: make([]float64, 4), residual: []float64{inf, 0.9, 0.9, 0.9}},
	}
	got := map[string]HaltingWay{}
	var rows [][]*course
	for _, c := range all {
		rows = append(rows, []*course{c})
	}
	for _, w := range ways(rows, act.Config{MaxSegments: 4, Rule: act.HaltAbove, Threshold: 1}) {
		got[w.Way] = w
	}
	// Threshold 1: after segments 2, 1 and, never content, 4.
	if w := got["own"]; math.Abs(w.Segments-7.0/3) > 1e-9 || math.Abs(w.ExactAccuracy-2.0/3) > 1e-9 {
		t.Errorf("own: %+v", w.HaltingPoint)
	}
	for _, w := range ways(rows, act.Config{MaxSegments: 4, Rule: act.HaltOverContinue}) { // after segments 2, 4 and, never content, 4
		if w.Way == "own" && (math.Abs(w.Segments-10.0/3) > 1e-9 || math.Abs(w.ExactAccuracy-2.0/3) > 1e-9) {
			t.Errorf("own, by q_continue: %+v", w.HaltingPoint)
		}
	}
	if w := got["oracle"]; *w.Area != 0 || math.Abs(w.ExactAccuracy-2.0/3) > 1e-9 || math.Abs(w.Segments-5.0/3) > 1e-9 {
		t.Errorf("oracle: %+v, area %v", w.HaltingPoint, *w.Area)
	}
	if w := got["fixed"]; w.Segments != 2 || math.Abs(w.ExactAccuracy-2.0/3) > 1e-9 || len(w.Points) != 4 {
		t.Errorf("fixed: %+v of %d", w.HaltingPoint, len(w.Points))
	}
	for name, w := range got {
		if own := name == "own"; own != (w.Area == nil) || !own && name != "oracle" && *w.Area <= 0 {
			t.Errorf("%s: area %v to the oracle", name, w.Area)
		}
	}
}

// TestOneSegment: where there is but one, no state has moved, and the way that asks for that is left out.
func TestOneSegment(t *testing.T) {
	c := &course{right: []bool{true}, q: []float64{3}, more: []float64{0}, residual: []float64{math.Inf(1)}}
	for _, w := range ways([][]*course{{c}}, act.Config{MaxSegments: 1, Rule: act.HaltAbove}) {
		if w.Way == "residual" || w.Segments != 1 || w.ExactAccuracy != 1 {
			t.Errorf("%+v", w)
		}
	}
}

// TestFirst: the first of two thoughts to be content answers, both count; where none is, the larger q_halt.
func TestFirst(t *testing.T) {
	slow := &course{right: []bool{false, false, false, true}, q: []float64{-3, -2, -1, 4}}
	quick := &course{right: []bool{false, true, true, true}, q: []float64{-3, 2, 3, 3}}
	wrong := &course{right: []bool{false, false, false, false}, q: []float64{-9, -8, -7, -6}}
	// Threshold 1: quick ends the first row after 2 segments, slow the second after 4; at 9 all think on to the end.
	if p := firstOf([][]*course{{slow, quick}, {wrong, slow}}, 1); p.Segments != 6 || p.ExactAccuracy != 1 {
		t.Errorf("%+v, want 6 segments, all right", p)
	}
	if p := firstOf([][]*course{{slow, quick}, {wrong, wrong}}, 9); p.Segments != 8 || p.ExactAccuracy != 0.5 {
		t.Errorf("%+v, want 8 segments, half of them right", p)
	}
}

// TestHalting: the learned rule of a shipped model is worth something, and the oracle is not beaten.
func TestHalting(t *testing.T) {
	m, err := engine.Shipped("maze", models.Open)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	rows, err := task.Open("maze-directions:15", 3, true)
	if err != nil {
		t.Fatal(err)
	}
	list, err := Halting(context.Background(), m, rows.Source, rows.Rows, rows.Cols, 40, Config{})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]HaltingWay{}
	for _, w := range list {
		by[w.Way] = w
	}
	more, err := Halting(context.Background(), m, rows.Source, rows.Rows, rows.Cols, 4, Config{Config: think.Config{Many: think.Many{Thoughts: 2, Noise: 0.1}}})
	if err != nil || len(more) != len(list)+1 || more[4].Way != "first" || more[4].Segments < 2 {
		t.Errorf("with two thoughts: %+v, error %v", more, err)
	}
	if by["learned"].ExactAccuracy < 0.95 || by["learned"].Segments >= by["fixed"].Segments || *by["oracle"].Area != 0 || *by["residual"].Area <= *by["learned"].Area {
		HaltingTable(list).Print(t.Output())
		t.Error("want the learned rule to think less than fixed segments for the same accuracy, and nearer to the oracle than a fixed point")
	}
}
