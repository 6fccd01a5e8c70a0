package maze

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func generator(t testing.TB, cfg Config) *Generator {
	t.Helper()
	g, err := NewGenerator(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// The means are the recipe's (shared/recipes.md, "Data"); 0.5: two standard errors of 5,000 mazes
// and the recipe's rounding.
func TestRecipeMeanPath(t *testing.T) {
	for _, tt := range []struct {
		size int
		want float64
	}{{9, 11}, {11, 14.6}, {13, 18}, {15, 21.5}, {19, 28}} {
		g := generator(t, Recipe(tt.size))
		rng, sum := newRand(1), 0
		var m Maze
		var s Solver
		const n = 5000
		for range n {
			g.Next(&m, rng)
			moves, unique := s.Len(&m)
			if !unique || moves < tt.size/2 {
				t.Fatalf("%dx%d: shortest way %d, unique %v:\n%v", tt.size, tt.size, moves, unique, &m)
			}
			sum += moves
		}
		got := float64(sum) / n
		t.Logf("%dx%d: mean path %.2f, recipe %.1f", tt.size, tt.size, got, tt.want)
		if math.Abs(got-tt.want) > 0.5 {
			t.Errorf("%dx%d: mean path %.2f, want %.1f", tt.size, tt.size, got, tt.want)
		}
	}
}

// bruteDistances is Bellman-Ford, written without a queue or a frame.
func bruteDistances(m *Maze) []int32 {
	d := make([]int32, len(m.Wall))
	for i := range d {
		d[i] = -1
	}
	d[m.Goal] = 0
	for changed := true; changed; {
		changed = false
		for i := range d {
			if m.Wall[i] {
				continue
			}
			for dir := range 4 {
				if j := m.Next(i, dir); d[j] >= 0 && (d[i] < 0 || d[i] > d[j]+1) {
					d[i], changed = d[j]+1, true
				}
			}
		}
	}
	return d
}

func TestEveryGeneratedMazeIsRight(t *testing.T) {
	for _, cfg := range []Config{
		{Rows: 5, Cols: 5},
		{Rows: 6, Cols: 5, MaxOpenings: .2},
		{Rows: 7, Cols: 12, MaxOpenings: 1},
		Recipe(9), Recipe(15),
		{Rows: 20, Cols: 9, MaxOpenings: .2, MinPath: 30},
		{Rows: 9, Cols: 9, Split: Test},
		{Rows: 9, Cols: 9, MaxPath: 5},
		{Rows: 9, Cols: 9, MinPath: 8, MaxPath: 8},
	} {
		g := generator(t, cfg)
		var m Maze
		var s Solver
		for seed := range uint64(1000) {
			g.Next(&m, newRand(seed))
			if err := m.Check(); err != nil || !m.Closed() || m.Rows != cfg.Rows || m.Cols != cfg.Cols {
				t.Fatalf("%+v seed %d: %v, closed %v\n%v", cfg, seed, err, m.Closed(), &m)
			}
			want := bruteDistances(&m)
			if diff := cmp.Diff(want, s.Distances(&m)); diff != "" {
				t.Fatalf("%+v seed %d: distances (-want +got):\n%s", cfg, seed, diff)
			}
			if cfg.Split == Test && !HeldOut(&m) {
				t.Fatalf("%+v seed %d: not held out", cfg, seed)
			}
			open, edges := 0, 0
			sets := s.AppendDirections(nil, &m)
			for i, wall := range m.Wall {
				if !wall {
					open++
					if want[i] < 0 {
						t.Fatalf("%+v seed %d: cell %d is cut off\n%v", cfg, seed, i, &m)
					}
				}
				for dir := range 4 {
					next := m.Next(i, dir)
					if !wall && next != i {
						edges++
					}
					if best := !wall && next != i && want[next] == want[i]-1; best != (sets[i]>>dir&1 == 1) {
						t.Fatalf("%+v seed %d: cell %d, direction %d: set %04b, best %v\n%v", cfg, seed, i, dir, sets[i], best, &m)
					}
				}
			}
			if cfg.MaxOpenings == 0 && edges != 2*(open-1) {
				t.Fatalf("%+v seed %d: %d cells and %d edges: not a tree\n%v", cfg, seed, open, edges/2, &m)
			}
			path := s.AppendPath(nil, &m)
			if len(path) != int(want[m.Start])+1 || !s.IsShortest(&m, path) || len(path)-1 < cfg.MinPath ||
				cfg.MaxPath > 0 && len(path)-1 > cfg.MaxPath {
				t.Fatalf("%+v seed %d: path %v is not a shortest way\n%v", cfg, seed, path, &m)
			}
		}
	}
}

func TestOpeningsMakeLoops(t *testing.T) {
	g := generator(t, Config{Rows: 9, Cols: 9, MaxOpenings: 1})
	sum := 0
	var m Maze
	for seed := range uint64(1000) {
		g.Next(&m, newRand(seed))
		for i, wall := range m.Wall { // walls between rooms: one odd coordinate, one even
			if r, c := i/9, i%9; (r+c)%2 == 1 && r > 0 && r < 8 && c > 0 && c < 8 && !wall {
				sum++
			}
		}
	}
	// 15 doors of the tree and half of the 9 others: 19.5; fewer are accepted when p is large,
	// because the shortest way is then seldom unique.
	if mean := float64(sum) / 1000; mean < 17 || mean > 19.5 {
		t.Errorf("mean open doors %v, want 17 to 19.5", mean)
	}
}

func TestHard(t *testing.T) {
	g := generator(t, Hard())
	rng := newRand(3)
	var m Maze
	var s Solver
	for range 50 {
		g.Next(&m, rng)
		if moves, unique := s.Len(&m); moves <= 110 || !unique || m.Rows != 30 || m.Cols != 30 {
			t.Fatalf("%dx%d: shortest way %d, unique %v", m.Rows, m.Cols, moves, unique)
		}
	}
}

func TestTransform(t *testing.T) {
	m, err := Parse("#####\n#S G#\n# ###\n#####\n")
	if err != nil {
		t.Fatal(err)
	}
	var turned Maze
	turned.Transform(m, 1)
	if got, want := turned.String(), "####\n#G##\n# ##\n#S #\n####\n"; got != want {
		t.Errorf("turned:\n%swant:\n%s", got, want)
	}
}

func TestHeldOut(t *testing.T) {
	held, seen := 0, map[uint64]string{}
	g := generator(t, Recipe(13))
	rng := newRand(5)
	var m, turned Maze
	const n = 5000
	for range n {
		g.Next(&m, rng)
		h := LayoutHash(&m)
		for k := range 8 {
			turned.Transform(&m, k)
			turned.Start, turned.Goal = turned.Goal, turned.Start
			if got := LayoutHash(&turned); got != h {
				t.Fatalf("symmetry %d: hash %x, want %x", k, got, h)
			}
		}
		text := m.String()
		text = strings.NewReplacer("S", " ", "G", " ").Replace(text)
		if old, ok := seen[h]; ok && old != text {
			t.Logf("two layouts share hash %x (or are turned copies)", h)
		}
		seen[h] = text
		if HeldOut(&m) {
			held++
		}
	}
	// Binomial(5000, 0.1): standard deviation 21.
	if held < 400 || held > 600 {
		t.Errorf("%d of %d held out, want a tenth", held, n)
	}
	if len(seen) < n-5 {
		t.Errorf("%d different hashes of %d mazes", len(seen), n)
	}
	// A fixed value: the split must not change between versions.
	m1, err := Parse("#####\n#S G#\n#####")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := LayoutHash(m1), uint64(0x7862b39dc3061a4c); got != want {
		t.Errorf("LayoutHash = %#x, want %#x", got, want)
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	g := generator(t, Config{Rows: 15, Cols: 15, MaxOpenings: .2, Split: Train})
	rng := newRand(1)
	var m Maze
	var s Solver
	path := make([]int, 0, 225)
	sets := make([]uint8, 0, 225)
	work := func() {
		g.Next(&m, rng)
		path = s.AppendPath(path[:0], &m)
		sets = s.AppendDirections(sets[:0], &m)
	}
	for range 100 {
		work()
	}
	if n := testing.AllocsPerRun(100, work); n != 0 {
		t.Errorf("%v allocations a maze, want 0", n)
	}
}

func TestNewGeneratorErrors(t *testing.T) {
	for _, tt := range []struct {
		cfg  Config
		want string
	}{
		{Config{Rows: 4, Cols: 9}, "4 rows, 9 columns: want 5 to 255"},
		{Config{Rows: 9, Cols: 300}, "300 columns"},
		{Config{Rows: 9, Cols: 9, MaxOpenings: 2}, "openings 2"},
		{Config{Rows: 9, Cols: 9, MaxOpenings: math.NaN()}, "openings NaN"},
		{Config{Rows: 9, Cols: 9, MinPath: 40}, "least path 40"},
		{Config{Rows: 9, Cols: 9, MinPath: 9, MaxPath: 8}, "longest path 8"},
		{Config{Rows: 9, Cols: 9, Split: 3}, "split 3"},
	} {
		if _, err := NewGenerator(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want %q", tt.cfg, err, tt.want)
		}
	}
}

func TestParse(t *testing.T) {
	const text = "#####\n#S# #\n# #G#\n#   #\n#####\n"
	m, err := Parse("\n" + strings.ReplaceAll(text, "\n", "\r\n") + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := m.String(); got != text {
		t.Errorf("text = %q, want %q", got, text)
	}
	var s Solver
	got := string(m.AppendText(nil, s.AppendPath(nil, m)))
	if want := "#####\n#S# #\n#o#G#\n#ooo#\n#####\n"; got != want {
		t.Errorf("solved = %q, want %q", got, want)
	}
	again, err := Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, again); diff != "" {
		t.Errorf("solved text reads as another maze:\n%s", diff)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "empty text"},
		{"\n\n", "empty text"},
		{"SG\n\nSG", "2 mazes"},
		{"###\n#SG", "line 2"},
		{"\n\n####\n#SX#\n####", "line 4, column 3: 'X'"},
		{"####\n#Sé#\n####", "line 2, column 3: 'é'"},
		{"#####\n#SSG#\n#####", "line 2, column 3: second S, the first is at line 2, column 2"},
		{"#####\n#S  #\n#####", "line 1, column 1: no G"},
		{"#####\n#G  #\n#####", "line 1, column 1: no S"},
		{"#####\n#S#G#\n#####", "line 2, column 2: here stands S: no way from S to G"},
		{strings.Repeat("#", 300), "at most 255"},
	} {
		m, err := Parse(tt.text)
		if tt.want == "line 2" && err == nil { // an open border is allowed
			if m.Closed() {
				t.Errorf("%q counts as closed", tt.text)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %q", tt.text, err, tt.want)
		}
	}
	all, err := ReadAll(strings.NewReader("SG\n\n\n\nS G\n"))
	if err != nil || len(all) != 2 || all[1].Cols != 3 {
		t.Errorf("ReadAll = %v, %v", all, err)
	}
	if _, err := ReadAll(strings.NewReader("SG\n\n\n\nS G\n?\n")); err == nil || !strings.Contains(err.Error(), "line 6") {
		t.Errorf("ReadAll: error %v, want line 6", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("#####\n#S G#\n#####\n")
	f.Add("S#\n #\n G\n\nSG\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ReadAll(strings.NewReader(text))
		if err != nil {
			return
		}
		var s Solver
		for _, m := range all {
			if err := m.Check(); err != nil {
				t.Fatal(err)
			}
			path := s.AppendPath(nil, m)
			if !s.IsShortest(m, path) {
				t.Fatalf("no shortest way:\n%v", m)
			}
			again, err := Parse(string(m.AppendText(nil, path)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m, again); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func BenchmarkNext(b *testing.B) {
	for _, bb := range []struct {
		name string
		cfg  Config
	}{{"9x9", Recipe(9)}, {"15x15", Recipe(15)}, {"15x15-train", Config{Rows: 15, Cols: 15, MaxOpenings: .2, Split: Train}}, {"30x30-hard", Hard()}} {
		b.Run(bb.name, func(b *testing.B) {
			g := generator(b, bb.cfg)
			rng := newRand(1)
			var m Maze
			n := 0
			for b.Loop() {
				g.Next(&m, rng)
				n++
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "mazes/s")
		})
	}
}
