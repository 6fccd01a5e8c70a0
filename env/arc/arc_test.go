package arc

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func mustGrid(t testing.TB, text string) Grid {
	t.Helper()
	g, err := ParseGrid(text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func taskFiles(t *testing.T) []string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "data", "arc")
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no ARC tasks beside the checkout, in %s", dir)
	}
	return files
}

func TestRealTasks(t *testing.T) {
	files := taskFiles(t)
	for _, path := range files {
		task, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(task.Name, task.AppendJSON(nil))
		if err != nil {
			t.Fatalf("%s, written and read: %v", path, err)
		}
		if !reflect.DeepEqual(task, again) { // cmp.Diff takes ten seconds for all
			t.Fatalf("%s reads as another task after writing", path)
		}
	}
	t.Logf("%d tasks", len(files))
}

func TestParse(t *testing.T) {
	task, err := Parse("x", []byte(`{"name": "ignored", "train": [{"input": [[1, 2]], "output": [[3], [4]]}], "test": [{"input": [[0]]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Task{
		Name:  "x",
		Train: []Pair{{Input: Grid{1, 2, []uint8{1, 2}}, Output: Grid{2, 1, []uint8{3, 4}}}},
		Test:  []Pair{{Input: Grid{1, 1, []uint8{0}}}},
	}
	if diff := cmp.Diff(want, task); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseErrors(t *testing.T) {
	long := "[[" + strings.Repeat("0,", 30) + "0]]"
	for _, tt := range []struct{ text, want string }{
		{``, "unexpected end of JSON input"},
		{"{\n \"train\": [}", "line 2, column 12: invalid character '}'"},
		{`{}`, "no train pairs"},
		{`{"train": [{"input": [[1]], "output": [[1]]}]}`, "no test pairs"},
		{`{"train": [{"input": [[1]], "output": [[1]]}, {"input": [[1,2],[1]], "output": [[1]]}]}`, "train[1].input row 2: 1 cells, want 2 as in row 1"},
		{`{"train": [{"input": [[1]], "output": [[1,2],[3,10]]}]}`, "train[0].output row 2, column 2: colour 10, want 0 to 9"},
		{`{"train": [{"input": [[-1]], "output": [[1]]}]}`, "train[0].input row 1, column 1: colour -1"},
		{`{"train": [{"input": [], "output": [[1]]}]}`, "train[0].input: no rows"},
		{`{"train": [{"input": [[]], "output": [[1]]}]}`, "train[0].input row 1: no cells"},
		{`{"train": [{"input": [[1]]}]}`, "train[0].output: no rows"},
		{`{"train": [{"input": ` + long + `}]}`, "row 1: 31 cells, want at most 30"},
		{`{"train": [{"input": [[1.5]]}]}`, "row 1 of a grid: 1.5 is no colour"},
		{`{"train": [{"input": "x"}]}`, "row 1 of a grid: 'x': want a colour"},
		{`[]`, "array where it does not belong"},
	} {
		if _, err := Parse("x", []byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.text, err, tt.want)
		}
	}
	if _, err := Load("missing.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
	path := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "bad.json: arc: no train") {
		t.Errorf("error %v names no file", err)
	}
}

func TestGridText(t *testing.T) {
	g := mustGrid(t, "0 1,2\r\n345\n")
	if diff := cmp.Diff(Grid{2, 3, []uint8{0, 1, 2, 3, 4, 5}}, g); diff != "" {
		t.Error(diff)
	}
	if got := string(g.AppendText(nil)); got != "012\n345\n" {
		t.Errorf("text %q", got)
	}
	for _, tt := range []struct{ text, want string }{
		{"", "line 1, column 1: no cells"},
		{"12\n\n34", "line 2, column 1: no cells"},
		{"12\n3", "line 2, column 1: 1 cells in this line, want 2 as in line 1"},
		{"12\n3x", "line 2, column 2: 'x'"},
		{strings.Repeat("0", 31), "line 1, column 31: a grid has at most 30"},
		{strings.Repeat("0\n", 31), "line 31, column 1: a grid has at most 30"},
	} {
		if _, err := ParseGrid(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %q", tt.text, err, tt.want)
		}
	}
}

func TestFrame(t *testing.T) {
	g := mustGrid(t, "09\n10\n20")
	got := make([]byte, FrameLen)
	for i := range got {
		got[i] = 99
	}
	g.Frame(got)
	want := make([]byte, FrameLen)
	copy(want, []byte{2, 11, 1})
	copy(want[30:], []byte{3, 2, 1})
	copy(want[60:], []byte{4, 2, 1})
	copy(want[90:], []byte{1, 1}) // the corner stays 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	g.Resize(30, 30)
	g.Frame(got)
	for i, b := range got {
		if b != TokenColor {
			t.Fatalf("full frame: token %d is %d", i, b)
		}
	}
}

// What each rule does, in tasks of our own with the given way.
func TestRules(t *testing.T) {
	var p Pair
	for _, tt := range []struct {
		rule string
		way  uint64
		ok   func(in, out *Grid) bool
	}{
		{"mirror", 3, func(in, out *Grid) bool { // left to right
			for i, c := range in.Cells {
				if out.Cells[i/in.Cols*in.Cols+in.Cols-1-i%in.Cols] != c {
					return false
				}
			}
			return true
		}},
		{"fall", 0, func(in, out *Grid) bool { // down: no gap under a colour, columns keep their colours
			for c := range in.Cols {
				var a, b []uint8
				for r := range in.Rows {
					if v := in.Cells[r*in.Cols+c]; v != 0 {
						a = append(a, v)
					}
					if v := out.Cells[r*in.Cols+c]; v != 0 {
						b = append(b, v)
					} else if len(b) > 0 {
						return false
					}
				}
				if string(a) != string(b) {
					return false
				}
			}
			return true
		}},
		{"recolor", 1, func(in, out *Grid) bool { // two on: 8 becomes 1
			for i, c := range in.Cells {
				if want := []uint8{0, 3, 4, 5, 6, 7, 8, 9, 1, 2}[c]; out.Cells[i] != want {
					return false
				}
			}
			return true
		}},
		{"fill", 0, func(in, out *Grid) bool { // 1 encloses 2
			inside := 0
			for i, c := range in.Cells {
				switch {
				case c == 1 && out.Cells[i] == 1, c == 0 && out.Cells[i] == 0:
				case c == 0 && out.Cells[i] == 2:
					inside++
				default:
					return false
				}
			}
			return inside > 0
		}},
		{"double", 0, func(in, out *Grid) bool {
			for i, c := range out.Cells {
				if in.Cells[i/out.Cols/2*in.Cols+i%out.Cols/2] != c {
					return false
				}
			}
			return out.Rows == 2*in.Rows && out.Cols == 2*in.Cols
		}},
		{"crop", 0, func(in, out *Grid) bool {
			var colors []uint8
			for _, c := range in.Cells {
				if c != 0 {
					colors = append(colors, c)
				}
			}
			return string(colors) == string(out.Cells) && len(out.Cells) < len(in.Cells)
		}},
	} {
		u := ruleOf(tt.rule)
		for seed := range uint64(200) {
			u.make(&p, 6, tt.way, newRand(seed))
			if !tt.ok(&p.Input, &p.Output) {
				t.Fatalf("%s seed %d:\n%s\n%s", tt.rule, seed, p.Input.AppendText(nil), p.Output.AppendText(nil))
			}
		}
	}
}

func TestDraw(t *testing.T) {
	var task Task
	for _, name := range Rules() {
		for _, size := range []int{3, 7, 30} {
			if err := task.Draw(name, 3, size, newRand(1)); err != nil {
				t.Fatal(err)
			}
			if _, err := Parse(name, task.AppendJSON(nil)); err != nil {
				t.Errorf("%s of size %d: %v", name, size, err)
			}
		}
	}
	for _, tt := range []struct {
		name        string
		demos, size int
	}{{"x", 3, 5}, {"fill", 0, 5}, {"fill", 3, 31}} {
		if err := task.Draw(tt.name, tt.demos, tt.size, newRand(1)); err == nil {
			t.Errorf("%+v was drawn", tt)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"train": [{"input": [[1, 2]], "output": [[3], [4]]}], "test": [{"input": [[0]]}]}`))
	f.Add([]byte("{\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		task, err := Parse("x", data)
		if err != nil {
			return
		}
		again, err := Parse("x", task.AppendJSON(nil))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(task, again); diff != "" {
			t.Fatal(diff)
		}
		TaskBoard(task)
	})
}

func FuzzParseGrid(f *testing.F) {
	f.Add("012\n345\n")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := ParseGrid(text)
		if err != nil {
			return
		}
		again, err := ParseGrid(string(g.AppendText(nil)))
		if err != nil || !g.Equal(&again) {
			t.Fatalf("%+v reads as %+v, %v", g, again, err)
		}
	})
}
