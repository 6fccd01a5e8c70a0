package sudoku

import "fmt"

// A layout is the geometry of one size of board: which cells share a row, a column or a box. What is indexed by
// a cell has room for every uint8.
type layout struct {
	side    int // 4, 6, 9 or 16
	boxRows int // rows of a box
	boxCols int
	cells   int    // side*side
	all     uint16 // candidates 1 to side, digit d is bit d-1
	units   [3 * maxSide][maxSide]uint8
	peers   [maxCells][39]uint8 // the first peerN: cells in a unit with this one
	peerN   int
	unitsOf [maxCells]uint64 // bit u if the cell is in unit u
	bound   int              // most guesses of a search while puzzles are made; 0 means no bound
}

// Of the largest board.
const (
	maxSide  = 16
	maxCells = maxSide * maxSide
)

// mostGuesses bounds each search of the generator at 16x16, where some would not end in hours. So a puzzle that is
// dug as far as it goes has about 95 givens and takes .14 s.
const mostGuesses = 300

// The sizes of a board: 2x2, 2 rows x 3 columns, 3x3 and 4x4 cells a box.
var layouts = map[int]*layout{4: newLayout(2, 2), 6: newLayout(2, 3), 9: newLayout(3, 3), 16: newLayout(4, 4)}

// layoutOf is the layout of boards with side rows.
func layoutOf(side int) (*layout, error) {
	l := layouts[side]
	if l == nil {
		return nil, fmt.Errorf("sudoku: %d rows: want 4, 6, 9 or 16", side)
	}
	return l, nil
}

func newLayout(boxRows, boxCols int) *layout {
	n := boxRows * boxCols
	l := &layout{side: n, boxRows: boxRows, boxCols: boxCols, cells: n * n, all: 1<<n - 1}
	for i := range n {
		for j := range n {
			l.units[i][j] = uint8(i*n + j)
			l.units[n+i][j] = uint8(j*n + i)
			l.units[2*n+i][j] = uint8((i/boxRows*boxRows+j/boxCols)*n + i%boxRows*boxCols + j%boxCols)
		}
	}
	for u := range 3 * n {
		for _, cell := range l.units[u][:n] {
			l.unitsOf[cell] |= 1 << u
		}
	}
	for a := range l.cells {
		l.peerN = 0
		for b := range l.cells {
			if a != b && l.unitsOf[a]&l.unitsOf[b] != 0 {
				l.peers[a][l.peerN] = uint8(b)
				l.peerN++
			}
		}
	}
	if n > 9 {
		l.bound = mostGuesses
	}
	return l
}

// Boxes is the size of the boxes of a board with so many cells: 256, 81, 36 or 16.
func Boxes(cells int) (rows, cols int, ok bool) {
	l := layouts[sideOf(cells)]
	if l == nil {
		return 0, 0, false
	}
	return l.boxRows, l.boxCols, true
}

// sideOf is the number of rows of a board with so many cells, 0 if there is none.
func sideOf(cells int) int {
	for n, l := range layouts {
		if l.cells == cells {
			return n
		}
	}
	return 0
}

// name is how messages call a cell: rows and columns count from 1.
func (l *layout) name(cell int) string {
	return fmt.Sprintf("row %d column %d", cell/l.side+1, cell%l.side+1)
}
