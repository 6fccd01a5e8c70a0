package arch

import (
	"fmt"
	"regexp"
	"strings"
)

// A Level is one of the states that think, with the stack of blocks that updates it. Time scales nest: of
// two neighbours the later, faster one is updated Cycles times, then the earlier, slower one once. An
// update of a level sees the states of its neighbours; the last level has the encoded input in place of
// the neighbour that it lacks.
type Level struct {
	Name   string `json:"name"`             // of its parameters, inner.NAME_level.… and inner.NAME_init
	Layers int    `json:"layers"`           // blocks; unused if Config.Shared, but the last level's
	Cycles int    `json:"cycles"`           // updates for each of the level before; of the first level, in a segment
	Mixing Mixing `json:"mixing,omitempty"` // of its blocks, Local or "", which means Config.Mixing
}

// HL is the two levels of the papers: hCycles updates of z_H in a segment, lCycles of z_L before each.
func HL(hLayers, lLayers, hCycles, lCycles int) []Level {
	return []Level{{Name: "H", Layers: hLayers, Cycles: hCycles}, {Name: "L", Layers: lLayers, Cycles: lCycles}}
}

// levelName is what parameters can be called after.
var levelName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (c Config) checkLevels(bad func(cond bool, format string, args ...any)) {
	bad(len(c.Levels) == 0, "levels is empty, want at least one")
	bad(len(c.Levels) > mostLevels, "%d levels, want at most %d", len(c.Levels), mostLevels)
	updates, blocks, local := 1.0, 0.0, len(c.Levels) > 0
	seen := map[string]bool{} // in small letters, as the state is called in a saved run
	for i, l := range c.Levels {
		bad(!levelName.MatchString(l.Name), "level %d is called %q, want letters and digits", i+1, l.Name)
		bad(seen[strings.ToLower(l.Name)], "level %d is called %q, as one before", i+1, l.Name)
		seen[strings.ToLower(l.Name)] = true
		last := i == len(c.Levels)-1
		bad(l.Layers < 1 && (last || !c.Shared) || l.Layers > mostLayers, "layers of level %s is %d, want 1 to %d", l.Name, l.Layers, mostLayers)
		bad(l.Cycles < 1, "cycles of level %s is %d, want at least 1", l.Name, l.Cycles)
		bad(l.Mixing != "" && l.Mixing != Local, "mixing of level %s is %q, want %q or none, which means the network's", l.Name, l.Mixing, Local)
		local = local && l.Mixing == Local
		bad(l.Mixing == Local && (!c.Conv || c.Shared || c.Mixing == Grouped), "mixing of level %s is %q, which goes with conv, without shared and without mixing %q", l.Name, Local, Grouped)
		updates *= float64(max(l.Cycles, 0))
		blocks += updates * float64(min(max(l.Layers, 1), mostLayers))
	}
	bad(local, "mixing of every level is %q: the Q head would see one corner", Local)
	bad(blocks > mostUpdate, "cycles and layers make %.3g blocks of a segment, want at most %d", blocks, mostUpdate)
}

// Stack is the name of the parameters that update level i, and how many blocks they are: its own, or the
// last level's if Shared.
func (c Config) Stack(i int) (name string, layers int) {
	if c.Shared {
		i = len(c.Levels) - 1
	}
	return c.Levels[i].Name + "_level", c.Levels[i].Layers
}

// MixingOf is how the blocks of level i mix positions.
func (c Config) MixingOf(i int) Mixing {
	if m := c.Levels[i].Mixing; m != "" {
		return m
	}
	return c.Mixing
}

// Updates calls update for every update of a segment in its order: of level, and whether it is one of
// those that gradient records. A level's update that is recorded is its last.
func (c Config) Updates(gradient Gradient, update func(level int, record bool)) {
	var cycle func(level int, record bool)
	cycle = func(level int, record bool) {
		n := c.Levels[level].Cycles
		for k := range n {
			last := record && k == n-1
			if gradient == AllCycles || gradient == LastCycle && level > 0 {
				last = record
			}
			if level+1 < len(c.Levels) {
				cycle(level+1, last)
			}
			update(level, last)
		}
	}
	cycle(0, true)
}

// Tiles is Config.Regions of a grid that is cut into tiles of height rows and width cols; those at its
// ends may be smaller.
func Tiles(rows, cols, height, width int) []string {
	out := make([]string, rows)
	across := (cols + width - 1) / width
	for r := range out {
		line := make([]rune, cols)
		for c := range line {
			line[c] = regionName(r/height*across + c/width)
		}
		out[r] = string(line)
	}
	return out
}

// regionName is a character for region i: digits, then letters, then whatever is left.
func regionName(i int) rune {
	const names = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if i < len(names) {
		return rune(names[i])
	}
	return rune(0x100 + i - len(names))
}

// Region is, for every cell, the number of its region in the order of their first cells, and how many
// there are; nil and 0 without Regions.
func (c Config) Region() (of []int, n int) {
	number := map[rune]int{}
	for _, row := range c.Regions {
		for _, name := range row {
			if _, ok := number[name]; !ok {
				number[name] = len(number)
			}
			of = append(of, number[name])
		}
	}
	return of, len(number)
}

func (c Config) checkRegions(bad func(cond bool, format string, args ...any)) {
	if c.Regions == nil {
		return
	}
	bad(len(c.Regions) != c.Rows, "regions has %d rows, the grid %d", len(c.Regions), c.Rows)
	for i, row := range c.Regions {
		if n := len([]rune(row)); n != c.Cols {
			bad(true, "row %d of regions has %d cells, the grid %d", i+1, n, c.Cols)
			return
		}
	}
}

// Gradient says which updates of a segment record gradients.
type Gradient string

const (
	LastPass  Gradient = "last-pass"  // the last update of each level (HRM; the default)
	LastCycle Gradient = "last-cycle" // all updates of the first level's last cycle (TRM)
	AllCycles Gradient = "all-cycles" // all updates of the segment
)

// Training says how a network is trained, as far as its formulas go.
type Training struct {
	Gradient Gradient `json:"gradient"`         // "" means LastPass
	Unroll   int      `json:"unroll,omitempty"` // segments of a step, through all of which gradients flow if those are AllCycles; 0 means 1
}

// MostUnroll is the longest Unroll.
const MostUnroll = 64

// Check reports every problem of t at once.
func (t Training) Check() error {
	if err := known("gradient", t.Gradient, "", LastPass, LastCycle, AllCycles); err != nil {
		return fmt.Errorf("hrm training: %w", err)
	}
	switch {
	case t.Unroll < 0 || t.Unroll > MostUnroll:
		return fmt.Errorf("hrm training: unroll is %d, want 1 to %d", t.Unroll, MostUnroll)
	case t.Unroll > 1 && t.Gradient != AllCycles:
		return fmt.Errorf("hrm training: unroll is %d, wants gradient %q, others end in the segment", t.Unroll, AllCycles)
	}
	return nil
}

// Precision is the number format in which a network computes. Weights are float32 in any.
type Precision string

const (
	Float32  Precision = "float32" // what "" means
	BFloat16 Precision = "bf16"
	TF32     Precision = "tf32" // float32 whose products, on a GPU, round what they multiply to 10 bits
	Int8     Precision = "int8" // factors of products on the CPU; for thinking alone
)

// CheckThinking reports a precision in which no network thinks.
func (p Precision) CheckThinking() error {
	return known("precision", p, "", Float32, BFloat16, TF32, Int8)
}

// Check reports a precision in which no network is trained.
func (p Precision) Check() error { return known("precision", p, "", Float32, BFloat16, TF32) }
