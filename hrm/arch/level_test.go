package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/internal/strictjson"
)

// updates is the order of a segment, a letter an update, those that record in capitals.
func updates(levels []Level, g Gradient) string {
	var out strings.Builder
	Config{Levels: levels}.Updates(g, func(level int, record bool) {
		name := strings.ToLower(levels[level].Name)
		if record {
			name = strings.ToUpper(name)
		}
		out.WriteString(name)
	})
	return out.String()
}

// TestUpdates: the orders of hrm_act_v1.py (H_cycles 2, L_cycles 2; the last of each with gradient) and
// of trm.py (all of the last H cycle), and time scales that nest.
func TestUpdates(t *testing.T) {
	cycles := func(n ...int) (levels []Level) {
		for i, n := range n {
			levels = append(levels, Level{Name: string(rune('a' + i)), Layers: 1, Cycles: n})
		}
		return levels
	}
	three := cycles(2, 1, 2)
	for _, tt := range []struct {
		name   string
		levels []Level
		g      Gradient
		want   string
	}{
		{"HRM", HL(4, 4, 2, 2), LastPass, "llhlLH"},
		{"HRM by default", HL(4, 4, 2, 2), "", "llhlLH"},
		{"TRM", HL(0, 2, 3, 2), LastCycle, "llhllhLLH"},
		{"all cycles", HL(4, 4, 2, 2), AllCycles, "LLHLLH"},
		{"three levels, last pass", three, LastPass, "ccbacCBA"},
		{"three levels, last cycle", three, LastCycle, "ccbaCCBA"},
		{"three levels, middle twice", cycles(1, 2, 2), LastPass, "ccbcCBA"},
		{"one level", cycles(3), LastPass, "aaA"},
	} {
		if got := updates(tt.levels, tt.g); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestUnroll: gradients flow through several segments where those record all of their updates.
func TestUnroll(t *testing.T) {
	for _, tt := range []struct {
		Training
		ok bool
	}{
		{Training{}, true},
		{Training{Gradient: AllCycles, Unroll: 4}, true},
		{Training{Gradient: LastCycle, Unroll: 1}, true},
		{Training{Gradient: LastCycle, Unroll: 2}, false},
		{Training{Unroll: 2}, false},
		{Training{Gradient: AllCycles, Unroll: -1}, false},
		{Training{Gradient: AllCycles, Unroll: MostUnroll + 1}, false},
		{Training{Gradient: "some"}, false},
	} {
		if err := tt.Check(); (err == nil) != tt.ok {
			t.Errorf("%+v: error %v", tt.Training, err)
		}
	}
}

func TestTiles(t *testing.T) {
	c := Config{Rows: 4, Cols: 6, Regions: Tiles(4, 6, 2, 3)}
	if want := []string{"000111", "000111", "222333", "222333"}; !slices.Equal(c.Regions, want) {
		t.Errorf("tiles %q, want %q", c.Regions, want)
	}
	of, n := c.Region()
	if want := []int{0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 2, 2, 2, 3, 3, 3}; n != 4 || !slices.Equal(of, want) {
		t.Errorf("%d regions %v, want 4: %v", n, of, want)
	}
	// Of a board of 81x81 every box of 9x9 has a name of its own.
	if _, n := (Config{Regions: Tiles(81, 81, 9, 9)}).Region(); n != 81 {
		t.Errorf("%d regions of 81x81 in tiles of 9x9, want 81", n)
	}
	// Regions of any form, numbered as they first occur.
	if of, n := (Config{Regions: []string{"xxy", "xyy"}}).Region(); n != 2 || !slices.Equal(of, []int{0, 0, 1, 0, 1, 1}) {
		t.Errorf("%d regions %v", n, of)
	}
}

// TestReadOld: a configuration of before, as the shipped models have it, and fields of before over a preset.
func TestReadOld(t *testing.T) {
	var got Config
	old := []byte(`{"vocab": 11, "seq": 81, "rows": 9, "cols": 9, "hidden": 64, "heads": 4, "h_layers": 1, "l_layers": 2, "h_cycles": 3, "l_cycles": 4,
		"box_rows": 3, "box_cols": 3, "mixing": "static", "shared": false, "bf16": true, "gradient": "last-cycle"}`)
	if err := json.Unmarshal(old, &got); err != nil {
		t.Fatal(err)
	}
	want := Config{
		Vocab: 11, Seq: 81, Rows: 9, Cols: 9, Hidden: 64, Heads: 4, Levels: HL(1, 2, 3, 4), Mixing: StaticMix,
		Regions: []string{"000111222", "000111222", "000111222", "333444555", "333444555", "333444555", "666777888", "666777888", "666777888"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	var tr Training
	var p Precision
	if err := ReadTraining(old, &tr, &p); err != nil || tr.Gradient != LastCycle || p != BFloat16 {
		t.Errorf("training %v, precision %q, error %v", tr, p, err)
	}
	if err := ReadTraining([]byte(`{}`), &tr, &p); err != nil || tr.Gradient != LastCycle || p != BFloat16 {
		t.Errorf("saying nothing changed training to %v, precision to %q, error %v", tr, p, err)
	}
	if err := ReadTraining([]byte(`{"bf16": false, "gradient": ""}`), &tr, &p); err != nil || tr.Gradient != "" || p != Float32 {
		t.Errorf("training %v, precision %q, error %v", tr, p, err)
	}

	preset := Base27M()
	shared := preset.Levels
	if err := json.Unmarshal([]byte(`{"l_cycles": 5}`), &preset); err != nil {
		t.Fatal(err)
	}
	want = Base27M()
	want.Levels = HL(4, 4, 2, 5)
	if diff := cmp.Diff(want, preset); diff != "" {
		t.Errorf("l_cycles over a preset (-want +got):\n%s", diff)
	}
	if !slices.Equal(shared, HL(4, 4, 2, 2)) {
		t.Errorf("the preset's own list changed to %v", shared)
	}
}

// TestWriteAndRead: what is written is read as it was.
func TestWriteAndRead(t *testing.T) {
	want := Config{
		Vocab: 5, Seq: 6, Rows: 2, Cols: 3, Hidden: 8, Heads: 2, Regions: []string{"aab", "abb"},
		Levels: []Level{{Name: "slow", Layers: 1, Cycles: 2}, {Name: "middle", Layers: 2, Cycles: 1, Mixing: Local}, {Name: "fast", Layers: 1, Cycles: 3}},
	}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Config
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for bad, want := range map[string]strictjson.FieldError{
		`{"hiden": 3}`:               {Field: "hiden", What: "unknown"},
		`{"levels": [{"nme": "H"}]}`: {Field: "nme", What: "unknown"},
		`{"hidden": "x"}`:            {Field: "hidden", What: "string, want int"},
		`{"levels": 2}`:              {Field: "levels", What: "number, want []arch.Level"},
	} {
		err, ok := errors.AsType[*strictjson.FieldError](json.Unmarshal([]byte(bad), &got))
		if !ok || *err != want || err.Unknown() != (want.What == "unknown") {
			t.Errorf("%s: error %v, want %v", bad, err, &want)
		}
	}
}

func TestCheckLevelsAndRegions(t *testing.T) {
	base := Config{Vocab: 3, Seq: 6, Rows: 2, Cols: 3, Hidden: 4, Heads: 1, Inner: 4, Levels: HL(1, 1, 1, 1)}
	if err := base.Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"levels is empty":                                    func(c *Config) { c.Levels = nil },
		`level 2 is called "h", as one before`:               func(c *Config) { c.Levels[1].Name = "h" },
		`level 1 is called "a.b"`:                            func(c *Config) { c.Levels[0].Name = "a.b" },
		"layers of level L is 0":                             func(c *Config) { c.Shared, c.Levels[1].Layers = true, 0 },
		"cycles of level H is -1":                            func(c *Config) { c.Levels[0].Cycles = -1 },
		`mixing of level L is "local", which goes with conv`: func(c *Config) { c.Levels[1].Mixing = Local },
		`mixing of level L is "static"`:                      func(c *Config) { c.Levels[1].Mixing = StaticMix },
		`mixing of every level is "local"`:                   func(c *Config) { c.Conv, c.Levels[0].Mixing, c.Levels[1].Mixing = true, Local, Local },
		"regions has 1 rows, the grid 2":                     func(c *Config) { c.Regions = []string{"aaa"} },
		"row 2 of regions has 2 cells, the grid 3":           func(c *Config) { c.Regions = []string{"aaa", "bb"} },
	} {
		c := base
		c.Levels = slices.Clone(base.Levels)
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	c := base
	c.Shared, c.Levels = true, HL(0, 1, 1, 1)
	if err := c.Check(); err != nil {
		t.Errorf("one stack for both levels: %v", err)
	}
	if err := (Training{Gradient: "all"}).Check(); err == nil || !strings.Contains(err.Error(), `gradient "all" is unknown`) {
		t.Errorf("gradient: error %v", err)
	}
	if err := Precision("fp8").Check(); err == nil || !strings.Contains(err.Error(), `precision "fp8" is unknown`) {
		t.Errorf("precision: error %v", err)
	}
}

func ExampleConfig_Updates() {
	c := Config{Levels: HL(4, 4, 2, 2)}
	c.Updates(LastPass, func(level int, record bool) { fmt.Println(c.Levels[level].Name, record) })
	// Output:
	// L false
	// L false
	// H false
	// L false
	// L true
	// H true
}
