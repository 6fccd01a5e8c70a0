package arc

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A rule makes tasks of our own: every pair of a task follows it in the same way, which is drawn
// for the task.
type rule struct {
	name, about string
	// make fills p with a pair whose grids have up to size rows and columns. way is 64 random bits,
	// the same for all pairs of a task.
	make func(p *Pair, size int, way uint64, rng *rand.Rand)
}

var rules = []rule{
	{"mirror", "mirror or turn the picture", mirror},
	{"fall", "all coloured cells fall to one side", fall},
	{"recolor", "change colours, each into another", recolor},
	{"fill", "fill what a line encloses", fill},
	{"double", "draw the picture twice as large", double},
	{"crop", "cut out the coloured rectangle", crop},
}

// Rules are the names of the rules: arc/NAME-v0 is a World that plays them.
func Rules() []string {
	names := make([]string, len(rules))
	for i, u := range rules {
		names[i] = u.name
	}
	return names
}

// Draw makes t a new task of a rule, in t's own memory if that suffices: demos demonstrations and one
// test, with inputs of at most size rows and columns, 3 to 30.
func (t *Task) Draw(name string, demos, size int, rng *rand.Rand) error {
	u := ruleOf(name)
	switch {
	case u == nil:
		return fmt.Errorf("arc: rule %q is unknown: there are %s", name, strings.Join(Rules(), ", "))
	case demos < 1 || demos > maxDemos:
		return fmt.Errorf("arc: %d demonstrations: want 1 to %d", demos, maxDemos)
	case size < 3 || size > MaxSide:
		return fmt.Errorf("arc: size %d: want 3 to %d", size, MaxSide)
	}
	u.draw(t, demos, size, rng)
	return nil
}

func ruleOf(name string) *rule {
	for i := range rules {
		if rules[i].name == name {
			return &rules[i]
		}
	}
	return nil
}

func (u *rule) draw(t *Task, demos, size int, rng *rand.Rand) {
	t.Name = u.name
	way := rng.Uint64()
	t.Train = resizePairs(t.Train, demos)
	t.Test = resizePairs(t.Test, 1)
	for i := range demos + 1 {
		p := &t.Test[0]
		if i < demos {
			p = &t.Train[i]
		}
		// A pair that shows nothing is drawn again, and so is one that was shown before unless
		// there are hardly any others, as in the smallest grids.
		for try, again := 0, true; again; try++ {
			u.make(p, size, way, rng)
			again = p.Input.Equal(&p.Output)
			for j := range i {
				again = again || try < 50 && p.Input.Equal(&t.Train[j].Input)
			}
		}
	}
}

// resizePairs gives pairs the length n and keeps the memory of the grids.
func resizePairs(pairs []Pair, n int) []Pair {
	for cap(pairs) < n {
		pairs = append(pairs[:cap(pairs)], Pair{})
	}
	return pairs[:n]
}

// scatter fills g, of 3 to size rows and columns, with colours; about half of the cells are 0.
func scatter(g *Grid, size int, rng *rand.Rand) {
	g.Resize(3+rng.IntN(size-2), 3+rng.IntN(size-2))
	for i := range g.Cells {
		if rng.Uint64()&1 == 1 {
			g.Cells[i] = uint8(1 + rng.IntN(Colors-1))
		}
	}
}

var sameColors = [Colors]uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}

func mirror(p *Pair, size int, way uint64, rng *rand.Rand) {
	scatter(&p.Input, size, rng)
	p.Output.Transform(&p.Input, 1+int(way%7), &sameColors)
}

func fall(p *Pair, size int, way uint64, rng *rand.Rand) {
	scatter(&p.Input, size, rng)
	g := &p.Output
	g.CopyFrom(&p.Input)
	for moved := true; moved; {
		moved = false
		for r := range g.Rows {
			for c := range g.Cols {
				toR, toC := r, c
				switch way % 4 {
				case 0:
					toR++
				case 1:
					toR--
				case 2:
					toC++
				case 3:
					toC--
				}
				if toR < 0 || toC < 0 || toR >= g.Rows || toC >= g.Cols {
					continue
				}
				from, to := r*g.Cols+c, toR*g.Cols+toC
				if g.Cells[from] != 0 && g.Cells[to] == 0 {
					g.Cells[from], g.Cells[to] = 0, g.Cells[from]
					moved = true
				}
			}
		}
	}
}

// recolor turns each colour into that which is way steps on, around 1 to 9; at 8 ways.
func recolor(p *Pair, size int, way uint64, rng *rand.Rand) {
	scatter(&p.Input, size, rng)
	p.Output.CopyFrom(&p.Input)
	for i, c := range p.Output.Cells {
		if c != 0 {
			p.Output.Cells[i] = uint8((int(c-1)+1+int(way%8))%(Colors-1)) + 1
		}
	}
}

// fill draws a rectangle's outline in one colour; the output has another inside. Both colours are
// the task's.
func fill(p *Pair, size int, way uint64, rng *rand.Rand) {
	g := &p.Input
	g.Resize(3+rng.IntN(size-2), 3+rng.IntN(size-2))
	line := uint8(1 + way%9)
	inside := uint8(1 + (uint64(line)+way/9%8)%9)
	r0, c0 := rng.IntN(g.Rows-2), rng.IntN(g.Cols-2)
	r1, c1 := r0+2+rng.IntN(g.Rows-2-r0), c0+2+rng.IntN(g.Cols-2-c0)
	p.Output.Resize(g.Rows, g.Cols)
	for r := r0; r <= r1; r++ {
		for c := c0; c <= c1; c++ {
			if r == r0 || r == r1 || c == c0 || c == c1 {
				g.Cells[r*g.Cols+c] = line
				p.Output.Cells[r*g.Cols+c] = line
			} else {
				p.Output.Cells[r*g.Cols+c] = inside
			}
		}
	}
}

func double(p *Pair, size int, _ uint64, rng *rand.Rand) {
	g := &p.Input
	scatter(g, min(size, MaxSide/2), rng)
	p.Output.Resize(2*g.Rows, 2*g.Cols)
	for i := range p.Output.Cells {
		r, c := i/p.Output.Cols, i%p.Output.Cols
		p.Output.Cells[i] = g.Cells[r/2*g.Cols+c/2]
	}
}

// crop puts a rectangle of colours, none of them 0, on an empty ground.
func crop(p *Pair, size int, _ uint64, rng *rand.Rand) {
	g := &p.Input
	g.Resize(3+rng.IntN(size-2), 3+rng.IntN(size-2))
	rows, cols := 1+rng.IntN(g.Rows-1), 1+rng.IntN(g.Cols-1)
	r0, c0 := rng.IntN(g.Rows-rows+1), rng.IntN(g.Cols-cols+1)
	p.Output.Resize(rows, cols)
	for i := range p.Output.Cells {
		color := uint8(1 + rng.IntN(Colors-1))
		p.Output.Cells[i] = color
		g.Cells[(r0+i/cols)*g.Cols+c0+i%cols] = color
	}
}
