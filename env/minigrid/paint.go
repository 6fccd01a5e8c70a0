package minigrid

import (
	"image"
	"image/color"
	"image/draw"
	"sync"

	"github.com/ponder-agents/ponder/env/grid"
)

// colors are the RGB values of the colours by index.
var colors = [...]color.RGBA{
	{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {112, 39, 195, 255}, {255, 255, 0, 255}, {100, 100, 100, 255},
}

// dim scales a colour as MiniGrid does, truncated.
func dim(c color.RGBA, f float64) color.RGBA {
	return color.RGBA{uint8(float64(c.R) * f), uint8(float64(c.G) * f), uint8(float64(c.B) * f), 255}
}

// noAgent is the direction of a tile on which no agent stands.
const noAgent = -1

// drawTile draws a cell, the agent over it unless dir is noAgent.
func drawTile(c Cell, dir int, lit bool, size int) []uint8 {
	t := grid.NewTile(size)
	black, full := color.RGBA{A: 255}, grid.Rect(0, 1, 0, 1)
	t.Draw(grid.Rect(0, 0.031, 0, 1), colors[Grey])
	t.Draw(grid.Rect(0, 1, 0, 0.031), colors[Grey])
	col := colors[c.Color()%6]
	switch c.kind() {
	case kindWall, kindGoal:
		t.Draw(full, col)
	case kindFloor:
		t.Draw(grid.Rect(0.031, 1, 0.031, 1), dim(col, 0.5))
	case kindLava:
		t.Draw(full, color.RGBA{255, 128, 0, 255})
		for i := range 3 {
			lo := 0.3 + 0.2*float64(i)
			hi := 0.4 + 0.2*float64(i)
			t.Draw(grid.Line(0.1, lo, 0.3, hi, 0.03), black)
			t.Draw(grid.Line(0.3, hi, 0.5, lo, 0.03), black)
			t.Draw(grid.Line(0.5, lo, 0.7, hi, 0.03), black)
			t.Draw(grid.Line(0.7, hi, 0.9, lo, 0.03), black)
		}
	case kindBall:
		t.Draw(grid.Circle(0.5, 0.5, 0.31), col)
	case kindBox:
		t.Draw(grid.Rect(0.12, 0.88, 0.12, 0.88), col)
		t.Draw(grid.Rect(0.18, 0.82, 0.18, 0.82), black)
		t.Draw(grid.Rect(0.16, 0.84, 0.47, 0.53), col)
	case kindKey:
		t.Draw(grid.Rect(0.50, 0.63, 0.31, 0.88), col)
		t.Draw(grid.Rect(0.38, 0.50, 0.59, 0.66), col)
		t.Draw(grid.Rect(0.38, 0.50, 0.81, 0.88), col)
		t.Draw(grid.Circle(0.56, 0.28, 0.190), col)
		t.Draw(grid.Circle(0.56, 0.28, 0.064), black)
	case kindDoorOpen:
		t.Draw(grid.Rect(0.88, 1, 0, 1), col)
		t.Draw(grid.Rect(0.92, 0.96, 0.04, 0.96), black)
	case kindDoorClosed:
		t.Draw(full, col)
		t.Draw(grid.Rect(0.04, 0.96, 0.04, 0.96), black)
		t.Draw(grid.Rect(0.08, 0.92, 0.08, 0.92), col)
		t.Draw(grid.Rect(0.12, 0.88, 0.12, 0.88), black)
		t.Draw(grid.Circle(0.75, 0.50, 0.08), col)
	case kindDoorLocked:
		t.Draw(full, col)
		t.Draw(grid.Rect(0.06, 0.94, 0.06, 0.94), dim(col, 0.45))
		t.Draw(grid.Rect(0.52, 0.75, 0.50, 0.56), col)
	}
	if dir != noAgent {
		t.Draw(grid.Turned(grid.Triangle(0.12, 0.19, 0.87, 0.50, 0.12, 0.81), dir), colors[Red])
	}
	if lit {
		t.Highlight()
	}
	out := make([]uint8, size*size*3)
	t.Average(out)
	return out
}

// A tileSet keeps finished tiles of one size: by cell, direction of the agent + 1, and whether lit.
type tileSet struct {
	size  int
	mu    sync.RWMutex
	tiles map[tileKey][]uint8
}

type tileKey struct {
	cell Cell
	dir  int8
	lit  bool
}

var tileSets sync.Map // size to *tileSet

func tilesOf(size int) *tileSet {
	if t, ok := tileSets.Load(size); ok {
		return t.(*tileSet)
	}
	t, _ := tileSets.LoadOrStore(size, &tileSet{size: size, tiles: make(map[tileKey][]uint8)})
	return t.(*tileSet)
}

func (t *tileSet) get(c Cell, dir int, lit bool) []uint8 {
	k := tileKey{c, int8(dir), lit}
	t.mu.RLock()
	tile := t.tiles[k]
	t.mu.RUnlock()
	if tile == nil {
		tile = drawTile(c, dir, lit, t.size)
		t.mu.Lock()
		t.tiles[k] = tile
		t.mu.Unlock()
	}
	return tile
}

// put copies a tile to column x and row y of tiles of an image, [height][stride][3].
func (t *tileSet) put(image []uint8, stride, x, y int, tile []uint8) {
	for r := range t.size {
		copy(image[((y*t.size+r)*stride+x*t.size)*3:], tile[r*t.size*3:(r+1)*t.size*3])
	}
}

// lit marks the cells of the grid that the agent sees, a word a row.
func (e *Env) lit(rows []uint64) {
	clear(rows)
	var s sighting
	view := e.cfg.View
	e.look(&s, view)
	fx, fy := [...]int{1, 0, -1, 0}[e.dir], [...]int{0, 1, 0, -1}[e.dir]
	ax, ay := e.xy(e.pos)
	for i := range view {
		for j := range view {
			f, r := view-1-j, i-view/2
			if x, y := ax+fx*f-fy*r, ay+fy*f+fx*r; s.sees(i, j) && uint(x) < uint(e.w) && uint(y) < uint(e.h) {
				rows[y] |= 1 << x
			}
		}
	}
}

// maxSize is the largest width or height of a grid.
const maxSize = 63

// putFrame writes the full frame of an observation in pixels.
func (e *Env) putFrame(image []byte) {
	var rows [maxSize]uint64
	e.lit(rows[:e.h])
	for y := range e.h {
		for x := range e.w {
			p, dir := e.at(x, y), noAgent
			if p == e.pos {
				dir = e.dir
			}
			e.tiles.put(image, e.w*e.tiles.size, x, y, e.tiles.get(Cell(e.cells[p]), dir, rows[y]>>x&1 != 0))
		}
	}
}

// putView writes the agent's view in pixels.
func (e *Env) putView(image []byte) { e.paintView(image, e.tiles) }

func (e *Env) paintView(image []byte, tiles *tileSet) {
	view := e.cfg.View
	var s sighting
	e.look(&s, view)
	for i := range view {
		for j := range view {
			c, dir := Empty, noAgent
			if s.sees(i, j) {
				c = s.cells[i*view+j]
			}
			if i == view/2 && j == view-1 {
				dir = North
			}
			tiles.put(image, view*tiles.size, i, j, tiles.get(c, dir, s.sees(i, j)))
		}
	}
}

// View draws what the agent sees, as MiniGrid's render with agent_pov, in tiles of the given size.
func (e *Env) View(tile int) *image.RGBA {
	n := e.cfg.View * tile
	pix := make([]byte, n*n*3)
	e.paintView(pix, tilesOf(tile))
	img := image.NewRGBA(image.Rect(0, 0, n, n))
	grid.Blit(img, 0, 0, n, pix)
	return img
}

// Board shows the whole grid; grid.FlagSeen marks what the agent sees.
func (e *Env) Board() grid.Board {
	b := grid.Board{Family: "minigrid", Cols: e.w, Rows: e.h, Cells: make([]grid.Cell, e.w*e.h), Caption: e.Mission()}
	if c, ok := e.Carrying(); ok {
		b.Caption += " (carrying the " + c.String() + ")"
	}
	var rows [maxSize]uint64
	e.lit(rows[:e.h])
	for y := range e.h {
		for x := range e.w {
			c := e.Cell(x, y)
			cell := grid.Cell{Kind: c.Type(), Color: c.Color(), State: c.State()}
			if rows[y]>>x&1 != 0 {
				cell.Flags = grid.FlagSeen
			}
			b.Cells[y*e.w+x] = cell
		}
	}
	x, y := e.xy(e.pos)
	b.Pieces = []grid.Piece{{X: x, Y: y, Kind: grid.PieceAgent, Dir: uint8(e.dir)}}
	b.Beside = []grid.Beside{{Title: "what the agent sees", Board: e.viewBoard()}}
	return b
}

// viewBoard is what the agent sees, itself below in the middle, with what it carries under it.
func (e *Env) viewBoard() grid.Board {
	view := e.cfg.View
	b := grid.Board{Family: "minigrid", Cols: view, Rows: view, Cells: make([]grid.Cell, view*view)}
	var s sighting
	e.look(&s, view)
	for i := range view {
		for j := range view {
			cell := grid.Cell{Kind: Empty.Type(), Flags: grid.FlagHidden}
			if s.sees(i, j) {
				c := s.cells[i*view+j]
				cell = grid.Cell{Kind: c.Type(), Color: c.Color(), State: c.State(), Flags: grid.FlagSeen}
			}
			b.Cells[j*view+i] = cell
		}
	}
	b.Pieces = []grid.Piece{{X: view / 2, Y: view - 1, Kind: grid.PieceAgent, Dir: North}}
	return b
}

// Paint draws the full frame, as MiniGrid's render; the size of a tile is what fits into dst.
func (e *Env) Paint(dst *image.RGBA) { PaintBoard(e.Board(), dst) }

// PaintBoard draws a board of this family in MiniGrid's tiles, as large as fit into dst, from its
// top left corner; what is left over is black. Cells of unknown codes are drawn empty.
func PaintBoard(b grid.Board, dst *image.RGBA) {
	draw.Draw(dst, dst.Rect, image.Black, image.Point{}, draw.Src)
	if b.Cols < 1 || b.Rows < 1 || len(b.Cells) < b.Cols*b.Rows {
		return
	}
	size := min(dst.Rect.Dx()/b.Cols, dst.Rect.Dy()/b.Rows)
	if size < 1 {
		return
	}
	tiles := tilesOf(size)
	for y := range b.Rows {
		for x := range b.Cols {
			cell := b.Cells[y*b.Cols+x]
			c, err := NewCell(cell.Kind, cell.Color, cell.State)
			if err != nil {
				c = Empty
			}
			dir := noAgent
			for _, p := range b.Pieces {
				if p.X == x && p.Y == y && p.Kind == grid.PieceAgent {
					dir = int(p.Dir & 3)
				}
			}
			grid.Blit(dst, dst.Rect.Min.X+x*size, dst.Rect.Min.Y+y*size, size, tiles.get(c, dir, cell.Flags&grid.FlagSeen != 0))
		}
	}
}
