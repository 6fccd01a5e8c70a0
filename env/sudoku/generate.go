package sudoku

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A Config says what puzzles a Generator makes.
type Config struct {
	Side int // 4, 6, 9 or 16; required

	// Each puzzle draws how many givens to keep, from MinGivens to MaxGivens; both 0 means minimal
	// puzzles, from which no given can be taken. At 16x16 it means as few as short searches can
	// show to be enough.
	MinGivens, MaxGivens int

	// MinRating and MaxRating bound the digits tried at guesses, as Solve counts them. MaxRating 0
	// means no bound, -1 that singles are enough. The more givens, the lower the MinRating that
	// may be asked for; at 9x9 it is at most 100, with up to 26 givens. At 16x16 both are 0.
	MinRating, MaxRating int
}

// A Generator makes puzzles with exactly one solution. It reuses its memory; one goroutine uses it
// at a time.
type Generator struct {
	cfg    Config
	solver *Solver
	order  []uint8
	full   []uint8
}

// least is, for each side, the fewest givens that MaxGivens may ask for. Fewer exist (17 of 81),
// but removal in random order seldom finds them.
var least = map[int]int{4: 4, 6: 9, 9: 22, 16: 105}

// ParseGivens reads a number of givens, N or LOW-HIGH.
func ParseGivens(text string) (low, high int, err error) {
	a, b, two := strings.Cut(text, "-")
	if !two {
		b = a
	}
	if low, err = strconv.Atoi(a); err == nil {
		high, err = strconv.Atoi(b)
	}
	if err != nil || low < 0 || high < low {
		return 0, 0, errors.New("want N or LOW-HIGH")
	}
	return low, high, nil
}

// hardest is, for each side, the largest MinRating up to a MinGivens, so that a second of search
// finds such a puzzle.
var hardest = map[int][]struct{ givens, rating int }{
	6: {{11, 8}, {16, 1}},
	9: {{26, 100}, {32, 10}, {45, 1}},
}

// NewGenerator reports what of cfg cannot be made.
func NewGenerator(cfg Config) (*Generator, error) {
	s, err := NewSolver(cfg.Side)
	if err != nil {
		return nil, err
	}
	low := least[cfg.Side]
	switch {
	case cfg.MinGivens < 0 || cfg.MinGivens > cfg.MaxGivens || cfg.MaxGivens >= s.cells:
		return nil, fmt.Errorf("sudoku: %d to %d givens: want an interval of 0 to %d", cfg.MinGivens, cfg.MaxGivens, s.cells-1)
	case cfg.MaxGivens > 0 && cfg.MaxGivens < low:
		return nil, fmt.Errorf("sudoku: at most %d givens: want %d or more, or 0 for as few as can be", cfg.MaxGivens, low)
	case s.bound > 0 && (cfg.MinRating != 0 || cfg.MaxRating != 0):
		return nil, fmt.Errorf("sudoku: a rating of %dx%d: such puzzles are drawn by their givens alone", cfg.Side, cfg.Side)
	case cfg.MinRating < 0 || cfg.MaxRating < -1 || cfg.MaxRating == -1 && cfg.MinRating > 0 ||
		cfg.MaxRating > 0 && cfg.MaxRating < cfg.MinRating:
		return nil, fmt.Errorf("sudoku: rating of %d to %d", cfg.MinRating, cfg.MaxRating)
	}
	most := 0
	for _, h := range hardest[cfg.Side] {
		if cfg.MinGivens <= h.givens {
			most = h.rating
			break
		}
	}
	if cfg.MinRating > most {
		return nil, fmt.Errorf("sudoku: rating of at least %d with %d givens or more: want at most %d", cfg.MinRating, cfg.MinGivens, most)
	}
	return &Generator{cfg: cfg, solver: s, order: make([]uint8, s.cells), full: make([]uint8, s.cells)}, nil
}

// Solver is the Generator's own, for use between calls of Next.
func (g *Generator) Solver() *Solver { return g.solver }

// Next writes a puzzle and its solution, side*side digits each, and returns the rating. All of it
// follows from rng.
func (g *Generator) Next(puzzle, solution []uint8, rng *rand.Rand) (rating int) {
	for {
		g.solver.Fill(solution, rng)
		copy(puzzle, solution)
		keep := g.cfg.MinGivens
		if n := g.cfg.MaxGivens - g.cfg.MinGivens; n > 0 {
			keep += rng.IntN(n + 1)
		}
		givens := g.Dig(puzzle, solution, keep, rng)
		if g.cfg.MaxGivens > 0 && givens > g.cfg.MaxGivens {
			continue
		}
		g.solver.limit = g.solver.bound
		rating, _ = g.solver.Solve(g.full, puzzle)
		g.solver.limit = 0
		if g.solver.gaveUp {
			continue
		}
		if rating >= g.cfg.MinRating && (g.cfg.MaxRating == 0 || rating <= max(g.cfg.MaxRating, 0)) {
			return rating
		}
	}
}

// Dig takes givens from a puzzle with one solution, in random order while the solution stays
// unique, until keep are left, and returns how many are. With keep 0 the puzzle becomes minimal; at 16x16
// a given also stays where the search for another solution comes to no end.
func (g *Generator) Dig(puzzle, solution []uint8, keep int, rng *rand.Rand) int {
	g.solver.limit = g.solver.bound
	defer func() { g.solver.limit = 0 }()
	order := g.order[:0]
	for i, d := range puzzle {
		if d != 0 {
			order = append(order, uint8(i))
		}
	}
	givens := len(order)
	for i := 0; i < len(order) && givens > keep; i++ {
		j := i + rng.IntN(len(order)-i)
		order[i], order[j] = order[j], order[i]
		cell := order[i]
		puzzle[cell] = 0
		if g.solver.Without(puzzle, int(cell), solution[cell]) != 0 || g.solver.gaveUp {
			puzzle[cell] = solution[cell]
		} else {
			givens--
		}
	}
	return givens
}

// At 16x16 a grid is emptied and filled so often, and so many percent of its cells: its rows in boxes then have 62 sets
// of digits instead of the pattern's 8.
const (
	refills = 4
	emptied = 70
)

// Fill writes a random solved grid. At 16x16, where to search for one may take hours, it begins with a random twin
// of the grid whose rows are 1 to 16 turned by four places a row and by one more a band, and makes most of it anew.
func (s *Solver) Fill(dst []uint8, rng *rand.Rand) {
	if s.bound > 0 {
		if err := s.twin.Draw(s.side, rng); err != nil {
			panic(err) // a Solver has a size that there is
		}
		for i, from := range s.twin.Cells {
			row, col := int(from)/s.side, int(from)%s.side
			dst[i] = s.twin.Digits[1+(row%s.boxRows*s.boxCols+row/s.boxRows+col)%s.side]
		}
		for range refills {
			s.refill(dst, rng)
		}
		return
	}
	clear(dst[:s.cells])
	s.start(dst)
	guesses := 0
	s.search(0, rng, &guesses, func(st *state) bool {
		s.write(dst, st)
		return true
	})
}

// refill empties most of a solved grid's cells, at random, and fills them again by search, where a short one does.
func (s *Solver) refill(grid []uint8, rng *rand.Rand) {
	s.left = append(s.left[:0], grid...)
	left := s.left
	for i := range left {
		if rng.IntN(100) < emptied {
			left[i] = 0
		}
	}
	s.limit = s.bound
	defer func() { s.limit = 0 }()
	s.start(left)
	guesses := 0
	s.search(0, rng, &guesses, func(st *state) bool {
		s.write(grid, st)
		return true
	})
}

// Reveal copies digits of the solution into empty cells of the puzzle, drawn at random, until it
// has the given number of givens: a hard puzzle made easier, for curricula. It does nothing if there
// are as many already.
func Reveal(puzzle, solution []uint8, givens int, rng *rand.Rand) {
	empty := 0
	for _, d := range puzzle {
		if d == 0 {
			empty++
		}
	}
	// Of the empty cells still ahead, each is taken with the chance need/empty.
	for i, need := 0, min(givens, len(puzzle))-(len(puzzle)-empty); need > 0; i++ {
		if puzzle[i] != 0 {
			continue
		}
		if rng.IntN(empty) < need {
			puzzle[i] = solution[i]
			need--
		}
		empty--
	}
}
