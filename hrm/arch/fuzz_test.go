package arch

import (
	"encoding/json"
	"testing"
)

// FuzzConfig: a configuration that Check takes has a number of parameters, a Spec and updates that end.
func FuzzConfig(f *testing.F) {
	for _, c := range []Config{Base27M(), {}} {
		b, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"vocab":6,"seq":9,"rows":3,"cols":3,"hidden":8,"heads":2,"h_layers":1,"l_layers":2,"h_cycles":3,"l_cycles":4,"box_rows":1,"box_cols":3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Config
		if json.Unmarshal(data, &c) != nil || c.Check() != nil {
			return
		}
		if n := c.Parameters(); !(n > 0 && n < 1e15) {
			t.Errorf("%v parameters", n)
		}
		if s := c.Spec(); s.Vocab != c.Vocab || len(s.States) != len(c.Levels) {
			t.Errorf("%+v of %+v", s, c)
		}
		updates := 0
		c.Updates(LastPass, func(int, bool) { updates++ })
		if updates > mostUpdate {
			t.Errorf("%d updates, more than %d", updates, mostUpdate)
		}
	})
}
