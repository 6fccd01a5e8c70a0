package arch

import (
	"encoding/json"
	"fmt"

	"github.com/ponder-agents/ponder/internal/strictjson"
)

// UnmarshalJSON reads a configuration, over what c is, as package strictjson does. Beside today's fields it knows
// those of before: h_layers, l_layers, h_cycles and l_cycles, which also are short for the two levels of
// HL, box_rows and box_cols, which are Regions of tiles, and gradient and bf16, which are no longer said
// here (see ReadTraining).
func (c *Config) UnmarshalJSON(data []byte) error {
	type plain Config
	read := struct {
		*plain
		Levels   []Level `json:"levels"`
		HLayers  *int    `json:"h_layers"`
		LLayers  *int    `json:"l_layers"`
		HCycles  *int    `json:"h_cycles"`
		LCycles  *int    `json:"l_cycles"`
		BoxRows  int     `json:"box_rows"`
		BoxCols  int     `json:"box_cols"`
		Gradient any     `json:"gradient"`
		BF16     any     `json:"bf16"`
	}{plain: (*plain)(c)}
	if err := strictjson.Unmarshal(data, &read); err != nil {
		return err
	}
	if read.Levels != nil {
		c.Levels = read.Levels
	}
	if read.HLayers != nil || read.LLayers != nil || read.HCycles != nil || read.LCycles != nil {
		levels := HL(0, 0, 0, 0)
		if len(c.Levels) == 2 {
			copy(levels, c.Levels)
		}
		for _, f := range []struct{ from, to *int }{
			{read.HLayers, &levels[0].Layers},
			{read.LLayers, &levels[1].Layers},
			{read.HCycles, &levels[0].Cycles},
			{read.LCycles, &levels[1].Cycles},
		} {
			if f.from != nil {
				*f.to = *f.from
			}
		}
		c.Levels = levels
	}
	if read.BoxRows != 0 || read.BoxCols != 0 {
		return c.boxes(read.BoxRows, read.BoxCols)
	}
	return nil
}

// boxes makes tiles the Regions. Where one side is not said, a tile has as many cells as a row of the grid,
// as in a sudoku.
func (c *Config) boxes(height, width int) error {
	if height == 0 && width > 0 {
		height = c.Cols / width
	}
	if width == 0 && height > 0 {
		width = c.Cols / height
	}
	if height < 1 || width < 1 || c.Rows < 1 || c.Rows%height != 0 || c.Cols%width != 0 {
		return fmt.Errorf("boxes of %dx%d do not tile %dx%d", height, width, c.Rows, c.Cols)
	}
	c.Regions = Tiles(c.Rows, c.Cols, height, width)
	return nil
}

// ReadTraining reads, over what they are, the training and the precision that a configuration of before
// said beside the network.
func ReadTraining(config []byte, t *Training, p *Precision) error {
	var old struct {
		Gradient *Gradient `json:"gradient"`
		BF16     *bool     `json:"bf16"`
	}
	if err := json.Unmarshal(config, &old); err != nil {
		return err
	}
	if old.Gradient != nil {
		t.Gradient = *old.Gradient
	}
	if old.BF16 != nil {
		*p = Float32
		if *old.BF16 {
			*p = BFloat16
		}
	}
	return nil
}
