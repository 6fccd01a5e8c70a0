package minigrid

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
)

// A Config sets how an id is played. The zero value is MiniGrid's own way.
type Config struct {
	View       int   // width of the agent's view, odd, 3 to 15; 0 means 7
	SeeThrough Sight // 0 means as the id says
	Obs        Obs   // 0 means Partial
	MaxSteps   int   // limit of an episode; 0 means the id's own
	Actions    int   // the first so many of the id's actions, 3 or more; 0 means all
}

// Sight says whether walls and doors hide what is behind them.
type Sight uint8

// The kinds of sight.
const (
	SightAuto Sight = iota
	SightThrough
	SightBlocked
)

// An Obs is what the image of an observation is.
type Obs uint8

const (
	Partial    Obs = iota // [view][view][3], what the agent sees
	Full                  // [width][height][3] as [x][y], all cells; the agent is (10, 0, direction) (FullyObsWrapper)
	OneHot                // [view][view][20]: type 11, colour 6, state 3 (OneHotPartialObsWrapper)
	Symbolic              // [width][height][3]: x, y, type; 255 for empty where the reference has -1 (SymbolicObsWrapper)
	RGB                   // [height*8][width*8][3], the full frame (RGBImgObsWrapper)
	RGBPartial            // [view*8][view*8][3], the view (RGBImgPartialObsWrapper)
	obsKinds
)

var obsNames = [obsKinds]string{"partial", "full", "onehot", "symbolic", "rgb", "rgb_partial"}

// obsTile is the size of a tile in an observation in pixels.
const obsTile = 8

// maxView is the widest view.
const maxView = 15

func (e *Env) makeSpec() env.Spec {
	v := e.cfg.View
	image := [...][]int{
		Partial: {v, v, 3}, Full: {e.w, e.h, 3}, OneHot: {v, v, 20}, Symbolic: {e.w, e.h, 3},
		RGB: {e.h * obsTile, e.w * obsTile, 3}, RGBPartial: {v * obsTile, v * obsTile, 3},
	}[e.cfg.Obs]
	s := env.Spec{
		ID: e.level.id, Vocab: 64, Actions: actionNames, MaxSteps: e.level.limit, Fixed: e.level.fixed,
		Layout: []env.Field{{Name: "image", Shape: image}, {Name: "direction", Shape: []int{1}}, {Name: "mission", Shape: []int{len(e.mission)}}},
	}
	if n := cmp.Or(e.cfg.Actions, e.level.actions); n > 0 {
		s.Actions = actionNames[:n:n]
	}
	if e.cfg.MaxSteps > 0 {
		s.MaxSteps = e.cfg.MaxSteps
	}
	if e.cfg.Obs >= Symbolic {
		s.Vocab = 256
	}
	if e.cfg.Obs >= RGB {
		e.tiles = tilesOf(obsTile)
	}
	for _, f := range s.Layout {
		s.ObsLen += f.Len()
	}
	return s
}

// observe writes the observation.
func (e *Env) observe(obs []byte) {
	if len(obs) != e.spec.ObsLen {
		panic(fmt.Sprintf("minigrid: observation of %d bytes, want %d", len(obs), e.spec.ObsLen))
	}
	n := len(obs) - len(e.mission) - 1
	switch image := obs[:n]; e.cfg.Obs {
	case Partial:
		if e.cfg.View == 7 {
			e.see7(obs) // with a byte to spare behind the image
		} else {
			e.see(image, e.cfg.View)
		}
	case Full:
		e.putFull(image)
	case OneHot:
		e.putOneHot(image)
	case Symbolic:
		e.putSymbolic(image)
	case RGB:
		e.putFrame(image)
	case RGBPartial:
		e.putView(image)
	}
	obs[n] = byte(e.dir)
	if len(e.mission) == MissionLen {
		copy(obs[n+1:n+1+MissionLen], e.mission[:MissionLen])
	} else {
		copy(obs[n+1:], e.mission)
	}
}

const (
	ones  = 0x0101010101010101
	sides = ones << 7
)

// see7 writes the view of 7 cells, [7][7][3], and one byte more, which is overwritten later.
//
// The seven lines of the view that run along the grid's rows are read as words, a byte a cell.
// Which of them can be seen through is gathered from bit 7 of each byte into a word of one byte a
// row of the view; there sight spreads (grid.Visible, with a table), and the bytes of the unseen
// cells are cleared before they are translated.
func (e *Env) see7(obs []byte) {
	out := (*[148]byte)(obs)
	var line [7]uint64
	carried := uint64(Empty)
	if e.carry != 0 {
		carried = uint64(e.carry)
	}
	cells, pitch := e.cells, e.pitch
	if e.dir&1 == 0 { // the lines are columns of the view: i is the line, j the byte
		if e.dir == East {
			p := e.pos - 3*pitch
			for i := range line {
				line[i] = bits.ReverseBytes64(binary.LittleEndian.Uint64(cells[p:])) >> 8
				p += pitch
			}
		} else {
			p := e.pos + 3*pitch - 6
			for i := range line {
				line[i] = binary.LittleEndian.Uint64(cells[p:])
				p -= pitch
			}
		}
		line[3] = line[3]&^(0xFF<<48) | carried<<48
		if !e.level.through {
			var hidden uint64
			for i := range line {
				hidden |= (line[i] & sides) >> (7 - i)
			}
			seen := sight(^hidden)
			for i := range line {
				line[i] &= (seen >> i & ones) * 255
			}
		}
		for i := range line {
			v := line[i]
			o := (*[22]byte)(out[i*21:])
			put4(o[0:4], encodings[byte(v)])
			put4(o[3:7], encodings[byte(v>>8)])
			put4(o[6:10], encodings[byte(v>>16)])
			put4(o[9:13], encodings[byte(v>>24)])
			put4(o[12:16], encodings[byte(v>>32)])
			put4(o[15:19], encodings[byte(v>>40)])
			put4(o[18:22], encodings[byte(v>>48)])
		}
		return
	}
	// The lines are rows of the view: j is the line, i the byte.
	if e.dir == North {
		p := e.pos - 6*pitch - 3
		for j := range line {
			line[j] = binary.LittleEndian.Uint64(cells[p:])
			p += pitch
		}
	} else {
		p := e.pos + 6*pitch - 3
		for j := range line {
			line[j] = bits.ReverseBytes64(binary.LittleEndian.Uint64(cells[p:])) >> 8
			p -= pitch
		}
	}
	line[6] = line[6]&^(0xFF<<24) | carried<<24
	if !e.level.through {
		var hidden uint64
		for j := range line {
			// The product moves bit 7 of byte i to bit 56+i.
			hidden |= ((line[j] & sides >> 7) * 0x0102040810204080 >> 56) << (8 * j)
		}
		seen := sight(^hidden)
		for j := range line {
			line[j] &= spreadBits[byte(seen>>(8*j))&127]
		}
	}
	for j, v := range line[:6] {
		o := (*[130]byte)(out[3*j:])
		put4(o[0:4], encodings[byte(v)])
		put4(o[21:25], encodings[byte(v>>8)])
		put4(o[42:46], encodings[byte(v>>16)])
		put4(o[63:67], encodings[byte(v>>24)])
		put4(o[84:88], encodings[byte(v>>32)])
		put4(o[105:109], encodings[byte(v>>40)])
		put4(o[126:130], encodings[byte(v>>48)])
	}
	// The last row goes last and must not spill into the next column.
	v := line[6]
	put3(out[18:21], encodings[byte(v)])
	put3(out[39:42], encodings[byte(v>>8)])
	put3(out[60:63], encodings[byte(v>>16)])
	put3(out[81:84], encodings[byte(v>>24)])
	put3(out[102:105], encodings[byte(v>>32)])
	put3(out[123:126], encodings[byte(v>>40)])
	put3(out[144:147], encodings[byte(v>>48)])
}

func put4(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }

func put3(b []byte, v uint32) {
	binary.LittleEndian.PutUint16(b, uint16(v))
	b[2] = byte(v >> 16)
}

// sight is grid.Visible for 7 rows of 7, a byte a row.
func sight(clear uint64) (seen uint64) {
	now := uint64(1 << 3)
	for j := 48; j >= 0; j -= 8 {
		next := uint64(spread7[(clear>>j&127)<<7|now])
		seen |= (now | next) << j
		now = next
	}
	return seen
}

// spread7 is grid.Spread for rows of 7, by clear<<7 | seen; spreadBits moves bit i to byte i.
var spread7, spreadBits = func() (t [1 << 14]uint8, s [128]uint64) {
	for i := range t {
		t[i] = uint8(grid.Spread(uint64(i>>7), uint64(i&127)) & 127)
	}
	for i := range s {
		for b := range 7 {
			s[i] |= uint64(i>>b&1) * 255 << (8 * b)
		}
	}
	return t, s
}()

// A sighting is the view of any width: its cells as encoded, and the bits of those seen.
type sighting struct {
	cells [maxView * maxView]Cell // [view][view], [i][j]; what lies under the agent is not in it
	seen  [maxView]uint64         // a word a row j, a bit a column i
}

// look fills s with what the agent sees.
func (e *Env) look(s *sighting, view int) {
	fx, fy := [...]int{1, 0, -1, 0}[e.dir], [...]int{0, 1, 0, -1}[e.dir]
	ax, ay := e.xy(e.pos)
	var clear [maxView]uint64
	for i := range view {
		for j := range view {
			f, r := view-1-j, i-view/2
			c := e.Cell(ax+fx*f-fy*r, ay+fy*f+fx*r)
			if i == view/2 && j == view-1 {
				if c = e.carry; c == 0 {
					c = Empty
				}
			}
			s.cells[i*view+j] = c
			if !c.Opaque() || i == view/2 && j == view-1 {
				clear[j] |= 1 << i
			}
		}
	}
	if e.level.through {
		for j := range view {
			s.seen[j] = 1<<view - 1
		}
		return
	}
	grid.Visible(clear[:view], s.seen[:view])
}

func (s *sighting) sees(i, j int) bool { return s.seen[j]>>i&1 != 0 }

// see writes a view of any width.
func (e *Env) see(image []byte, view int) {
	var s sighting
	e.look(&s, view)
	for i := range view {
		for j := range view {
			v := uint32(0)
			if s.sees(i, j) {
				v = encodings[s.cells[i*view+j]]
			}
			put3(image[(i*view+j)*3:], v)
		}
	}
}

func (e *Env) putFull(image []byte) {
	for x := range e.w {
		for y := range e.h {
			put3(image[(x*e.h+y)*3:], encodings[e.cells[e.at(x, y)]])
		}
	}
	x, y := e.xy(e.pos)
	put3(image[(x*e.h+y)*3:], uint32(TypeAgent)|uint32(e.dir)<<16)
}

func (e *Env) putOneHot(image []byte) {
	var s sighting
	e.look(&s, e.cfg.View)
	clear(image)
	for i := range e.cfg.View {
		for j := range e.cfg.View {
			v := uint32(0)
			if s.sees(i, j) {
				v = encodings[s.cells[i*e.cfg.View+j]]
			}
			cell := image[(i*e.cfg.View+j)*20:]
			cell[v&255], cell[11+v>>8&255], cell[17+v>>16] = 1, 1, 1
		}
	}
}

func (e *Env) putSymbolic(image []byte) {
	for x := range e.w {
		for y := range e.h {
			t := Cell(e.cells[e.at(x, y)]).Type()
			if e.at(x, y) == e.pos {
				t = TypeAgent
			} else if t == TypeEmpty {
				t = 255
			}
			i := (x*e.h + y) * 3
			image[i], image[i+1], image[i+2] = byte(x), byte(y), t
		}
	}
}
