package torch

import (
	"errors"
	"fmt"
	"math"
)

// AdamRule names an update from Adam's moments.
type AdamRule string

const (
	// ATan2 is the reference's: p -= lr/(1-b1^t) · atan2(m, sqrt(v)/sqrt(1-b2^t)).
	ATan2 AdamRule = "adam-atan2"
	// AdamW is Loshchilov and Hutter's (arXiv 1711.05101), decay decoupled.
	AdamW AdamRule = "adamw"
)

// AdamConfig has the reference's values as its zero value, but for WeightDecay.
type AdamConfig struct {
	Rule        AdamRule `json:"rule" toml:"rule"`                 // "" means ATan2
	Beta1       float64  `json:"beta1" toml:"beta1"`               // 0 means 0.9
	Beta2       float64  `json:"beta2" toml:"beta2"`               // 0 means 0.95
	Eps         float64  `json:"eps" toml:"eps"`                   // AdamW only; 0 means 1e-8
	WeightDecay float64  `json:"weight_decay" toml:"weight_decay"` // times the learning rate, on every parameter
}

func (c AdamConfig) withDefaults() AdamConfig {
	set := func(x *float64, d float64) {
		if *x == 0 {
			*x = d
		}
	}
	if c.Rule == "" {
		c.Rule = ATan2
	}
	set(&c.Beta1, 0.9)
	set(&c.Beta2, 0.95)
	set(&c.Eps, 1e-8)
	return c
}

// Check reports every problem of c at once.
func (c AdamConfig) Check() error {
	c = c.withDefaults()
	var errs []error
	bad := func(cond bool, format string, args ...any) {
		if cond {
			errs = append(errs, fmt.Errorf("adam: "+format, args...))
		}
	}
	bad(c.Rule != ATan2 && c.Rule != AdamW, "rule %q is unknown, want %q or %q", c.Rule, ATan2, AdamW)
	bad(!(c.Beta1 >= 0 && c.Beta1 < 1), "beta1 is %v, want 0 to below 1", c.Beta1)
	bad(!(c.Beta2 >= 0 && c.Beta2 < 1), "beta2 is %v, want 0 to below 1", c.Beta2)
	bad(!(c.Eps > 0), "eps is %v, want more than 0", c.Eps)
	bad(!(c.WeightDecay >= 0), "weight_decay is %v, want 0 or more", c.WeightDecay)
	return errors.Join(errs...)
}

// Schedule is a linear warm-up followed by a cosine to a floor, as the reference's.
type Schedule struct {
	LR       float64 // base rate
	MinRatio float64 // floor as a share of LR; 1 means constant
	Warmup   int64   // steps
	Steps    int64   // in all
}

// At is the rate of step t, counted from 1.
func (s Schedule) At(t int64) float64 {
	if t < s.Warmup {
		return s.LR * float64(t) / float64(s.Warmup)
	}
	p := float64(t-s.Warmup) / float64(max(1, s.Steps-s.Warmup))
	return s.LR * (s.MinRatio + (1-s.MinRatio)*0.5*(1+math.Cos(math.Pi*p)))
}

// String names the schedule for logs.
func (s Schedule) String() string {
	return fmt.Sprintf("lr %g, warm-up %d, cosine to %g over %d steps", s.LR, s.Warmup, s.LR*s.MinRatio, s.Steps)
}
