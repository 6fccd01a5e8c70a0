package maze

import (
	"math/bits"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// marks reads the cells marked 'o'.
func marks(text string) []bool {
	text = strings.ReplaceAll(text, "\n", "")
	marked := make([]bool, len(text))
	for i := range text {
		marked[i] = text[i] == 'o'
	}
	return marked
}

func TestAppendMarked(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       int // cells of the way
		shortest   bool
	}{
		{"shortest", "#######\n#Sooo #\n# # o #\n#   G #\n#######\n", 6, true},
		{"longer", "#######\n#S    #\n#o# ###\n#oooG #\n#######\n", 6, true},
		{"detour", "#######\n#Soooo#\n# # #o#\n#   Go#\n#######\n", 8, false},
		{"breaks off", "#######\n#Sooo #\n# #   #\n#   G #\n#######\n", 0, false},
		{"a cell besides", "#######\n#Sooo #\n# # o #\n#o  G #\n#######\n", 0, false},
		{"a fork", "#######\n#Sooo #\n#o# o #\n#   G #\n#######\n", 0, false},
		{"two ways", "#######\n#Sooo #\n#o# o #\n#oooG #\n#######\n", 0, false},
		{"nothing", "#######\n#S    #\n# #   #\n#   G #\n#######\n", 0, false},
		{"a ring elsewhere", "########\n#SG    #\n#  ooo #\n#  o o #\n#  ooo #\n########\n", 0, false},
		{"neighbours", "####\n#SG#\n####\n", 2, true},
	} {
		m, err := Parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		var s Solver
		got := m.AppendMarked(nil, marks(tt.text))
		if len(got) != tt.want || s.IsShortest(m, got) != tt.shortest {
			t.Errorf("%s: %v, shortest %v; want %d cells, %v", tt.name, got, s.IsShortest(m, got), tt.want, tt.shortest)
		}
	}
	m, err := Parse("#####\n#S G#\n#####\n")
	if err != nil {
		t.Fatal(err)
	}
	marked := make([]bool, 15)
	marked[7], marked[0] = true, true
	if got := m.AppendMarked(nil, marked); len(got) != 0 {
		t.Errorf("with a wall marked: %v", got)
	}
}

func TestAppendTraced(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		cells      int
		arrives    bool
	}{
		{"shortest", "#######\n#Sooo #\n# # o #\n#   G #\n#######\n", 6, true},
		{"a cell besides", "#######\n#Sooo #\n# # o #\n#o  G #\n#######\n", 6, true},
		{"a blind fork", "#######\n#Sooo #\n#o# o #\n#   G #\n#######\n", 2, false}, // down before right
		{"breaks off", "#######\n#Sooo #\n# #   #\n#   G #\n#######\n", 4, false},
		{"nothing", "#######\n#S    #\n# #   #\n#   G #\n#######\n", 1, false},
		{"the goal comes first", "#####\n# o #\n#SG #\n#o###\n#####\n", 2, true},
		{"back at the start", "#######\n#Soo  #\n#o#o  #\n#ooo G#\n#######\n", 8, false},
		{"round and round", "#######\n#Soo  #\n# oo G#\n#######\n", 29, false}, // a move for each cell
	} {
		m, err := Parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		got := m.AppendTraced(nil, marks(tt.text))
		if len(got) != tt.cells || (got[len(got)-1] == m.Goal) != tt.arrives {
			t.Errorf("%s: %v, want %d cells, arriving %v", tt.name, got, tt.cells, tt.arrives)
		}
	}
}

func TestAnswersOfTheSolver(t *testing.T) {
	g := generator(t, Recipe(13))
	rng := newRand(9)
	var m Maze
	var s Solver
	for range 500 {
		g.Next(&m, rng)
		path := s.AppendPath(nil, &m)
		marked := make([]bool, len(m.Wall))
		for _, cell := range path {
			marked[cell] = true
		}
		if diff := cmp.Diff(path, m.AppendMarked(nil, marked)); diff != "" {
			t.Fatalf("marked path:\n%s\n%v", diff, &m)
		}
		directions := make([]uint8, len(m.Wall))
		for i, set := range s.AppendDirections(nil, &m) {
			directions[i] = uint8(bits.TrailingZeros8(set)) // 8, no direction, where there is none
		}
		if diff := cmp.Diff(path, m.AppendFollowed(nil, directions)); diff != "" {
			t.Fatalf("followed path:\n%s\n%v", diff, &m)
		}
	}
}

func TestAppendFollowedEnds(t *testing.T) {
	m, err := Parse("######\n#S  G#\n######\n")
	if err != nil {
		t.Fatal(err)
	}
	set := func(dirs ...uint8) []uint8 {
		d := make([]uint8, 18)
		copy(d[7:], dirs)
		return d
	}
	for _, tt := range []struct {
		dirs []uint8
		last int
	}{
		{set(Right, Right, Right), 10},
		{set(Right, Up), 8},   // into the wall
		{set(Right, 255), 8},  // no direction
		{set(Right, Left), 0}, // to and fro for ever
	} {
		got := m.AppendFollowed(nil, tt.dirs)
		if last := got[len(got)-1]; tt.last > 0 && last != tt.last || tt.last == 0 && (last == m.Goal || len(got) > 20) {
			t.Errorf("%v: %v, want to end at %d", tt.dirs[7:11], got, tt.last)
		}
	}
}
