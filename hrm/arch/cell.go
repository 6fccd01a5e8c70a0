package arch

import (
	"errors"
	"fmt"
)

// CellConfig describes the recurrent cell (hrm.Cell). With Vocab it reads sequences of tokens, all of a
// sequence at once; without, vectors of Input numbers.
type CellConfig struct {
	Vocab int `json:"vocab"` // tokens are in [0, Vocab)
	Seq   int `json:"seq"`   // tokens of a sequence
	Rows  int `json:"rows"`  // shape of the grid that they form; 0 means a plain sequence
	Cols  int `json:"cols"`
	Embed int `json:"embed"` // width of a token's vector; 0 means 8

	Input   int `json:"input"`   // width of x
	Low     int `json:"low"`     // width of h_low
	High    int `json:"high"`    // width of h_high
	Steps   int `json:"steps"`   // N, low steps for each high step; 0 means 4
	Outputs int `json:"outputs"` // width of the answer: of a token's, if there are tokens; 0 means Vocab
}

// WithDefaults fills in what zero values mean.
func (c CellConfig) WithDefaults() CellConfig {
	if c.Steps == 0 {
		c.Steps = 4
	}
	if c.Embed == 0 && c.Vocab > 0 {
		c.Embed = 8
	}
	if c.Outputs == 0 {
		c.Outputs = c.Vocab
	}
	return c
}

// Check reports every problem of c at once.
func (c CellConfig) Check() error {
	c = c.WithDefaults()
	var errs []error
	type field struct {
		name    string
		n, most int
	}
	fields := []field{
		{"input", c.Input, MostTokens},
		{"low", c.Low, MostWidth},
		{"high", c.High, MostWidth},
		{"steps", c.Steps, mostUpdate},
		{"outputs", c.Outputs, MostTokens},
	}
	if c.Vocab != 0 || c.Seq != 0 {
		fields = append(fields, field{"vocab", c.Vocab, MostTokens}, field{"seq", c.Seq, MostTokens}, field{"embed", c.Embed, MostWidth})
	}
	for _, f := range fields {
		if f.n < 1 || f.n > f.most {
			errs = append(errs, fmt.Errorf("hrm cell: %s is %d, want 1 to %d", f.name, f.n, f.most))
		}
	}
	if (c.Rows != 0 || c.Cols != 0) && c.Rows*c.Cols != c.Seq {
		errs = append(errs, fmt.Errorf("hrm cell: rows %d times cols %d is not seq %d", c.Rows, c.Cols, c.Seq))
	}
	return errors.Join(errs...)
}

// Spec is what the network takes, gives and carries.
func (c CellConfig) Spec() Spec {
	c = c.WithDefaults()
	return Spec{
		Vocab: c.Vocab, Outputs: c.Outputs, Seq: c.Seq, Rows: c.Rows, Cols: c.Cols, Fixed: true,
		States: []State{{Name: "high", Width: c.High, Whole: true}, {Name: "low", Width: c.Low, Whole: true}},
	}
}
