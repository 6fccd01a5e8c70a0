package grid

// A Board is what a grid world shows, free of pictures: the family says which art draws it. Origin
// (0, 0) is the top left cell, x right, y down.
type Board struct {
	Family  string  // "minigrid", "maze", "sudoku", "arc"
	Cols    int     // width in cells
	Rows    int     // height in cells
	Cells   []Cell  // [rows*cols], row-major
	Pieces  []Piece // drawn over the cells, in order
	Caption string  // the mission or task in words; may be empty
	Beside  []Beside
}

// A Beside is a board that helps to read the one it stands beside: a demonstration of a task, or what the agent sees.
// It has none of its own.
type Beside struct {
	Title string
	Board Board
}

// A Cell is one square in the codes of its family.
type Cell struct {
	Kind  uint8
	Color uint8
	State uint8
	Flags uint8 // FlagGiven, FlagSeen, FlagHidden
}

// Flags of a cell that mean the same in every family.
const (
	FlagGiven  uint8 = 1 << iota // fixed by the task, not by the agent (a sudoku's given)
	FlagSeen                     // inside what the agent sees now
	FlagHidden                   // not yet known to the agent (fog of war)
	FlagWrong                    // breaks a rule or differs from the solution
	FlagFocus                    // the cell that the agent acts on (a cursor)
)

// A Piece stands on a cell.
type Piece struct {
	X, Y  int
	Kind  uint8 // PieceAgent or the family's own
	Color uint8
	Dir   uint8 // 0 right, 1 down, 2 left, 3 up
}

// PieceAgent is the acting agent in every family.
const PieceAgent uint8 = 0
