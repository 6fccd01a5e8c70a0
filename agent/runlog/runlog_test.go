package runlog

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestLines(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	l, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Write(3, "train", Float("loss", 0.25), Int("rows", 7), String("note", "a \"b\"\n"), Float("q", math.NaN())); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(3, "eval", Float("exact", 1e-9)); err != nil {
		t.Fatal(err)
	}
	want := `{"step":3,"kind":"train","loss":0.25,"rows":7,"note":"a \"b\"\n","q":null}
{"step":3,"kind":"eval","exact":1e-09}
`
	if d := cmp.Diff(want, read(t, dir, "metrics.jsonl")); d != "" { // before Close: a kill loses nothing
		t.Error(d)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir); err == nil {
		t.Error("the record of a run was overwritten")
	}
}

// Killed at any byte and resumed from any checkpoint, the file becomes that of an uninterrupted run.
func TestResumeAtEveryByte(t *testing.T) {
	write := func(l *Log, from, to int64) {
		for s := from; s <= to; s++ {
			if err := l.Write(s, "train", Float("loss", 1/float64(s))); err != nil {
				t.Fatal(err)
			}
			if s%3 == 0 {
				if err := l.Write(s, "eval", Int("right", s)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	dir := filepath.Join(t.TempDir(), "whole")
	l, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	write(l, 1, 6)
	l.Close()
	whole := read(t, dir, "metrics.jsonl")
	ends := map[int64]int{0: 0} // of the lines of each step
	for s := int64(1); s <= 6; s++ {
		ends[s] = strings.LastIndex(whole, fmt.Sprintf(`{"step":%d,`, s))
		ends[s] += strings.IndexByte(whole[ends[s]:], '\n') + 1
	}
	base := t.TempDir()
	for checkpoint := int64(0); checkpoint <= 3; checkpoint += 3 {
		for cut := ends[checkpoint]; cut <= len(whole); cut++ {
			dir := filepath.Join(base, fmt.Sprint(checkpoint, "-", cut))
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "metrics.jsonl"), []byte(whole[:cut]), 0o666); err != nil {
				t.Fatal(err)
			}
			l, err := Resume(dir, checkpoint)
			if err != nil {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			write(l, checkpoint+1, 6)
			l.Close()
			if d := cmp.Diff(whole, read(t, dir, "metrics.jsonl")); d != "" {
				t.Fatalf("cut at %d, checkpoint %d: %s", cut, checkpoint, d)
			}
		}
	}
}

// The line of an evaluation that is still due is written anew.
func TestResumeBefore(t *testing.T) {
	const before = `{"step":4,"kind":"eval"}` + "\n" + `{"step":6,"kind":"train"}` + "\n"
	for _, text := range []string{before, before + `{"step":6,"kind":"eval"}` + "\n", before + `{"step":6,"kind":"eval"}` + "\n" + `{"step":7,"kind":"train"}` + "\n"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "metrics.jsonl"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		l, err := ResumeBefore(dir, 6, "eval")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if d := cmp.Diff(before, read(t, dir, "metrics.jsonl")); d != "" {
			t.Errorf("after %q: %s", text, d)
		}
	}
}

func TestResumeRefusesOtherFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := Resume(dir, 3); err == nil {
		t.Error("a folder without a run was resumed")
	}
	path := filepath.Join(dir, "metrics.jsonl")
	const text = "{\"step\":1,\"kind\":\"train\"}\nhello\n"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(dir, 3); err == nil || !strings.HasSuffix(err.Error(), `metrics.jsonl: line 2 is no metrics line: "hello\n"`) {
		t.Errorf("error %v", err)
	}
	if got := read(t, dir, "metrics.jsonl"); got != text {
		t.Errorf("the file was changed: %q", got)
	}
}

// The framing of an event, worked out by hand from the TFRecord format, and its checksum, whose
// known answer is RFC 3720's (B.4: 32 zero bytes).
func TestEventBytes(t *testing.T) {
	var m message
	m.varint(2, 300)
	m.float(2, 1)
	m.bytes(1, []byte("ab"))
	if got, want := fmt.Sprintf("% x", []byte(m)), "10 ac 02 15 00 00 80 3f 0a 02 61 62"; got != want {
		t.Errorf("message % s, want %s", got, want)
	}
	dir := t.TempDir()
	e, err := NewEvents(dir)
	if err != nil {
		t.Fatal(err)
	}
	if e2, err := NewEvents(dir); err != nil {
		t.Errorf("a second file in the same second: %v", err)
	} else {
		e2.Close()
	}
	e.record(make(message, 32))
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	data := read(t, dir, filepath.Base(e.f.Name()))
	// CRC-32C of 32 zeros is 8a9136aa; rotated right by 15 and with a282ead8 added it is
	// 6d551522 + a282ead8 = 0fd7fffa (mod 2^32).
	if got, want := fmt.Sprintf("% x", data[len(data)-4:]), "fa ff d7 0f"; got != want {
		t.Errorf("masked checksum %s, want %s", got, want)
	}
}

func TestMeter(t *testing.T) {
	var b strings.Builder
	clock := time.Unix(0, 0)
	m := NewMeter(&b, 100, 500, func() time.Time { return clock })
	for step := int64(101); step <= 500; step++ {
		clock = clock.Add(100 * time.Millisecond)
		m.Update(step, "loss 0.5")
	}
	m.Print("a note")
	m.Done()
	want := `200/500 steps 40%  loss 0.5  10 steps/s  30s left
300/500 steps 60%  loss 0.5  10 steps/s  20s left
400/500 steps 80%  loss 0.5  10 steps/s  10s left
500/500 steps 100%  loss 0.5  10 steps/s  in 40s
a note
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}

	b.Reset()
	m = NewMeter(&b, 0, 0, func() time.Time { return clock })
	m.width = func() int { return 11 }
	m.Update(4)
	clock = clock.Add(time.Second)
	m.Update(5, "a", "b", "c")
	clock = clock.Add(time.Second)
	m.length = 14 // as if a longer line stood there
	m.Update(7)
	m.Print("x")
	m.Update(8) // too early to show
	m.Done()
	if got, want := b.String(), "\r5 steps  a\r7 steps  3    \r          \rx\n\r8 steps  4\n"; got != want {
		t.Errorf("terminal %q, want %q", got, want)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		499 * time.Millisecond: "0s", 59 * time.Second: "59s", 187 * time.Second: "3m07s",
		2*time.Hour + 5*time.Minute: "2h05m", 76 * time.Hour: "3d04h",
	} {
		if got := Span(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// FuzzResume: whatever the file holds, Resume keeps whole lines of steps up to the checkpoint or
// leaves the file alone.
func FuzzResume(f *testing.F) {
	f.Add("{\"step\":1}\n{\"step\":2}\n{\"st", int64(1), "")
	f.Add("{\"step\":5}\n{\"step\":5,\"kind\":\"eval\"}\n", int64(5), "eval")
	f.Add("{\"step\":5}\n\n", int64(9), "")
	f.Fuzz(func(t *testing.T, text string, step int64, kind string) {
		keep, last, err := linesUpTo(strings.NewReader(text), step, kind)
		if err != nil {
			return
		}
		if keep < 0 || keep > int64(len(text)) || last > step {
			t.Fatalf("keeps %d of %d bytes up to step %d, want at most %d", keep, len(text), last, step)
		}
		for _, line := range strings.SplitAfter(text[:keep], "\n") {
			if line != "" && (!json.Valid([]byte(line)) || !strings.HasSuffix(line, "\n")) {
				t.Errorf("kept line %q", line)
			}
		}
	})
}
