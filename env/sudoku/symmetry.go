package sudoku

import "math/rand/v2"

// A Symmetry turns a puzzle into one that is the same but for its looks: digits are renamed, rows
// are shuffled inside their bands and bands among each other, columns likewise, and boards with
// square boxes may be transposed.
type Symmetry struct {
	Cells  []uint8            // the new cell i shows the old cell Cells[i]
	Digits [maxSide + 1]uint8 // the new name of each digit; Digits[0] is 0
}

// Draw makes y a random symmetry of boards with side rows, each equally likely.
func (y *Symmetry) Draw(side int, rng *rand.Rand) error {
	l, err := layoutOf(side)
	if err != nil {
		return err
	}
	for d := range side {
		y.Digits[d+1] = uint8(d + 1)
	}
	rng.Shuffle(side, func(i, j int) { y.Digits[i+1], y.Digits[j+1] = y.Digits[j+1], y.Digits[i+1] })
	rows, cols := lines(side, l.boxRows, rng), lines(side, l.boxCols, rng)
	transposed := l.boxRows == l.boxCols && rng.Uint64()&1 == 1
	y.Cells = y.Cells[:0]
	for r := range side {
		for c := range side {
			from := rows[r]*side + cols[c]
			if transposed {
				from = cols[c]*side + rows[r]
			}
			y.Cells = append(y.Cells, uint8(from))
		}
	}
	return nil
}

// lines is a random order of rows or columns, the bands of the given width kept together.
func lines(side, width int, rng *rand.Rand) (order [maxSide]int) {
	var bands, inside [maxSide]int
	bands = shuffled(side/width, rng)
	for b := range side / width {
		inside = shuffled(width, rng)
		for i := range width {
			order[b*width+i] = bands[b]*width + inside[i]
		}
	}
	return order
}

func shuffled(n int, rng *rand.Rand) (order [maxSide]int) {
	for i := range n {
		j := rng.IntN(i + 1)
		order[i], order[j] = order[j], i
	}
	return order
}

// Apply writes the turned puzzle or solution into dst; dst and src must not be the same.
func (y *Symmetry) Apply(dst, src []uint8) {
	for i, from := range y.Cells {
		dst[i] = y.Digits[src[from]]
	}
}

// Undo writes into dst the puzzle or solution whose image is src; dst and src must not be the same.
func (y *Symmetry) Undo(dst, src []uint8) {
	var old [maxSide + 1]uint8
	for d, renamed := range y.Digits {
		old[renamed] = uint8(d)
	}
	old[0] = 0
	for i, from := range y.Cells {
		dst[from] = old[src[i]]
	}
}
