package trace_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/grid"
)

// TestVersion1 reads a file that the package wrote when its format was version 1, testdata/v1.go.
func TestVersion1(t *testing.T) {
	b, err := os.ReadFile("testdata/v1.trace")
	if err != nil {
		t.Fatal(err)
	}
	f, got := decode(t, b)
	want := trace.Header{
		EnvID: "maze/3x2-v0", Model: "maze", Agent: "hrm", Actions: []string{"up", "down", "left", "right"},
		MaxSegments: 16, Rule: "halt-above", Threshold: 0.25, Answer: trace.AnswerDirection, Levels: []string{"H", "L"},
	}
	if d := cmp.Diff(want, f.Header()); d != "" {
		t.Error(d)
	}
	board := grid.Board{Family: "maze", Caption: "go to the goal", Cols: 3, Rows: 2, Pieces: []grid.Piece{{X: 2, Y: 1, Color: 1, Dir: 3}}}
	for i := range uint8(6) {
		board.Cells = append(board.Cells, grid.Cell{Kind: i, Color: 10 + i, State: 20 + i, Flags: i % 2})
	}
	segment := func(k int) trace.Segment {
		return trace.Segment{
			QHalt: float32(k) - 0.5, QContinue: 0.75, Halted: k == 1,
			Answer: []uint8{0, 1, 2, 3, 255, uint8(k)}, Confidence: []uint8{250, 200, 150, 100, 50, uint8(9 * k)},
			Actions: []float32{0.125, 0.25, 0.5, 0.125},
			Levels: []trace.Level{
				{Change: []float32{0, 1, 2, 3, 4, 255}, Path: [2]float32{1, float32(k)}},
				{Change: []float32{510, 0, 2, 4, 6, 8}, Path: [2]float32{-2, float32(3 * k)}},
			},
		}
	}
	second := segment(1)
	for i := range 36 {
		second.Levels[0].Attention = append(second.Levels[0].Attention, uint8(7*i))
		second.Levels[1].Attention = append(second.Levels[1].Attention, uint8(255-7*i))
	}
	steps := []*trace.Step{
		{Episode: 1, Index: 4, Seed: 1 << 63, Board: board, Thought: []trace.Segment{segment(0), second}, Action: 2, Reward: -0.5, Return: 1.5},
		{Episode: 1, Index: 5, Seed: 1 << 63, Board: board, Thought: []trace.Segment{{QHalt: 2, Halted: true}}, Action: 3, Reward: 1, Return: 2.5, Terminated: true},
		{Episode: 1, Index: 6, Seed: 1 << 63, Board: board, Action: -1, Return: 2.5, Terminated: true},
	}
	if d := cmp.Diff(steps, got); d != "" {
		t.Error(d)
	}
	if f.Damage() != nil {
		t.Errorf("damage of a whole file: %v", f.Damage())
	}
	// Written anew it is a file of the present version that says the same.
	if _, again := decode(t, encode(t, got...)); !cmp.Equal(got, again) {
		t.Error(cmp.Diff(got, again))
	}
}

// field is a field of the format, put together by hand.
func field(tag byte, payload ...[]byte) []byte {
	b := []byte{tag, 0, 0, 0, 0}
	for _, p := range payload {
		b = append(b, p...)
	}
	binary.LittleEndian.PutUint32(b[1:], uint32(len(b)-5))
	return b
}

// TestFields reads thoughts as another program might write them: with fields that this one does not
// know, which it passes over, and with those that do not fit, which it refuses.
func TestFields(t *testing.T) {
	halting := field(1, []byte("\x01"), []byte("\x00\x00\x80\x3f"), []byte("\x00\x00\x00\xc0")) // halted, 1, -2
	origin := make([]byte, 8)
	level := func(fields ...[]byte) []byte { return field(5, append([][]byte{origin}, fields...)...) }
	foreign := field(200, []byte("the returns of this decision's branches"))
	good := trace.Segment{QHalt: 1, QContinue: -2, Halted: true}
	with := func(f func(g *trace.Segment)) *trace.Segment {
		g := good
		f(&g)
		return &g
	}
	for _, tt := range []struct {
		name  string
		bytes [][]byte
		want  *trace.Segment // nil if it is damaged
	}{
		{"the least", [][]byte{field(1, halting)}, &good},
		{"foreign fields of a step", [][]byte{foreign, field(1, halting), foreign}, &good},
		{"foreign fields of a segment", [][]byte{field(1, foreign, halting, field(2, []byte{7}), foreign)}, with(func(g *trace.Segment) { g.Answer = []uint8{7} })},
		{"foreign fields of a level", [][]byte{field(1, halting, level(foreign), level(field(2, []byte{9}), foreign))}, with(func(g *trace.Segment) {
			g.Levels = []trace.Level{{}, {Attention: []uint8{9}}}
		})},
		{"an empty foreign field", [][]byte{field(1, halting, field(99))}, &good},
		{"no halting", [][]byte{field(1, foreign, foreign)}, nil},
		{"halting twice", [][]byte{field(1, halting, halting)}, nil},
		{"halting of too many bytes", [][]byte{field(1, field(1, make([]byte, 10)))}, nil},
		{"halting of too few", [][]byte{field(1, field(1, make([]byte, 8)), foreign)}, nil},
		{"an answer twice", [][]byte{field(1, halting, field(2, []byte{7}), field(2, []byte{7}))}, nil},
		{"an empty answer", [][]byte{field(1, halting, field(2))}, nil},
		{"actions of 6 bytes", [][]byte{field(1, halting, field(4, make([]byte, 6)))}, nil},
		{"one level of two", [][]byte{field(1, halting, level(), foreign)}, nil},
		{"three levels of two", [][]byte{field(1, halting, level(), level(), level())}, nil},
		{"a level without a path", [][]byte{field(1, halting, level(), field(5, make([]byte, 4)), foreign)}, nil},
		{"a change without cells", [][]byte{field(1, halting, level(field(1, make([]byte, 4))), level())}, nil},
		{"a change on no scale", [][]byte{field(1, halting, level(field(1, []byte("\x00\x00\xc0\x7f\x01"))), level())}, nil}, // NaN
		{"two segments for one", [][]byte{field(1, halting), field(1, halting)}, nil},
		{"a foreign step alone", [][]byte{foreign}, nil},
		{"a field longer than what is left", [][]byte{field(1, halting), foreign[:len(foreign)-1]}, nil},
		{"a field of 4 GiB", [][]byte{field(1, halting), {200, 255, 255, 255, 255}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// seed, family, caption, columns, rows, pieces: nothing of each
			thought := bytes.Join(append([][]byte{make([]byte, 13)}, tt.bytes...), nil)
			b := append(headOf(t, header), stepRecord(t, 1, bytes.NewReader(thought))...)
			f, err := trace.NewFile(bytes.NewReader(b), int64(len(b)))
			if err != nil || end(f) != 1 {
				t.Fatalf("%v, %d steps", err, end(f))
			}
			s, err := f.Step(0)
			switch {
			case tt.want == nil && !errors.Is(err, trace.ErrDamaged):
				t.Errorf("%+v, error %v, want ErrDamaged", s, err)
			case tt.want != nil && err != nil:
				t.Error(err)
			case tt.want != nil && !cmp.Equal([]trace.Segment{*tt.want}, s.Thought):
				t.Error(cmp.Diff([]trace.Segment{*tt.want}, s.Thought))
			}
		})
	}
}

// TestClaims: counts that the bytes do not bear out take no memory.
func TestClaims(t *testing.T) {
	h := header
	h.Levels = make([]string, 1000)
	one := field(1, field(1, make([]byte, 9)), field(5, make([]byte, 8)))
	thought := append(make([]byte, 13), bytes.Repeat(one, 1000)...)
	b := headOf(t, h)
	for _, segments := range []uint64{1000, trace.MaxSegments} {
		b = append(b, stepRecord(t, segments, bytes.NewReader(thought))...)
	}
	f, err := trace.NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil || end(f) != 2 {
		t.Fatalf("%v, %d steps", err, end(f))
	}
	for n := range 2 {
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		_, err = f.Step(n)
		runtime.ReadMemStats(&m1)
		if !errors.Is(err, trace.ErrDamaged) {
			t.Errorf("step %d: error %v, want ErrDamaged", n, err)
		}
		if n := m1.TotalAlloc - m0.TotalAlloc; n > 4<<20 {
			t.Errorf("%d kB allocated for %d bytes", n>>10, len(thought))
		}
	}
}

// TestBounds: what no program writes and drawing could not bear is refused, when it is read and when it
// is written.
func TestBounds(t *testing.T) {
	long := strings.Repeat("W", 2_000_000)
	for name, change := range map[string]func(h *trace.Header){
		"MaxSegments 2147483647": func(h *trace.Header) { h.MaxSegments = math.MaxInt32 },
		"MaxSegments -5":         func(h *trace.Header) { h.MaxSegments = -5 },
		"a text of 2000000":      func(h *trace.Header) { h.Rule = long },
		"a text of 2000000 ":     func(h *trace.Header) { h.Actions = []string{long} },
		"5003 actions":           func(h *trace.Header) { h.Actions, h.Levels = make([]string, 5000), make([]string, 3) },
	} {
		h := header
		change(&h)
		if _, err := trace.NewWriter(io.Discard, h); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("written: %v, want %q", err, name)
		}
		body, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		b := append(headOf(t, header)[:10], record('H', body)...)
		if _, err := trace.NewFile(bytes.NewReader(b), int64(len(b))); !errors.Is(err, trace.ErrDamaged) || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("read: %v, want ErrDamaged and %q", err, name)
		}
	}

	var b bytes.Buffer
	w, err := trace.NewWriter(&b, header)
	if err != nil {
		t.Fatal(err)
	}
	board := func(side, pieces int, caption string) *trace.Step {
		return &trace.Step{Board: grid.Board{
			Caption: caption, Cols: side, Rows: side, Cells: make([]grid.Cell, side*side), Pieces: make([]grid.Piece, pieces),
		}}
	}
	for name, s := range map[string]*trace.Step{
		"pieces":   board(3, 100, ""),
		"caption":  board(3, 1, long),
		"side":     board(600, 1, ""),
		"segments": {Board: board(3, 1, "").Board, Thought: make([]trace.Segment, trace.MaxSegments+1)},
	} {
		if err := w.Put(s); err == nil {
			t.Errorf("%s: it is written", name)
		}
	}
	if err := w.Put(board(3, 25, "a mission")); err != nil {
		t.Error(err)
	}
	steps := func(thought []byte, segments uint64) error {
		b := append(headOf(t, header), stepRecord(t, segments, bytes.NewReader(thought))...)
		f, err := trace.NewFile(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if end(f) == 0 {
			return f.Damage()
		}
		_, err = f.Step(0)
		return err
	}
	// seed, family, then caption, columns, rows, planes, pieces
	start := make([]byte, 9)
	many := binary.AppendUvarint(nil, 1_000_000)
	for name, thought := range map[string][]byte{
		"a board of 4095x4095":     slices.Concat(start, []byte{0, 0xff, 0x1f, 0xff, 0x1f}, make([]byte, 4*4095*4095)),
		"1000000 pieces":           slices.Concat(start, []byte{0, 0, 0}, many, make([]byte, 5_000_000)),
		"a text of 1000000 bytes":  slices.Concat(start, many, make([]byte, 1_000_000)),
		"a step of 5000 segments,": make([]byte, 13),
	} {
		segments := uint64(0)
		if strings.Contains(name, "segments") {
			segments = 5000
		}
		if err := steps(thought, segments); !errors.Is(err, trace.ErrDamaged) || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want ErrDamaged and %q", err, name)
		}
	}
}

// TestCreateKeeps: a trace that was there stays until a new one is whole.
func TestCreateKeeps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.trace")
	write := func(steps int) *trace.Writer {
		w, err := trace.Create(path, header)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range episode(steps, 1) {
			if err := w.Put(s); err != nil {
				t.Fatal(err)
			}
		}
		return w
	}
	has := func(steps int, when string) {
		t.Helper()
		f, err := trace.Open(path)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		defer f.Close()
		if end(f) != steps || f.Damage() != nil {
			t.Errorf("%s: %d steps, damage %v, want %d", when, end(f), f.Damage(), steps)
		}
	}
	closed := func(w *trace.Writer) {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	closed(write(2))
	has(2, "a new one")
	w := write(3)
	has(2, "while another is written")
	closed(w)
	has(3, "when it is whole")
	closed(write(0))
	has(3, "after one without a step")
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("%v, %v: want one file", files, err)
	}
}
