package act

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var nan = float32(math.NaN())

func TestHalter(t *testing.T) {
	tests := []struct {
		name  string
		cfg   Config
		qHalt []float32 // one a segment; q_continue is 0
		draws Draws
		want  []bool
	}{
		{"stops at the limit", Config{MaxSegments: 2}, []float32{-1, -1}, nil, []bool{false, true}},
		{"one segment at most", Config{MaxSegments: 1}, []float32{-1, -1}, nil, []bool{true, true}},
		{"halt over continue", Config{MaxSegments: 4}, []float32{-1, 1, 1, -1}, nil, []bool{false, true, true, false}},
		{"a tie continues", Config{MaxSegments: 2}, []float32{0}, nil, []bool{false}}, // strict >, hrm_act_v1.py
		{"not a number continues", Config{MaxSegments: 2}, []float32{nan, nan}, nil, []bool{false, true}},
		{"above a threshold", Config{MaxSegments: 4, Rule: HaltAbove, Threshold: 2}, []float32{1, 2, 3}, nil, []bool{false, false, true}},
		{"below a negative threshold", Config{MaxSegments: 3, Rule: HaltAbove, Threshold: -2}, []float32{-3, -1}, nil, []bool{false, true}},
		{"never", Config{MaxSegments: 3, Rule: Never}, []float32{9, 9, 9}, nil, []bool{false, false, true}},
		{
			"exploration delays, anew at each segment",
			Config{MaxSegments: 4, ExplorationProb: 0.5},
			[]float32{1, 1, 1, 1},
			&Recorded{[][]float32{{0}, {0.5}, {0.25}, {0}}, [][]int32{{4}, {4}, {2}, {2}}},
			// 1 < 4; 0.5 is not below 0.5, so no minimum; a new sequence: 1 < 2; 2 >= 2.
			[]bool{false, true, false, true},
		},
		{
			"exploration does not pass the limit",
			Config{MaxSegments: 2, ExplorationProb: 1},
			[]float32{-1, -1},
			&Recorded{[][]float32{{0}, {0}}, [][]int32{{2}, {2}}},
			[]bool{false, true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, err := New(tt.cfg, 1, tt.draws)
			if err != nil {
				t.Fatal(err)
			}
			var got []bool
			for _, q := range tt.qHalt {
				h.Step(Q{Halt: []float32{q}, Continue: []float32{0}})
				got = append(got, h.Halted()[0])
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("halted = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRowsBeginAnew(t *testing.T) {
	h, err := New(Config{MaxSegments: 3, Rule: HaltAbove}, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, halted []bool, segments []int32, rows []int) {
		t.Helper()
		if !slices.Equal(h.Halted(), halted) || !slices.Equal(h.Segments(), segments) || !slices.Equal(h.Compact(nil), rows) {
			t.Errorf("%s: %v %v %v, want %v %v %v", what, h.Halted(), h.Segments(), h.Compact(nil), halted, segments, rows)
		}
	}
	check("at the beginning", []bool{true, true, true}, []int32{0, 0, 0}, nil)
	h.Step(Q{Halt: []float32{1, -1, -1}})
	check("row 0 halts", []bool{true, false, false}, []int32{1, 1, 1}, []int{1, 2})
	h.StepRows([]int{1, 2}, Q{Halt: []float32{-1, 1}})
	check("row 0 waits, row 2 halts", []bool{true, false, true}, []int32{1, 2, 2}, []int{1})
	if got, want := h.AppendLast(nil), []bool{false, false, false}; !slices.Equal(got, want) {
		t.Errorf("last = %v, want %v", got, want)
	}
	h.Step(Q{Halt: []float32{-1, -1, -1}})
	check("rows 0 and 2 begin anew, row 1 is at the limit", []bool{false, true, false}, []int32{1, 3, 1}, []int{0, 2})
	if got, want := h.AppendLast(nil), []bool{false, true, false}; !slices.Equal(got, want) {
		t.Errorf("last = %v, want %v", got, want)
	}
	h.ResetRow(2)
	check("row 2 reset", []bool{false, true, true}, []int32{1, 3, 0}, []int{0})
	h.Reset()
	check("all reset", []bool{true, true, true}, []int32{0, 0, 0}, nil)
}

func TestExplorationRate(t *testing.T) {
	const rows, steps, prob = 100, 2000, 0.3
	h, err := New(Config{MaxSegments: 5, ExplorationProb: prob}, rows, FromRand(rand.New(rand.NewPCG(1, 2))))
	if err != nil {
		t.Fatal(err)
	}
	var count [6]int
	q := Q{Halt: make([]float32, rows), Continue: make([]float32, rows)}
	for range steps {
		h.Step(q)
		for _, m := range h.MinSegments() {
			count[m]++
		}
	}
	for m, n := range count {
		p := []float64{1 - prob, 0, prob / 4, prob / 4, prob / 4, prob / 4}[m]
		mean := p * rows * steps
		if math.Abs(float64(n)-mean) > 5*math.Sqrt(mean*(1-p)) { // five standard deviations
			t.Errorf("minimum %d was drawn %d times, want about %.0f", m, n, mean)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	_, err := New(Config{MaxSegments: 0, ExplorationProb: math.NaN(), Rule: 9, Threshold: nan}, 0, nil)
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"MaxSegments is 0", "ExplorationProb is NaN", "rule 9", "Threshold", "0 rows"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
	if _, err := New(Config{MaxSegments: 2, ExplorationProb: 0.1}, 1, nil); err == nil {
		t.Error("exploration without draws is no error")
	}
}

func TestConfigJSON(t *testing.T) {
	in := Config{MaxSegments: 16, ExplorationProb: 0.1, Rule: HaltAbove, Threshold: 0.5}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"max_segments":16,"exploration_prob":0.1,"rule":"halt-above","threshold":0.5}`; string(b) != want {
		t.Errorf("JSON = %s, want %s", b, want)
	}
	var out Config
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Errorf("and back %v, %v, want %v", out, err, in)
	}
	if err := json.Unmarshal([]byte(`{"rule":"sometimes"}`), &out); err == nil {
		t.Error("an unknown rule was accepted")
	}
	if _, err := json.Marshal(Rule(3)); err == nil {
		t.Error("an invalid rule was written")
	}
}

func TestStepPanics(t *testing.T) {
	h, err := New(Config{MaxSegments: 2}, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]Q{
		"few":         {Halt: []float32{1}, Continue: []float32{1}},
		"many":        {Halt: make([]float32, 3), Continue: make([]float32, 3)},
		"no continue": {Halt: make([]float32, 2)},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			h.Step(q)
		}()
	}
}

func TestTargets(t *testing.T) {
	// Hand calculation: sigmoid(0) = 1/2, sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4.
	ln3 := float32(math.Log(3))
	q := Q{Halt: []float32{-ln3, -ln3, 0, ln3, nan}, Continue: []float32{ln3, ln3, -1, 0, 0}}
	got := AppendTargets(nil, q, []bool{false, true, false, false, false})
	for b, want := range []float32{0.75, 0.25, 0.5, 0.75} {
		if math.Abs(float64(got[b]-want)) > 1e-7 { // one rounding of the logit, one of the result
			t.Errorf("target %d = %v, want %v", b, got[b], want)
		}
	}
	if got[4] == got[4] {
		t.Errorf("target of a logit that is not a number = %v", got[4])
	}
}

func TestStateErrors(t *testing.T) {
	h, err := New(Config{MaxSegments: 3}, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Step(Q{Halt: []float32{1, -1}, Continue: []float32{0, 0}})
	good := h.AppendState(nil)
	change := func(i int, to byte) []byte {
		b := slices.Clone(good)
		b[i] = to
		return b
	}
	for name, state := range map[string][]byte{
		"nothing":           nil,
		"other version":     change(0, 9),
		"other rows":        change(1, 3),
		"other limit":       change(5, 4),
		"cut":               good[:len(good)-1],
		"more":              append(slices.Clone(good), 0),
		"segments beyond":   change(9, 4),
		"minimum beyond":    change(13, 4),
		"halted neither":    change(17, 2),
		"last, yet thinks":  change(18, 3),
		"none, yet thinks":  change(18, 0),
		"huge segment":      change(12, 255),
		"huge number (row)": change(4, 255),
	} {
		if err := h.SetState(state); err == nil {
			t.Errorf("%s: no error", name)
		}
		if diff := cmp.Diff(good, h.AppendState(nil)); diff != "" {
			t.Fatalf("%s: changed by an error: %s", name, diff)
		}
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	h, err := New(Config{MaxSegments: 8, ExplorationProb: 0.5}, 64, FromRand(rand.New(rand.NewPCG(1, 2))))
	if err != nil {
		t.Fatal(err)
	}
	q := Q{Halt: make([]float32, 64), Continue: make([]float32, 64)}
	rows, last, targets, state := make([]int, 0, 64), make([]bool, 0, 64), make([]float32, 0, 64), []byte(nil)
	state = h.AppendState(state)
	if n := testing.AllocsPerRun(100, func() {
		h.Step(q)
		rows = h.Compact(rows[:0])
		h.StepRows(rows, Q{q.Halt[:len(rows)], q.Continue[:len(rows)]})
		last = h.AppendLast(last[:0])
		targets = AppendTargets(targets[:0], q, last)
		state = h.AppendState(state[:0])
	}); n != 0 {
		t.Errorf("%v allocations a step, want 0", n)
	}
}
