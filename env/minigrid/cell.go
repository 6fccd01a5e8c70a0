package minigrid

import "fmt"

// A Cell is one object, or none, packed so that eight of them can be looked at in one word: bit 7
// says that it hides what is behind it, bits 3 to 6 are the kind, bits 0 to 2 the colour.
type Cell uint8

// The kinds are MiniGrid's object types. A door is three kinds, one a state.
const (
	kindUnseen = iota
	kindEmpty
	kindWall
	kindFloor
	kindDoorOpen
	kindKey
	kindBall
	kindBox
	kindGoal
	kindLava
	kindAgent // in encodings only
	kindDoorClosed
	kindDoorLocked
	kinds
)

// The object types of an encoding.
const (
	TypeUnseen uint8 = iota
	TypeEmpty
	TypeWall
	TypeFloor
	TypeDoor
	TypeKey
	TypeBall
	TypeBox
	TypeGoal
	TypeLava
	TypeAgent
)

// The colours of an encoding.
const (
	Red uint8 = iota
	Green
	Blue
	Purple
	Yellow
	Grey
)

// The states of a door.
const (
	DoorOpen uint8 = iota
	DoorClosed
	DoorLocked
)

const opaque = 0x80

// Cells that have one colour only.
const (
	Unseen = Cell(0)
	Empty  = Cell(kindEmpty << 3)
	Wall   = Cell(opaque | kindWall<<3 | 5) // grey
	Goal   = Cell(kindGoal<<3 | 1)          // green
	Lava   = Cell(kindLava << 3)            // red
)

// NewCell packs an object of an encoding. It is an error if there is no such object.
func NewCell(typ, color, state uint8) (Cell, error) {
	if typ > TypeLava || color > Grey || state > DoorLocked || state != 0 && typ != TypeDoor ||
		typ <= TypeEmpty && color != 0 {
		return 0, fmt.Errorf("no object has type %d, colour %d, state %d", typ, color, state)
	}
	switch typ {
	case TypeWall:
		return Cell(opaque | kindWall<<3 | color), nil
	case TypeDoor:
		return door(color, state), nil
	}
	return Cell(typ<<3 | color), nil
}

func door(color, state uint8) Cell {
	return [...]Cell{kindDoorOpen << 3, opaque | kindDoorClosed<<3, opaque | kindDoorLocked<<3}[state] | Cell(color)
}

func key(color uint8) Cell  { return Cell(kindKey<<3 | color) }
func ball(color uint8) Cell { return Cell(kindBall<<3 | color) }
func box(color uint8) Cell  { return Cell(kindBox<<3 | color) }

func (c Cell) kind() uint8 { return uint8(c) >> 3 & 15 }

// Color is the object's colour.
func (c Cell) Color() uint8 { return uint8(c) & 7 }

// Type is the object's type.
func (c Cell) Type() uint8 {
	if k := c.kind(); k < kindAgent {
		return k
	}
	return TypeDoor
}

// State is a door's state; 0 for everything else.
func (c Cell) State() uint8 {
	if k := c.kind(); k > kindAgent {
		return k - kindAgent
	}
	return 0
}

// Opaque reports whether the object hides what is behind it.
func (c Cell) Opaque() bool { return c&opaque != 0 }

// Sets of kinds, a bit each.
const (
	walkable = 1<<kindEmpty | 1<<kindFloor | 1<<kindGoal | 1<<kindLava | 1<<kindDoorOpen
	portable = 1<<kindKey | 1<<kindBall | 1<<kindBox
	doors    = 1<<kindDoorOpen | 1<<kindDoorClosed | 1<<kindDoorLocked
	toggles  = doors | 1<<kindBox
)

func (c Cell) in(set uint) bool { return set>>c.kind()&1 != 0 }

// valid reports whether c can stand in a grid.
func (c Cell) valid() bool {
	again, err := NewCell(c.Type(), c.Color(), c.State())
	return err == nil && again == c && c != Unseen
}

// encodings has a Cell's three bytes, type first, in the low bytes of a word.
var encodings = func() (t [256]uint32) {
	for i := range t {
		if c := Cell(i); c.valid() {
			t[i] = uint32(c.Type()) | uint32(c.Color())<<8 | uint32(c.State())<<16
		}
	}
	return t
}()

// String is as "red key", "locked blue door", "empty".
func (c Cell) String() string {
	switch c.kind() {
	case kindUnseen, kindEmpty:
		return typeNames[c.Type()]
	case kindDoorOpen, kindDoorClosed, kindDoorLocked:
		return [...]string{"open ", "closed ", "locked "}[c.State()] + ColorNames[c.Color()%6] + " door"
	}
	return ColorNames[c.Color()%6] + " " + typeNames[c.Type()]
}

// ColorNames are the names of the colours by index.
var ColorNames = [...]string{"red", "green", "blue", "purple", "yellow", "grey"}

var typeNames = [...]string{"unseen", "empty", "wall", "floor", "door", "key", "ball", "box", "goal", "lava", "agent"}

// drawn are the colours in the alphabetical order from which random ones are drawn.
var drawn = [...]uint8{Blue, Green, Grey, Purple, Red, Yellow}
