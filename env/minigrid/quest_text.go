package minigrid

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/env/grid"
)

// The words of instructions in the text form of a level. An object is three words, each of which may
// leave open what it says: "ball red left", "object any any".
const (
	strictWord  = "strict"
	anyWord     = "any"
	objectWord  = "object"
	objectWords = 3
)

var (
	instrNames = [instrKinds]string{"open", "goto", "pickup", "putnext", "before", "after", "and"}
	placeNames = [...]string{"left", "right", "front", "behind"}
)

// String is d as parseObject reads it.
func (d objDesc) String() string {
	typ, color, place := objectWord, anyWord, anyWord
	if d.typ != TypeUnseen {
		typ = typeNames[d.typ]
	}
	if d.color >= 0 {
		color = ColorNames[d.color]
	}
	if d.loc >= 0 {
		place = placeNames[d.loc]
	}
	return typ + " " + color + " " + place
}

func parseObject(words []string) (d objDesc, ok bool) {
	typ := slices.Index(typeNames[:], words[0])
	if words[0] == objectWord {
		typ = int(TypeUnseen)
	} else if typ < int(TypeDoor) || typ > int(TypeBox) {
		return d, false
	}
	color, place := slices.Index(ColorNames[:], words[1]), slices.Index(placeNames[:], words[2])
	if color < 0 && words[1] != anyWord || place < 0 && words[2] != anyWord {
		return d, false
	}
	return objDesc{uint8(typ), int8(color), int8(place)}, true
}

// objects is how many objects an instruction speaks of.
func (k instrKind) objects() int {
	switch {
	case k == instrPutNext:
		return 2
	case k < instrBefore:
		return 1
	}
	return 0
}

// String is in as doField reads it.
func (in *instr) String() string {
	words := []string{instrNames[in.kind]}
	for _, d := range in.desc[:in.kind.objects()] {
		words = append(words, d.String())
	}
	if in.kind >= instrBefore {
		words = append(words, strconv.Itoa(int(in.a)), strconv.Itoa(int(in.b)))
	}
	if in.strict {
		words = append(words, strictWord)
	}
	return strings.Join(words, " ")
}

// doField reads an instruction.
func (l *layout) doField(f *grid.TextField, words []string, at []int) error {
	if len(l.instrs) == maxInstrs {
		return f.Errorf(0, "more than %d instructions", maxInstrs)
	}
	if len(words) == 0 {
		return f.Errorf(0, "want an instruction")
	}
	k := slices.Index(instrNames[:], words[0])
	if k < 0 {
		return f.Errorf(0, "unknown instruction %q: want one of %s", words[0], strings.Join(instrNames[:], ", "))
	}
	in := instr{kind: instrKind(k), before: notHeld}
	need := 1 + objectWords*in.kind.objects()
	if in.kind >= instrBefore {
		need = 3
	} else if len(words) == need+1 && words[need] == strictWord {
		in.strict, words = true, words[:need]
	}
	if len(words) != need {
		return f.Errorf(0, "%d words after do: want %d", len(words), need)
	}
	if in.kind >= instrBefore {
		for i, of := range []*uint8{&in.a, &in.b} {
			n, err := strconv.Atoi(words[1+i])
			if err != nil || n < 0 || n >= len(l.instrs) || l.joined>>n&1 != 0 {
				return f.Errorf(at[1+i], "want the number, from 0, of an instruction above that no other has, not %q", words[1+i])
			}
			*of = uint8(n)
			l.joined |= 1 << n
		}
	}
	for i := range in.kind.objects() {
		w := 1 + objectWords*i
		d, ok := parseObject(words[w : w+objectWords])
		if !ok {
			return f.Errorf(at[w], "want key, ball, box, door or object, a colour or any, and left, right, front, behind or any, not %q",
				strings.Join(words[w:w+objectWords], " "))
		}
		in.desc[i] = d
	}
	l.instrs = append(l.instrs, in)
	return nil
}

// checkInstrs looks at what the fields are together.
func (l *layout) checkInstrs() error {
	fault := func(format string, args ...any) error {
		return &grid.TextError{Line: 1, Column: 1, Msg: fmt.Sprintf(format, args...)}
	}
	instructed, n := l.task.kind == taskInstr, len(l.instrs)
	switch {
	case instructed != (n > 0) || instructed != (l.rooms > 0):
		return fault(`"do:" lines, "rooms: SIZE" and "task: instr" go together`)
	case !instructed:
		return nil
	case l.joined != 1<<(n-1)-1:
		return fault("the last instruction is the whole: each of those above it belongs to one below")
	}
	var q quest
	copy(q.instrs[:], l.instrs)
	if m := q.say(nil, uint8(n-1)); len(m) > babyMissionLen {
		return fault("instructions of %d words: want at most %d", len(m), babyMissionLen)
	}
	return nil
}

// instruct begins the instructions on e's grid: they mean what they describe there, as the agent stands.
// An object in hand is among it, though it is in no place.
func (l *layout) instruct(e *Env) {
	q := e.quest
	q.n, q.carry = len(l.instrs), false
	copy(q.instrs[:], l.instrs)
	q.begin(e)
	if l.carry != 0 {
		q.hand = untracked
		if q.things < maxTracked {
			i := q.things
			q.hand, q.cur[i], q.kept[i] = int8(i), -1, -1
			q.things++
			for k := range q.instrs[:q.n] {
				in := &q.instrs[k]
				for j, d := range in.desc[:in.kind.objects()] {
					if d.loc < 0 && (d.typ == TypeUnseen || d.typ == l.carry.Type()) && (d.color < 0 || uint8(d.color) == l.carry.Color()) {
						in.set[j] |= 1 << i
					}
				}
			}
		}
	}
	if len(l.mission) == 0 {
		q.say(e.mission[:0], uint8(q.n-1))
	}
}
