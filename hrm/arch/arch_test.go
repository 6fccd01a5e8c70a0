package arch

import (
	"math"
	"strings"
	"testing"
)

// TestCheckNamesEveryProblem: all at once, each by its field.
func TestCheckNamesEveryProblem(t *testing.T) {
	err := Config{Vocab: 3, Seq: 6, Rows: 2, Cols: 2, Hidden: 6, Heads: 2, Levels: HL(0, 1, 1, 0), Positions: "spiral"}.Check()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"layers of level H is 0", "cycles of level L is 0", "rows 2 times cols 2 is not seq 6", `positions "spiral"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if err := Base27M().Check(); err != nil {
		t.Errorf("the published network: %v", err)
	}
}

// TestRopeTable: angles by hand. theta 100 and a head of 8 give the frequencies 1, 100^-1/4, … of one axis
// and 1, 100^-1/2 of each of two.
func TestRopeTable(t *testing.T) {
	c := Config{Hidden: 8, Heads: 1, Registers: 1, RopeTheta: 100, Positions: Rope}
	plain, _ := c.RopeTable(4, 3)
	c.Positions = Rope2D
	grid, sin := c.RopeTable(7, 3) // position 5 is row 1, column 1; position 6 row 1, column 2
	for _, tt := range []struct {
		name      string
		got, want float64
	}{
		{"position 3, second pair", float64(plain[3*8+1]), math.Cos(3 * math.Pow(100, -0.25))},
		{"both halves are equal", float64(plain[3*8+5]), math.Cos(3 * math.Pow(100, -0.25))},
		{"the prefix does not turn", float64(sin[3]), 0},
		{"row of the last cell", float64(sin[6*8+1]), math.Sin(1 * 0.1)},
		{"column of the last cell", float64(grid[6*8+2]), math.Cos(2)},
	} {
		if math.Abs(tt.got-tt.want) > 1e-6 { // float32
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

func TestRelativePairs(t *testing.T) {
	pairs := Config{Registers: 1, BiasRadius: 1}.RelativePairs(7, 3) // a register and 2x3 cells
	at := func(from, to int) int64 { return pairs[from*7+to] }
	for _, tt := range []struct {
		name      string
		got, want int64
	}{
		{"itself", at(1, 1), 4},
		{"right", at(1, 2), 5},
		{"below left", at(2, 4), 6},
		{"two to the right counts as one", at(1, 3), 5},
		{"to the register", at(1, 0), 9},
		{"from the register", at(0, 1), 9},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: entry %d, want %d", tt.name, tt.got, tt.want)
		}
	}
}

// TestStepBytes: HRM's gradients record one update of each level, TRM's all of the last cycle, and memory grows with
// the rows.
func TestStepBytes(t *testing.T) {
	c := Config{Vocab: 11, Outputs: 10, Seq: 81, Hidden: 8, Inner: 16, Levels: HL(1, 2, 2, 3)}
	// 3 blocks of 2*8+2*16 numbers a token, 2 states of 2 levels, 10 logits; 4 bytes each.
	const token = 4 * (3*48 + 2*2*8 + 10)
	if got := c.StepBytes(5, 81, LastPass, 4); got != 5*81*token {
		t.Errorf("%v bytes, want %v", got, 5*81*token)
	}
	if more := c.StepBytes(5, 81, LastCycle, 4); more != 5*81*(token+4*2*2*48) { // two more updates of L
		t.Errorf("with the last cycle %v bytes, want %v", more, 5*81*(token+4*2*2*48))
	}
}
