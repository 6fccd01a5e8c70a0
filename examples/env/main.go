// Program env has a world of its own, in which all of ponder's commands work: host.Main is the line. docs/tutorials/world.md
// tells how it came about.
package main

import (
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/host"
)

const length = 7

// Numbers of an observation.
const (
	floor byte = iota
	key
	door
	agent
	vocab
)

// A corridor has a key somewhere and a door somewhere else, which opens for whoever has been at the key.
type corridor struct {
	spec          env.Spec
	draws         *rand.Rand
	at, key, door int // key is -1 once it is taken
	steps         int
	over          bool
}

func spec(id string) env.Spec {
	return env.Spec{
		ID: id, ObsLen: length, Layout: []env.Field{{Name: "cells", Shape: []int{length}}}, Vocab: int(vocab),
		Actions: []string{"left", "right"}, MaxSteps: 4 * length,
	}
}

func (c *corridor) Spec() env.Spec { return c.spec }

func (c *corridor) Seed(seed uint64) { c.draws = rand.New(rand.NewPCG(seed, 0)) }

func (c *corridor) Reset(obs []byte) {
	if c.draws == nil {
		c.Seed(0)
	}
	c.at, c.steps, c.over = c.draws.IntN(length), 0, false
	for c.key = c.at; c.key == c.at; {
		c.key = c.draws.IntN(length)
	}
	for c.door = c.at; c.door == c.at || c.door == c.key; {
		c.door = c.draws.IntN(length)
	}
	c.Observe(obs)
}

func (c *corridor) Observe(obs []byte) {
	clear(obs)
	obs[c.door] = door
	if c.key >= 0 {
		obs[c.key] = key
	}
	obs[c.at] = agent
}

func (c *corridor) Step(action int, obs []byte) (out env.Outcome) {
	if c.over || action < 0 || action > 1 {
		panic("corridor: no episode, or no such action")
	}
	c.at = min(max(c.at+2*action-1, 0), length-1)
	c.steps++
	if c.at == c.key {
		c.key = -1
	}
	out.Terminated = c.key < 0 && c.at == c.door
	if out.Terminated {
		out.Reward = 1
	}
	out.Truncated = !out.Terminated && c.steps == 4*length
	c.over = out.Done()
	c.Observe(obs)
	return out
}

// Board is what the viewer draws.
func (c *corridor) Board() grid.Board {
	b := grid.Board{Family: "corridor", Cols: length, Rows: 1, Cells: make([]grid.Cell, length), Caption: "fetch the key, then go to the door"}
	b.Cells[c.door].Kind = door
	if c.key >= 0 {
		b.Cells[c.key].Kind = key
	}
	b.Pieces = []grid.Piece{{X: c.at, Kind: grid.PieceAgent}}
	return b
}

func paint(b grid.Board, dst *image.RGBA) {
	size := dst.Bounds().Dx() / b.Cols
	square := func(x, margin int, c color.RGBA) {
		draw.Draw(dst, image.Rect(x*size+margin, margin, (x+1)*size-margin, size-margin), image.NewUniform(c), image.Point{}, draw.Src)
	}
	for x, cell := range b.Cells {
		square(x, 1, [...]color.RGBA{floor: {60, 60, 70, 255}, key: {230, 200, 60, 255}, door: {150, 90, 50, 255}}[cell.Kind])
	}
	for _, p := range b.Pieces {
		square(p.X, size/4, color.RGBA{90, 160, 240, 255})
	}
}

// An oracle goes to the key, then to the door.
type oracle struct{ *corridor }

func (o oracle) Act() (int, error) {
	to := o.key
	if to < 0 {
		to = o.door
	}
	if to > o.at {
		return 1, nil
	}
	return 0, nil
}

func init() {
	env.Register(env.Entry{
		ID: "corridor", Family: "corridor", About: "a corridor with a key and a door", Paint: paint,
		Open:    func(id string, _ *env.Options) (env.Env, error) { return &corridor{spec: spec(id), over: true}, nil },
		Oracles: []env.OracleEntry{{Name: "plan", About: "goes to the key, then to the door", Open: func(e env.Env) (env.Oracle, error) { return oracle{e.(*corridor)}, nil }}},
	})
}

func main() { host.Main() }
