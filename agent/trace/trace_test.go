package trace_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/grid"
)

var header = trace.Header{
	EnvID: "maze/15x15-v0", Model: "maze", Agent: "hrm", Actions: []string{"up", "down", "left", "right"},
	MaxSegments: 16, Rule: "halt over continue", Threshold: 0.5, Answer: trace.AnswerDirection,
	Engine: "libtorch", Levels: []string{"H", "L"},
}

// drawStep draws any step that the format can hold.
func drawStep(t *rapid.T) *trace.Step {
	cols, rows := rapid.IntRange(0, 9).Draw(t, "cols"), rapid.IntRange(0, 9).Draw(t, "rows")
	cells := cols * rows
	byteOf := rapid.Byte()
	maybe := func(name string, n int) []byte {
		if n == 0 || !rapid.Bool().Draw(t, name) {
			return nil
		}
		return rapid.SliceOfN(byteOf, n, n).Draw(t, name)
	}
	// Changes are kept in 8 bits of the largest, so those that the format holds exactly are drawn.
	change := func(name string) []float32 {
		q := maybe(name, cells)
		if q == nil {
			return nil
		}
		q[0] = 255
		largest := rapid.Float32Range(1e-6, 1e6).Draw(t, name)
		v := make([]float32, len(q))
		for i, x := range q {
			v[i] = float32(float64(largest) * float64(x) / 255)
		}
		return v
	}
	f32 := rapid.Float32()
	s := &trace.Step{
		Episode: rapid.IntRange(0, math.MaxInt32).Draw(t, "episode"),
		Index:   rapid.IntRange(0, 1000).Draw(t, "index"),
		Seed:    rapid.Uint64().Draw(t, "seed"),
		Board: grid.Board{
			Family: rapid.String().Draw(t, "family"), Caption: rapid.String().Draw(t, "caption"),
			Cols: cols, Rows: rows,
		},
		Action: rapid.IntRange(-1, 6).Draw(t, "action"),
		Reward: rapid.Float64().Draw(t, "reward"), Return: rapid.Float64().Draw(t, "return"),
		Terminated: rapid.Bool().Draw(t, "terminated"), Truncated: rapid.Bool().Draw(t, "truncated"),
	}
	for range cells {
		s.Board.Cells = append(s.Board.Cells, grid.Cell{Kind: byteOf.Draw(t, "kind"), Color: byteOf.Draw(t, "color"), State: byteOf.Draw(t, "state"), Flags: byteOf.Draw(t, "flags")})
	}
	for range rapid.IntRange(0, 3).Draw(t, "pieces") {
		s.Board.Pieces = append(s.Board.Pieces, grid.Piece{X: rapid.IntRange(-1, 9).Draw(t, "x"), Y: rapid.IntRange(-1, 9).Draw(t, "y"), Kind: byteOf.Draw(t, "kind"), Dir: 3})
	}
	s.Person = rapid.Bool().Draw(t, "person")
	for range rapid.IntRange(0, 3).Draw(t, "beside") {
		n := rapid.IntRange(1, 4).Draw(t, "side")
		b := grid.Beside{Title: rapid.String().Draw(t, "title"), Board: grid.Board{Family: "arc", Cols: n, Rows: 1}}
		for range n {
			b.Board.Cells = append(b.Board.Cells, grid.Cell{Kind: 1, Color: byteOf.Draw(t, "color")})
		}
		s.Board.Beside = append(s.Board.Beside, b)
	}
	for range rapid.IntRange(0, 4).Draw(t, "segments") {
		g := trace.Segment{
			QHalt: f32.Draw(t, "q"), QContinue: f32.Draw(t, "q"), Halted: rapid.Bool().Draw(t, "halted"),
			Answer: maybe("answer", cells), Confidence: maybe("confidence", cells),
			Actions: rapid.SliceOfN(f32, 4, 4).Draw(t, "actions"),
		}
		for range rapid.SampledFrom([]int{0, len(header.Levels)}).Draw(t, "levels") {
			g.Levels = append(g.Levels, trace.Level{
				Change: change("change"), Path: [2]float32{f32.Draw(t, "p"), f32.Draw(t, "p")}, Attention: maybe("attention", cells*cells),
			})
		}
		s.Thought = append(s.Thought, g)
	}
	return s
}

func encode(t testing.TB, steps ...*trace.Step) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := trace.NewWriter(&b, header)
	for _, s := range steps {
		err = errors.Join(err, w.Put(s))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(t testing.TB, b []byte) (*trace.File, []*trace.Step) {
	t.Helper()
	f, err := trace.NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var steps []*trace.Step
	for i := range end(f) {
		s, err := f.Step(i)
		if err != nil {
			t.Fatal(err)
		}
		if info, ok := f.Info(i); !ok || info != s.Info() {
			t.Errorf("step %d: the index says %+v, the step %+v", i, info, s.Info())
		}
		steps = append(steps, s)
	}
	return f, steps
}

func end(f *trace.File) int {
	_, end := f.Range()
	return end
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var want []*trace.Step
		for range rapid.IntRange(0, 3).Draw(rt, "steps") {
			want = append(want, drawStep(rt))
		}
		b := encode(t, want...)
		f, got := decode(t, b)
		if f.Damage() != nil {
			t.Errorf("damage of a whole file: %v", f.Damage())
		}
		if d := cmp.Diff(header, f.Header()); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if again := encode(t, got...); !bytes.Equal(again, b) {
			t.Error("what was read is written differently")
		}
	})
}

// episode is n steps of a 30x30 board with segments segments each, as large as real ones.
func episode(n, segments int) []*trace.Step { return episodeOf(30, n, segments) }

func episodeOf(side, n, segments int) []*trace.Step {
	cells := side * side
	steps := make([]*trace.Step, n)
	for i := range steps {
		s := &trace.Step{Index: i, Seed: 7, Board: grid.Board{Family: "maze", Cols: side, Rows: side, Cells: make([]grid.Cell, cells)}, Action: i % 4}
		for c := range s.Board.Cells {
			s.Board.Cells[c].Kind = uint8(c * 7 % 3)
		}
		for k := range segments {
			g := trace.Segment{QHalt: float32(k), Answer: make([]uint8, cells), Confidence: make([]uint8, cells), Levels: []trace.Level{{Change: make([]float32, cells)}, {Change: make([]float32, cells)}}}
			for c := range g.Answer {
				g.Answer[c] = uint8(c % (k + 2))
				g.Confidence[c] = uint8(c*k*(i+1)) ^ uint8(c>>3)
				g.Levels[0].Change[c] = float32(c%17) / float32(k+1)
				g.Levels[1].Change[c] = float32(c%13) / float32(k+1)
			}
			s.Thought = append(s.Thought, g)
		}
		steps[i] = s
	}
	return steps
}

func TestCutOff(t *testing.T) {
	steps := episodeOf(5, 3, 2)
	whole := encode(t, steps...)
	_, want := decode(t, whole)
	headEnd := bytes.IndexByte(whole, '}') + 1 + 4
	before := 0
	for n := range len(whole) {
		f, err := trace.NewFile(bytes.NewReader(whole[:n]), int64(n))
		if n < headEnd {
			if !errors.Is(err, trace.ErrFormat) && !errors.Is(err, trace.ErrDamaged) {
				t.Fatalf("cut at %d: error %v, want ErrFormat or ErrDamaged", n, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if !errors.Is(f.Damage(), trace.ErrDamaged) {
			t.Fatalf("cut at %d: damage %v", n, f.Damage())
		}
		if got := end(f); got < before {
			t.Fatalf("cut at %d: %d steps, fewer than of a shorter file", n, got)
		} else {
			before = got
		}
		for i := range end(f) {
			if got, err := f.Step(i); err != nil || !cmp.Equal(want[i], got) {
				t.Fatalf("cut at %d: step %d differs (error %v)", n, i, err)
			}
		}
	}
	if before != 3 {
		t.Errorf("%d steps of a file that lacks one byte, want 3", before)
	}
}

func TestFlippedByteIsNoticed(t *testing.T) {
	steps := episodeOf(5, 2, 2)
	whole := encode(t, steps...)
	_, want := decode(t, whole)
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 0x10
		f, err := trace.NewFile(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			continue
		}
		for n := range end(f) {
			if got, err := f.Step(n); err == nil && !cmp.Equal(want[n], got) {
				t.Fatalf("byte %d flipped: step %d is read wrongly", i, n)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	b := encode(t)
	binary.LittleEndian.PutUint16(b[8:], 9)
	_, err := trace.NewFile(bytes.NewReader(b), int64(len(b)))
	if !errors.Is(err, trace.ErrVersion) || !strings.Contains(err.Error(), "version 9") {
		t.Errorf("error %v, want ErrVersion that names version 9", err)
	}
}

// TestBomb opens a step of a few hundred kilobytes that inflates to hundreds of megabytes.
func TestBomb(t *testing.T) {
	s := episode(1, 1)[0]
	s.Thought[0].Levels[0].Attention = make([]uint8, 40<<20)
	s.Thought = append(s.Thought, s.Thought[0])
	w, err := trace.NewWriter(io.Discard, header)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Put(s); err == nil || !strings.Contains(err.Error(), "without attention") {
		t.Errorf("error %v of a step of 80 MiB", err)
	}
	if err := w.Put(episode(1, 1)[0]); err != nil {
		t.Errorf("a step after one that was refused: %v", err)
	}

	b := append(headOf(t, header), stepRecord(t, 1, io.LimitReader(zeros{}, 512<<20))...)
	f, err := trace.NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil || end(f) != 1 {
		t.Fatalf("error %v, %d steps", err, end(f))
	}
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	_, err = f.Step(0)
	runtime.ReadMemStats(&m1)
	if !errors.Is(err, trace.ErrDamaged) {
		t.Errorf("error %v, want ErrDamaged", err)
	}
	// A buffer that doubles up to 64 MiB allocates at most four times that in sum, more under the race
	// detector; all of the bomb would take more than a gigabyte.
	if n := m1.TotalAlloc - m0.TotalAlloc; n > 600<<20 {
		t.Errorf("%d MiB allocated", n>>20)
	}
}

func TestBadStep(t *testing.T) {
	w, err := trace.NewWriter(io.Discard, header)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*trace.Step{
		{Board: grid.Board{Cols: 2, Rows: 2, Cells: make([]grid.Cell, 3)}},
		{Action: -2},
		{Episode: -1},
		{Thought: []trace.Segment{{Levels: make([]trace.Level, 1)}}}, // the header has two
	} {
		if err := w.Put(s); err == nil {
			t.Errorf("step %+v was taken", s)
		}
	}
}

type failing struct{ left int }

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestFullDisk(t *testing.T) {
	w, err := trace.NewWriter(&failing{left: 1000}, header)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range episode(9, 4) {
		err = w.Put(s)
	}
	if err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("Put on a full disk: %v", err)
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("Close on a full disk: %v", err)
	}
}

func TestCreateOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.trace")
	bad := header
	bad.Actions = make([]string, 5000)
	if _, err := trace.Create(path, bad); err == nil {
		t.Error("a header of 5,000 actions is taken")
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a header that was refused left %s: %v", path, err)
	}
	w, err := trace.Create(path, header)
	if err != nil {
		t.Fatal(err)
	}
	steps := episode(2, 2)
	for _, s := range steps {
		if err := w.Put(s); err != nil {
			t.Fatal(err)
		}
	}
	// What was put can be read before Close, as after a kill.
	f, err := trace.Open(path)
	if err != nil || end(f) != 2 || f.Damage() == nil {
		t.Errorf("before Close: error %v, damage %v", err, f.Damage())
	}
	f.Close()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err = trace.Open(path); err != nil || end(f) != 2 || f.Damage() != nil {
		t.Errorf("after Close: error %v, damage %v", err, f.Damage())
	}
	f.Close()
	if _, err := trace.Open(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
}

func TestLive(t *testing.T) {
	l := trace.NewLive(4, 1<<30)
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				first, end := l.Range()
				if end-first > 4 {
					t.Errorf("range %d to %d of a ring of 4", first, end)
				}
				for n := first; n < end; n++ {
					if s, err := l.Step(n); err == nil && s.Index != n {
						t.Errorf("step %d is returned for %d", s.Index, n)
					}
				}
				if s := l.Thinking(); s != nil && len(s.Thought) != s.Action {
					t.Errorf("a torn decision: %d segments, want %d", len(s.Thought), s.Action)
				}
				runtime.Gosched()
			}
		})
	}
	s := &trace.Step{}
	for i := range 2000 {
		s.Index, s.Action, s.Thought = i, 0, s.Thought[:0]
		for range 3 {
			s.Thought = append(s.Thought, trace.Segment{})
			s.Action++
			l.Think(s)
		}
		l.Put(s)
	}
	close(stop)
	readers.Wait()
	if first, end := l.Range(); first != 1996 || end != 2000 {
		t.Errorf("range %d to %d, want 1996 to 2000", first, end)
	}
	if _, err := l.Step(5); err == nil || !strings.Contains(err.Error(), "1996 to 1999") {
		t.Errorf("error %v of a dropped step", err)
	}
	if _, ok := l.Info(-1); ok {
		t.Error("there is a step -1")
	}
	if l.Version() != 2000*4 {
		t.Errorf("version %d, want 8000", l.Version())
	}
}

func TestLiveBoundsMemory(t *testing.T) {
	l := trace.NewLive(1000, 1<<20)
	for _, s := range episode(200, 4) { // about 43 kB each
		l.Put(s)
	}
	if first, end := l.Range(); end-first > 26 || end-first < 20 {
		t.Errorf("%d steps of 43 kB in 1 MiB", end-first)
	}
	l = trace.NewLive(1000, 10)
	for _, s := range episode(3, 4) {
		l.Put(s)
	}
	if first, end := l.Range(); end-first != 1 {
		t.Errorf("%d steps kept where none fits, want the newest", end-first)
	}
}

// TestScrub reads any of 10,000 steps of a 30x30 board with 16 segments in much less than a frame.
func TestScrub(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 10,000 steps")
	}
	var b bytes.Buffer
	w, err := trace.NewWriter(&b, header)
	if err != nil {
		t.Fatal(err)
	}
	steps := episode(10, 16)
	for i := range 10_000 {
		s := *steps[i%10]
		s.Index = i
		if err := w.Put(&s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	f, err := trace.NewFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Since(start)
	var best, worst time.Duration
	for i := range 200 {
		n := i * 7919 % 10_000
		start := time.Now()
		s, err := f.Step(n)
		took := time.Since(start)
		if err != nil || s.Index != n {
			t.Fatalf("step %d: error %v", n, err)
		}
		worst = max(worst, took)
		if best == 0 || took < best {
			best = took
		}
	}
	t.Logf("%d kB a step, opened in %v, a step in %v to %v", b.Len()/10_000/1000, opened, best, worst)
	// The best of 200, since the machine may be busy with other work.
	if best > 16*time.Millisecond {
		t.Errorf("a step takes %v, want less than a frame", best)
	}
}

func FuzzFile(f *testing.F) {
	whole := encode(f, episode(2, 2)...)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(encode(f))
	f.Add([]byte("\x89ponder\n\x01\x00"))
	v1, err := os.ReadFile("testdata/v1.trace")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(v1)
	f.Fuzz(func(t *testing.T, b []byte) {
		open(t, b)
		// The same bytes with every checksum mended, so that the decoder sees them too.
		open(t, mend(b))
	})
}

func open(t *testing.T, b []byte) {
	f, err := trace.NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return
	}
	for i := range min(end(f), 50) {
		s, err := f.Step(i)
		if err != nil {
			if !errors.Is(err, trace.ErrDamaged) {
				t.Errorf("error %v is not ErrDamaged", err)
			}
			continue
		}
		if len(s.Board.Cells) != s.Board.Cols*s.Board.Rows {
			t.Errorf("board of %dx%d with %d cells", s.Board.Cols, s.Board.Rows, len(s.Board.Cells))
		}
		for k := range s.Thought {
			if n := len(s.Thought[k].Levels); n != 0 && n != len(f.Header().Levels) {
				t.Errorf("%d levels, the header has %d", n, len(f.Header().Levels))
			}
		}
		if w, err := trace.NewWriter(io.Discard, f.Header()); err != nil || w.Put(s) != nil {
			t.Error("what was read cannot be written")
		}
	}
}

func BenchmarkPut(b *testing.B) {
	steps := episode(4, 16)
	w, _ := trace.NewWriter(io.Discard, header)
	for i := 0; b.Loop(); i++ {
		if err := w.Put(steps[i%4]); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleWriter() {
	var b bytes.Buffer
	w, _ := trace.NewWriter(&b, trace.Header{EnvID: "maze/15x15-v0", Agent: "oracle"})
	w.Put(&trace.Step{Index: 0, Action: 3, Reward: 1, Return: 1, Terminated: true})
	w.Close()
	f, _ := trace.NewFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	s, _ := f.Step(0)
	fmt.Println(f.Header().EnvID, s.Action, s.Terminated)
	// Output: maze/15x15-v0 3 true
}
