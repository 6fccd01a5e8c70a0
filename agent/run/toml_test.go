package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ponder-agents/ponder/internal/problems"
)

func decode(t *testing.T, text []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

// A course has what configurations have: tables, lists of tables, lists.
type course struct {
	Rate  float64  `json:"rate"`
	Steps int64    `json:"steps"`
	Names []string `json:"names"`
	Net   struct {
		Width int `json:"width"`
		Depth int `json:"depth"`
	} `json:"net"`
	Parts []part `json:"parts"`
}

type part struct {
	Data  string  `json:"data"`
	Until float64 `json:"until"`
}

// preset is one course, "steep".
func preset(name string) (course, error) {
	c := course{Rate: 0.5, Steps: 1 << 62, Names: []string{"a", "b"}, Parts: []part{{"x", 0.5}, {"y", 1}}}
	c.Net.Width, c.Net.Depth = 16, 2
	if name != "steep" {
		return course{}, errors.New("only steep is there")
	}
	return c, nil
}

func TestParseTOML(t *testing.T) {
	steep, _ := preset("steep")
	with := func(change func(*course)) course {
		c, _ := preset("steep")
		change(&c)
		return c
	}
	tests := []struct {
		name, text string
		want       course
	}{
		{"a preset", `preset = "steep"`, steep},
		{"nothing", ``, course{}},
		{"a table is merged", "preset = \"steep\"\n[net]\nwidth = 8", with(func(c *course) { c.Net.Width = 8 })},
		{"inline too", "preset = \"steep\"\nnet = {depth = 3}", with(func(c *course) { c.Net.Depth = 3 })},
		{"dotted too", "preset = \"steep\"\nnet.depth = 3", with(func(c *course) { c.Net.Depth = 3 })},
		{"a list is replaced", "preset = \"steep\"\nnames = [\"c\"]", with(func(c *course) { c.Names = []string{"c"} })},
		{"one of tables too, and nothing shows through", "preset = \"steep\"\n[[parts]]\ndata = \"z\"", with(func(c *course) { c.Parts = []part{{"z", 0}} })},
		{"large numbers", "steps = 9223372036854775807\nrate = 1e-300", course{Steps: 1<<63 - 1, Rate: 1e-300}},
	}
	for _, tt := range tests {
		got, err := ParseTOML("f.toml", []byte(tt.text), "preset", preset)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tt.name, err, diff)
		}
	}
	// What TOML writes, ParseTOML reads.
	text, err := TOML(steep)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseTOML("f.toml", text, "preset", preset); err != nil || !cmp.Equal(got, steep) {
		t.Errorf("%v: read back %+v from\n%s", err, got, text)
	}
}

func TestParseTOMLErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"rate = ", "f.toml:1:7: toml: expected value, not end of input"},
		{"preset = \"flat\"", "f.toml:1:1: only steep is there"},
		{"preset = 3", "f.toml:1:1: only steep is there"},
		{"\nstep = 3", "f.toml:2:1: field step: unknown; --dry-run prints the fields there are"},
		{"steps = 1.5", "f.toml:1:1: field steps: number 1.5, want int64"},
		{"steps = [1]", "f.toml:1:1: field steps: array, want int64"},
		{"names = [1]", "f.toml:1:1: field names: number, want string"},
		{"nomes = [\"c\"]", "f.toml:1:1: field nomes: unknown; --dry-run prints the fields there are"},
		{"[net]\nwidth = 1\nheight = 2", "f.toml:3:1: field net.height: unknown; --dry-run prints the fields there are"},
		{"[[parts]]\n[[parts]]\nuntl = 2\ndata = 1", "f.toml:4:1: field parts[1].data: number, want string\nf.toml:3:1: field parts[1].untl: unknown; --dry-run prints the fields there are"},
		{"rate = nan", "f.toml:1:1: field rate: json: unsupported value: NaN"},
	}
	for _, tt := range tests {
		if _, err := ParseTOML("f.toml", []byte(tt.text), "preset", preset); err == nil || err.Error() != tt.want {
			t.Errorf("%q: error\n%v\nwant\n%s", tt.text, err, tt.want)
		}
	}
}

func TestOverride(t *testing.T) {
	type inner struct {
		Hidden int    `json:"hidden"`
		Kind   string `json:"kind"`
	}
	type config struct {
		Model inner     `json:"model"`
		LR    float64   `json:"lr"`
		List  []float64 `json:"list"`
	}
	from := config{Model: inner{Hidden: 8, Kind: "a"}, LR: 1}
	got, err := Override(from, "model.hidden=64", "model.kind=gru", "lr = 0.5", "list=[1, 2]")
	want := config{Model: inner{Hidden: 64, Kind: "gru"}, LR: 0.5, List: []float64{1, 2}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, set := range []string{"model.hidden", "=3", "model.height=3", "model.hidden=wide", "lr=1\nmodel.hidden=3", "a\n[b]=1"} {
		if _, err := Override(from, set); err == nil || strings.Contains(err.Error(), "\n") && !strings.Contains(set, "\n") {
			t.Errorf("%q: %v, want one line of error", set, err)
		} else {
			t.Log(err)
		}
	}
}

// TestReadTOMLBounds: a text that is hostile is refused before the parser sees it, one as people write it
// is not.
func TestReadTOMLBounds(t *testing.T) {
	read := func(content string) (course, error) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "x.toml")
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return ReadTOML(file, "preset", preset)
	}
	for name, tt := range map[string]struct{ content, want string }{
		"deep keys":             {strings.Repeat("a.", 20_000) + "a = 1", "x.toml:1:66: a key of more than 32 parts"},
		"deep keys in brackets": {"[" + strings.Repeat("a.", 20_000) + "a]", "a key of more than 32 parts"},
		"deep keys, escaped":    {`"\"".` + strings.Repeat("a.", 20_000) + "a = 1", "a key of more than 32 parts"},
		"deep lists":            {"a = " + strings.Repeat("[", 20_000), "lists in so many lists"},
		"large":                 {"# " + strings.Repeat("x", 2<<20), "x.toml: more than 1024 kB"},
		"binary":                {"a\x00", "byte 2 is zero"},
		"many unknown fields":   {unknown(1000), "and 980 fields more"},
	} {
		if _, err := read(tt.content); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %.200v, want %q", name, err, tt.want)
		}
	}
	for name, content := range map[string]string{
		"byte order mark, CRLF": "\xef\xbb\xbfpreset = \"steep\"\r\n# a comment\r\n",
		"dots in a comment":     "# " + strings.Repeat(".", 200) + "\npreset = 'steep'\n",
		"dots in a string":      "names = [\"" + strings.Repeat("../", 100) + "\"]\n",
	} {
		if _, err := read(content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// unknown is n fields that nobody knows.
func unknown(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "nobody%d = 1\n", i)
	}
	return b.String()
}

// FuzzTOML: a text is taken or refused with words, never a panic.
func FuzzTOML(f *testing.F) {
	f.Add([]byte("preset = \"steep\"\nrate = 0.25\n[net]\nwidth = 3\n[[parts]]\ndata = \"z\"\n"))
	f.Add([]byte("net.width = 1\nparts = [{data = 'x'}]\n# ...\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<12 {
			return
		}
		if _, err := ParseTOML("x.toml", data, "preset", preset); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}

// A bounded has ranges.
type bounded struct {
	Rate float64 `json:"rate"`
	Net  struct {
		Width int `json:"width"`
	} `json:"net"`
}

func (b bounded) Check() error {
	var bad problems.List
	bad.Add(b.Rate <= 0, "rate", "%v, want more than 0", b.Rate)
	bad.Add(b.Net.Width < 1, "net.width", "%d, want 1 or more", b.Net.Width)
	return bad.Err()
}

// TestParseTOMLChecks: values out of their ranges are named with their lines; what the file does not say is the
// caller's to check.
func TestParseTOMLChecks(t *testing.T) {
	none := func(string) (bounded, error) { return bounded{}, nil }
	for text, want := range map[string]string{
		"rate = 1\n[net]\nwidth = 0":  "f.toml:3:1: field net.width is 0, want 1 or more",
		"rate = -1\n[net]\nwidth = 0": "f.toml:1:1: field rate is -1, want more than 0\nf.toml:3:1: field net.width is 0, want 1 or more",
		"rate = 1":                    "",
	} {
		_, err := ParseTOML("f.toml", []byte(text), "preset", none)
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && got != want {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
	if _, err := Override(bounded{}, "net.width=-1"); err == nil || err.Error() != "net.width=-1: field net.width is -1, want 1 or more" {
		t.Errorf("error %v", err)
	}
	if err := Locate("f.toml", []byte("\nrate = 0"), bounded{}.Check()); err.Error() != "f.toml:2:1: field rate is 0, want more than 0\nf.toml: net.width is 0, want 1 or more" {
		t.Errorf("error %v", err)
	}
}
