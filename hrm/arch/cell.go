package arch

import (
	"errors"
	"fmt"
)

// CellConfig describes the recurrent cell (hrm.Cell).
type CellConfig struct {
	Input   int `json:"input"`   // width of x
	Low     int `json:"low"`     // width of h_low
	High    int `json:"high"`    // width of h_high
	Steps   int `json:"steps"`   // N, low steps for each high step; 0 means 4
	Outputs int `json:"outputs"` // width of the answer
}

// WithDefaults fills in what zero values mean.
func (c CellConfig) WithDefaults() CellConfig {
	if c.Steps == 0 {
		c.Steps = 4
	}
	return c
}

// Check reports every problem of c at once.
func (c CellConfig) Check() error {
	c = c.WithDefaults()
	var errs []error
	for _, f := range []struct {
		name string
		n    int
	}{{"input", c.Input}, {"low", c.Low}, {"high", c.High}, {"steps", c.Steps}, {"outputs", c.Outputs}} {
		if f.n < 1 {
			errs = append(errs, fmt.Errorf("hrm cell: %s is %d, want at least 1", f.name, f.n))
		}
	}
	return errors.Join(errs...)
}
