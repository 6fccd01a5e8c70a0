package think

import "github.com/ponder-agents/ponder/act"

// Wishes are what may be changed about how a model thinks. The zero value leaves it as it was trained to.
type Wishes struct {
	Segments  int      // most segments, more than in training too; 0 is the model's own
	Rule      string   // of halting, a name of act.Rule; "" is the model's own
	Threshold *float32 // of q_halt, for act.HaltAbove; nil is the model's own, or 0, TRM's, if it has none
	Restarts  int      // see Config
	KeepCarry bool     // see Config; false is the model's own
	Many               // several thoughts
}

// Config is how m is to think.
func (w Wishes) Config(m *Model) (Config, error) {
	cfg := Config{Halting: m.Usage.Halting, Restarts: w.Restarts, KeepCarry: w.KeepCarry || m.Usage.KeepCarry, Many: w.Many}
	h := &cfg.Halting
	if w.Segments != 0 {
		h.MaxSegments = w.Segments
	}
	if w.Rule != "" {
		was := h.Rule
		if err := h.Rule.UnmarshalText([]byte(w.Rule)); err != nil {
			return cfg, err
		}
		if h.Rule == act.HaltAbove && was != act.HaltAbove {
			h.Threshold = 0 // TRM's
		}
	}
	if w.Threshold != nil {
		h.Threshold = *w.Threshold
	}
	_, err := cfg.of(m)
	return cfg, err
}
