package sudoku

import (
	"bufio"
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func solver(t testing.TB, side int) *Solver {
	t.Helper()
	s, err := NewSolver(side)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustParse(t testing.TB, text string) []uint8 {
	t.Helper()
	cells, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

// The ratings of 2,000 hard puzzles from tdoku's benchmark files, with their solutions.
func TestRatingEqualsPublished(t *testing.T) {
	s := solver(t, 9)
	got := make([]uint8, 81)
	n, equal := 0, 0
	for _, name := range []string{"train.csv", "dev.csv"} {
		f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "sudoku", name))
		if err != nil {
			t.Skipf("no rated puzzles beside the checkout: %v", err)
		}
		defer f.Close()
		in := bufio.NewScanner(f)
		in.Scan() // the head
		for in.Scan() {
			column := strings.Split(in.Text(), ",")
			puzzle := mustParse(t, column[1])
			want, err := strconv.Atoi(column[3])
			if err != nil {
				t.Fatal(err)
			}
			rating, err := s.Check(got, puzzle)
			if err != nil {
				t.Fatalf("%s: %v", column[1], err)
			}
			if answer := string(AppendLine(nil, got)); answer != column[2] {
				t.Fatalf("%s: solution %s, want %s", column[1], answer, column[2])
			}
			n++
			if rating == want {
				equal++
			} else {
				t.Errorf("%s: rating %d, want %d", column[1], rating, want)
			}
		}
	}
	t.Logf("%d of %d ratings equal", equal, n)
}

// count is the number of solutions up to limit, by trying digits in reading order.
func count(l *layout, cells []uint8, limit int) int {
	for i, d := range cells {
		if d != 0 {
			continue
		}
		n := 0
	digits:
		for d := uint8(1); int(d) <= l.side && n < limit; d++ {
			for _, p := range l.peers[i][:l.peerN] {
				if cells[p] == d {
					continue digits
				}
			}
			cells[i] = d
			n += count(l, cells, limit-n)
			cells[i] = 0
		}
		return n
	}
	return 1
}

func TestGenerator(t *testing.T) {
	for _, side := range []int{4, 6, 9} {
		for level := range 4 {
			cfg := Difficulty(side, level)
			g, err := NewGenerator(cfg)
			if err != nil {
				t.Fatal(err)
			}
			n := 1000
			if side == 9 && level == 3 {
				n = 100 // two hundred a second
			}
			puzzle, solution := make([]uint8, side*side), make([]uint8, side*side)
			got := make([]uint8, side*side)
			for seed := range uint64(n) {
				rating := g.Next(puzzle, solution, newRand(seed))
				if n := g.solver.Count(puzzle, 2); n != 1 {
					t.Fatalf("%+v seed %d: %d solutions", cfg, seed, n)
				}
				if side < 9 || seed < 20 && level == 0 { // the plain search is slow
					if n := count(g.solver.layout, puzzle, 2); n != 1 {
						t.Fatalf("%+v seed %d: %d solutions by plain search", cfg, seed, n)
					}
				}
				again, err := g.solver.Check(got, puzzle)
				if err != nil || again != rating || !cmp.Equal(got, solution) {
					t.Fatalf("%+v seed %d: solution %v, %v, rating %d; want %v, %d", cfg, seed, got, err, again, solution, rating)
				}
				givens := 0
				for i, d := range puzzle {
					if d == 0 {
						continue
					}
					givens++
					if cfg.MaxGivens > 0 {
						continue
					}
					puzzle[i] = 0
					if g.solver.Count(puzzle, 2) == 1 {
						t.Fatalf("%+v seed %d: not minimal", cfg, seed)
					}
					puzzle[i] = d
				}
				if cfg.MaxGivens > 0 && (givens < cfg.MinGivens || givens > cfg.MaxGivens) || rating < cfg.MinRating {
					t.Fatalf("%+v seed %d: %d givens, rating %d", cfg, seed, givens, rating)
				}
			}
		}
	}
}

func TestRevealAndDig(t *testing.T) {
	g, err := NewGenerator(Config{Side: 9})
	if err != nil {
		t.Fatal(err)
	}
	rng := newRand(1)
	puzzle, solution := make([]uint8, 81), make([]uint8, 81)
	revealed := [81]int{}
	for range 300 {
		g.Next(puzzle, solution, rng)
		before := append([]uint8{}, puzzle...)
		Reveal(puzzle, solution, 40, rng)
		n := 0
		for i, d := range puzzle {
			if d != 0 {
				n++
			}
			if before[i] != 0 && d != before[i] || d != 0 && d != solution[i] {
				t.Fatalf("cell %d: %d, was %d, solution %d", i, d, before[i], solution[i])
			}
			if before[i] == 0 && d != 0 {
				revealed[i]++
			}
		}
		if n != 40 {
			t.Fatalf("%d givens, want 40", n)
		}
		if got := g.Dig(puzzle, solution, 30, rng); got != 30 || g.solver.Count(puzzle, 2) != 1 {
			t.Fatalf("%d givens after Dig, %d solutions", got, g.solver.Count(puzzle, 2))
		}
	}
	// Each cell is revealed in 300*(40-24.5)/81 = 57 of the puzzles, standard deviation 7.
	for i, n := range revealed {
		if n < 25 || n > 95 {
			t.Errorf("cell %d was revealed %d times, want about 57", i, n)
		}
	}
}

func TestSymmetry(t *testing.T) {
	rng := newRand(2)
	var y Symmetry
	for _, side := range []int{4, 6, 9, 16} {
		g, err := NewGenerator(Difficulty(side, 1))
		if err != nil {
			t.Fatal(err)
		}
		n := side * side
		puzzle, solution, a, b, got := make([]uint8, n), make([]uint8, n), make([]uint8, n), make([]uint8, n), make([]uint8, n)
		transposed := 0
		for range 200 {
			g.Next(puzzle, solution, rng)
			if err := y.Draw(side, rng); err != nil {
				t.Fatal(err)
			}
			y.Apply(a, puzzle)
			y.Apply(b, solution)
			if _, err := g.solver.Check(got, a); err != nil || !cmp.Equal(got, b) {
				t.Fatalf("%d: a twin has the solution %v (%v), want %v", side, got, err, b)
			}
			if int(y.Cells[0])/side == int(y.Cells[side])/side {
				transposed++
			}
		}
		if square := side != 6; square != (transposed > 60 && transposed < 140) || !square && transposed > 0 {
			t.Errorf("%dx%d: %d of 200 transposed", side, side, transposed)
		}
	}
	if err := y.Draw(5, rng); err == nil {
		t.Error("a symmetry of 5x5")
	}
}

const easy = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"

func TestText(t *testing.T) {
	cells := mustParse(t, easy)
	want := `5 3 . | . 7 . | . . .
6 . . | 1 9 5 | . . .
. 9 8 | . . . | . 6 .
------+-------+------
8 . . | . 6 . | . . 3
4 . . | 8 . 3 | . . 1
7 . . | . 2 . | . . 6
------+-------+------
. 6 . | . . . | 2 8 .
. . . | 4 1 9 | . . 5
. . . | . 8 . | . 7 9
`
	got := string(AppendText(nil, cells))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	for _, form := range []string{got, strings.ReplaceAll(easy, ".", "0"), strings.ReplaceAll(got, "\n", "\r\n"), "\n" + easy + "\n"} {
		if diff := cmp.Diff(cells, mustParse(t, form)); diff != "" {
			t.Errorf("%q reads as another puzzle", form)
		}
	}
	for _, side := range []int{4, 6, 16} {
		cells := make([]uint8, side*side)
		solver(t, side).Fill(cells, newRand(1))
		cells[3] = 0
		for _, form := range []string{string(AppendLine(nil, cells)), string(AppendText(nil, cells))} {
			if diff := cmp.Diff(cells, mustParse(t, form)); diff != "" {
				t.Errorf("%q reads as another puzzle", form)
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "no puzzle: want 81 cells"},
		{easy[:80], "80 cells in this line: want a row of 16, 9, 6 or 4, or a puzzle of 256, 81, 36 or 16"},
		{easy + "1", "82 cells in this line: want a row of 16"},
		{strings.Repeat(".", 257), "line 1, column 257: more than 256"},
		{easy[:40] + "b" + easy[41:], "line 1, column 41: B: want 1 to 9"},
		{strings.Repeat("1234..........aG\n", 3), "3 lines of 16 cells from here, want 16"},
		{strings.Repeat("1234..........aG\n", 15) + "1234.......H..aG\n", "line 16, column 12: 'H'"},
		{easy[:40] + "y" + easy[41:], "line 1, column 41: 'y'"},
		{"1234\n3412\n214\n4321", "line 3, column 3: 3 cells in this line, want 4 as in line 1"},
		{"1234\n3412\n2143\n4325", "line 4, column 4: 5: want 1 to 4"},
		{"12\n34\n12\n34\n12\n34\n12\n34", "2 cells in this line: want a row of 16, 9, 6 or 4"},
	} {
		if _, err := Parse(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %q", tt.text, err, tt.want)
		}
	}
}

func TestCheckErrors(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		is         error
		want       string
	}{
		{"twice in a row", "5..5" + strings.Repeat(".", 77), ErrConflict, "row 1 column 1 and row 1 column 4 both have 5"},
		{"twice in a box", "5.........5" + strings.Repeat(".", 70), ErrConflict, "row 1 column 1 and row 2 column 2 both have 5"},
		{"no digit", "12345678." + "........." + "........9" + strings.Repeat(".", 54), ErrImpossible, "no digit is left for row 1 column 9"},
		// Row 1 has room for 3 and 4 in columns 3 and 4, whose box has a 3 in row 2.
		{"no place", "12.." + "..3." + "........", ErrImpossible, "no place is left for 3 in row 1"},
		{"later", "...." + ".21." + "...3" + ".4..", ErrImpossible, "every way"},
		{"empty", strings.Repeat(".", 81), ErrAmbiguous, "has 2+ solutions: row 1 column 1 may be"},
		// The corners of a rectangle over two boxes can hold 1 2, 2 1 or 2 1, 1 2.
		{"two ways", "..34" + "3412" + "..43" + "4321", ErrAmbiguous, "row 1 column 1 may be 1 or 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			puzzle := mustParse(t, tt.text)
			_, err := solver(t, sideOf(len(puzzle))).Check(make([]uint8, len(puzzle)), puzzle)
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %v with %q", err, tt.is, tt.want)
			}
		})
	}
	if _, err := solver(t, 4).Check(make([]uint8, 16), append(make([]uint8, 15), 9)); err == nil ||
		!strings.Contains(err.Error(), "row 4 column 4: digit 9, want 1 to 4") {
		t.Errorf("digit 9 of 4x4: error %v", err)
	}
	if _, err := solver(t, 4).Check(make([]uint8, 16), make([]uint8, 81)); err == nil {
		t.Error("81 cells of 4x4 were accepted")
	}
}

// The hopeless puzzle of Norvig's essay (norvig.com/sudoku.html) has no solution, which takes this
// solver 5,238,088 guesses; a search that gives up must not be read as that.
func TestLimit(t *testing.T) {
	hopeless := mustParse(t, ".....5.8....6.1.43..........1.5........1.6...3.......553.....61........4.........")
	s := solver(t, 9)
	s.limit = 1000
	guesses, ok := s.Solve(make([]uint8, 81), hopeless)
	if ok || guesses != 1001 || !s.gaveUp {
		t.Errorf("%d guesses, ok %v, gave up %v", guesses, ok, s.gaveUp)
	}
	if _, ok = s.Solve(make([]uint8, 81), mustParse(t, easy)); !ok || s.gaveUp {
		t.Error("the next puzzle is not solved")
	}
}

func TestNewGeneratorErrors(t *testing.T) {
	for _, tt := range []struct {
		cfg  Config
		want string
	}{
		{Config{Side: 5}, "5 rows: want 4, 6, 9 or 16"},
		{Config{Side: 9, MinGivens: 40, MaxGivens: 30}, "40 to 30 givens"},
		{Config{Side: 9, MaxGivens: 81}, "0 to 81 givens"},
		{Config{Side: 9, MinGivens: 17, MaxGivens: 17}, "at most 17 givens: want 22 or more"},
		{Config{Side: 9, MinGivens: 50, MaxGivens: 60, MinRating: 5}, "want at most 0"},
		{Config{Side: 9, MinRating: 500}, "want at most 100"},
		{Config{Side: 4, MinRating: 1}, "want at most 0"},
		{Config{Side: 9, MinRating: 5, MaxRating: 2}, "rating of 5 to 2"},
		{Config{Side: 16, MaxRating: -1}, "a rating of 16x16"},
		{Config{Side: 16, MinGivens: 90, MaxGivens: 100}, "at most 100 givens: want 105 or more"},
	} {
		if _, err := NewGenerator(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want %q", tt.cfg, err, tt.want)
		}
	}
}

func TestAllocatesNothing(t *testing.T) {
	g, err := NewGenerator(Config{Side: 9, MinGivens: 30, MaxGivens: 36})
	if err != nil {
		t.Fatal(err)
	}
	rng := newRand(1)
	var y Symmetry
	puzzle, solution, twin := make([]uint8, 81), make([]uint8, 81), make([]uint8, 81)
	if n := testing.AllocsPerRun(50, func() {
		g.Next(puzzle, solution, rng)
		Reveal(puzzle, solution, 40, rng)
		if err := y.Draw(9, rng); err != nil {
			t.Fatal(err)
		}
		y.Apply(twin, puzzle)
	}); n != 0 {
		t.Errorf("%v allocations a puzzle, want 0", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(easy)
	f.Add(strings.Repeat("1234..........aG\n", 16))
	f.Add("1.34\n3.12\n-----\n21|43\n4321\n")
	f.Fuzz(func(t *testing.T, text string) {
		cells, err := Parse(text)
		if err != nil {
			return
		}
		forms := []string{string(AppendLine(nil, cells)), string(AppendText(nil, cells))}
		if len(cells) == maxCells && slices.Max(cells) <= 4 {
			forms = forms[:1] // in lines it is sixteen puzzles of 4x4
		}
		for _, form := range forms {
			again, err := Parse(form)
			if err != nil || !cmp.Equal(cells, again) {
				t.Fatalf("%q reads as %v, %v; want %v", form, again, err, cells)
			}
		}
	})
}

// TestSixteen: puzzles of 16x16 have one solution and the givens that were asked for, follow from the seed, and read
// as they were written; dug ones have about as few givens as the documentation says.
func TestSixteen(t *testing.T) {
	for _, cfg := range []Config{{Side: 16, MinGivens: 130, MaxGivens: 160}, {Side: 16}} {
		g, err := NewGenerator(cfg)
		if err != nil {
			t.Fatal(err)
		}
		puzzle, solution, got := make([]uint8, 256), make([]uint8, 256), make([]uint8, 256)
		for seed := range uint64(3) {
			rating := g.Next(puzzle, solution, newRand(seed))
			again, err := g.solver.Check(got, puzzle)
			if err != nil || again != rating || !cmp.Equal(got, solution) || !Solves(solution, puzzle) {
				t.Fatalf("%+v seed %d: rating %d, solution %v, %v; want %d, %v", cfg, seed, again, got, err, rating, solution)
			}
			low, high := cfg.MinGivens, cfg.MaxGivens
			if high == 0 {
				low, high = 80, 115
			}
			if n := 256 - bytes.Count(puzzle, []byte{0}); n < low || n > high {
				t.Errorf("%+v seed %d: %d givens, want %d to %d", cfg, seed, n, low, high)
			}
			for _, form := range []string{string(AppendLine(nil, puzzle)), string(AppendText(nil, puzzle)), strings.ToLower(string(AppendText(nil, puzzle)))} {
				if diff := cmp.Diff(puzzle, mustParse(t, form)); diff != "" {
					t.Errorf("%q reads as another puzzle", form)
				}
			}
			old := bytes.Clone(puzzle)
			if g.Next(puzzle, solution, newRand(seed)); !bytes.Equal(old, puzzle) {
				t.Errorf("%+v seed %d: another puzzle the second time", cfg, seed)
			}
		}
	}
	if _, err := NewWalk(16, 10); err == nil || !strings.Contains(err.Error(), "a walk of 16x16") {
		t.Errorf("a walk of 16x16: %v", err)
	}
	if _, err := solver(t, 16).Check(make([]uint8, 256), make([]uint8, 256)); !errors.Is(err, ErrAmbiguous) && !errors.Is(err, ErrUndecided) {
		t.Errorf("an empty board of 16x16: %v", err)
	}
}

// TestSixteenLines: sixteen lines of 16 cells are a puzzle of 16x16 if a cell is above 4, else sixteen puzzles.
func TestSixteenLines(t *testing.T) {
	small := strings.Repeat("1.343412..43432.\n", 16)
	for text, want := range map[string][]int{
		small:                        slices.Repeat([]int{16}, 16),
		small[:len(small)-2] + "7\n": {256},
		"Grid 01\n" + small[17:] + "b..............\n":                                                               slices.Repeat([]int{16}, 15), // such a line is a title
		"Grid 01\n" + small[17:] + "b...............\n":                                                              {256},
		"[" + strings.Repeat("[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],", 15) + "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]]": {256},
	} {
		all, err := ParseAll(text)
		var got []int
		for _, cells := range all {
			got = append(got, len(cells))
		}
		if !slices.Equal(got, want) || (err != nil) != (want == nil) {
			t.Errorf("%q: puzzles of %v cells, %v; want %v", text, got, err, want)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for _, bb := range []struct {
		name string
		cfg  Config
	}{
		{"9x9-40-50", Difficulty(9, 0)},
		{"9x9-30-36", Difficulty(9, 1)},
		{"9x9-minimal", Config{Side: 9}},
		{"9x9-expert", Difficulty(9, 3)},
		{"6x6-10-16", Difficulty(6, 1)},
		{"16x16-130-150", Difficulty(16, 1)},
		{"16x16-dug", Config{Side: 16}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			g, err := NewGenerator(bb.cfg)
			if err != nil {
				b.Fatal(err)
			}
			n := bb.cfg.Side * bb.cfg.Side
			puzzle, solution := make([]uint8, n), make([]uint8, n)
			rng := newRand(1)
			k := 0
			for b.Loop() {
				g.Next(puzzle, solution, rng)
				k++
			}
			b.ReportMetric(float64(k)/b.Elapsed().Seconds(), "puzzles/s")
		})
	}
}

func BenchmarkCount(b *testing.B) {
	s := solver(b, 9)
	puzzle := mustParse(b, easy)
	n := 0
	for b.Loop() {
		if s.Count(puzzle, 2) != 1 {
			b.Fatal("not unique")
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "puzzles/s")
}

func TestSolves(t *testing.T) {
	for _, side := range []int{4, 6, 9, 16} {
		g, err := NewGenerator(Difficulty(side, 1))
		if err != nil {
			t.Fatal(err)
		}
		puzzle, solution := make([]uint8, side*side), make([]uint8, side*side)
		rng := rand.New(rand.NewPCG(3, uint64(side)))
		g.Next(puzzle, solution, rng)
		if !Solves(solution, puzzle) {
			t.Errorf("side %d: the solution does not solve", side)
		}
		if Solves(puzzle, puzzle) || Solves(solution[1:], puzzle) {
			t.Errorf("side %d: an unfinished grid solves", side)
		}
		var y Symmetry
		if err := y.Draw(side, rng); err != nil {
			t.Fatal(err)
		}
		other, back := make([]uint8, side*side), make([]uint8, side*side)
		y.Apply(other, solution)
		y.Undo(back, other)
		if !bytes.Equal(back, solution) {
			t.Errorf("side %d: Undo of Apply is not the original", side)
		}
		if !bytes.Equal(other, solution) && Solves(other, puzzle) {
			t.Errorf("side %d: a full grid that changes givens solves", side)
		}
		wrong := bytes.Clone(solution)
		for i, d := range puzzle {
			if d == 0 {
				wrong[i] = wrong[i]%uint8(side) + 1
				break
			}
		}
		if Solves(wrong, puzzle) {
			t.Errorf("side %d: a wrong digit solves", side)
		}
	}
}
