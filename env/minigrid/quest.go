package minigrid

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// An instrKind is a kind of BabyAI instruction (Chevalier-Boisvert et al. 2019, arXiv:1810.08272).
type instrKind uint8

const (
	instrOpen    instrKind = iota // open a door
	instrGoTo                     // look at an object from beside it
	instrPickup                   // carry an object
	instrPutNext                  // drop an object beside another
	instrBefore                   // a, then b
	instrAfter                    // a after b
	instrAnd                      // a and b in any order
	instrKinds
)

// maxInstrs is two conjunctions in a sequence.
const maxInstrs = 7

// An objDesc describes objects; none of its parts need be given.
type objDesc struct {
	typ   uint8 // TypeUnseen for any
	color int8  // -1 for any
	loc   int8  // relative to the agent at the start; -1 for any
}

const (
	locLeft = iota
	locRight
	locFront
	locBehind
)

// A verdict is what a verifier says.
type verdict uint8

const (
	goesOn verdict = iota
	succeeded
	failed
	verdicts
)

// An instr is an instruction with the state of its verifier.
type instr struct {
	kind   instrKind
	strict bool       // doing the wrong thing fails
	a, b   uint8      // of before, after, and: indices of instructions
	desc   [2]objDesc // of what is acted upon, and beside what it is put
	set    [2]uint64  // the objects that they meant at the start
	before int8       // what was carried when it was last verified; notHeld for nothing
	aDone  verdict
	bDone  verdict
}

// What a hand holds, if no tracked object.
const (
	notHeld   = -1
	untracked = -2 // the content of a box
)

// maxTracked is the most objects and doors of a level.
const maxTracked = 64

// A quest is a BabyAI instruction and the objects that it speaks of, each with an identity: its index.
type quest struct {
	instrs [maxInstrs]instr
	n      int // instructions; the last is the whole
	things int
	cur    [maxTracked]int32 // where it stands or stood last; -1 since it was picked up
	kept   [maxTracked]int32 // where it stood when the positions were last renewed, at a drop; -1 if it was not on the grid
	on     uint64            // those on the grid
	hand   int8
	carry  bool // the agent begins with the first object in hand (PutNext...Carrying)
}

// begin finds the objects of the grid and what the instructions mean.
func (q *quest) begin(e *Env) {
	q.things, q.on, q.hand = 0, 0, notHeld
	for y := range e.h {
		for x := range e.w {
			p := e.at(x, y)
			if Cell(e.cells[p]).in(portable|doors) && q.things < maxTracked {
				q.cur[q.things] = int32(p)
				q.on |= 1 << q.things
				q.things++
			}
		}
	}
	q.renew()
	for i := range q.instrs[:q.n] {
		in := &q.instrs[i]
		in.before, in.aDone, in.bDone = notHeld, goesOn, goesOn
		for k := range in.desc {
			in.set[k] = 0
			if in.kind < instrBefore && (k == 0 || in.kind == instrPutNext) {
				in.set[k] = q.match(e, in.desc[k])
			}
		}
	}
}

// renew notes where every object stands.
func (q *quest) renew() {
	for i := range q.things {
		q.kept[i] = -1
		if q.on>>i&1 != 0 {
			q.kept[i] = q.cur[i]
		}
	}
}

// match returns the objects on the grid that a description means, the agent standing as it does.
func (q *quest) match(e *Env, d objDesc) (set uint64) {
	s := e.level.roomSize - 1
	ax, ay := e.xy(e.pos)
	rx, ry := ax/s*s, ay/s*s
	fx, fy := [...]int{1, 0, -1, 0}[e.dir], [...]int{0, 1, 0, -1}[e.dir]
	for i := range q.things {
		if q.on>>i&1 == 0 {
			continue
		}
		c := Cell(e.cells[q.cur[i]])
		if d.typ != TypeUnseen && c.Type() != d.typ || d.color >= 0 && c.Color() != uint8(d.color) {
			continue
		}
		if d.loc >= 0 {
			x, y := e.xy(int(q.cur[i]))
			if x < rx || y < ry || x > rx+s || y > ry+s {
				continue
			}
			ahead := (x-ax)*fx + (y-ay)*fy
			right := -(x-ax)*fy + (y-ay)*fx
			if ok := [...]bool{right < 0, right > 0, ahead > 0, ahead < 0}[d.loc]; !ok {
				continue
			}
		}
		set |= 1 << i
	}
	return set
}

// at is the object on the grid at a position; untracked if there is none.
func (q *quest) at(pos int) int8 {
	for i := range q.things {
		if int(q.cur[i]) == pos && q.on>>i&1 != 0 {
			return int8(i)
		}
	}
	return untracked
}

// follow keeps track of what a step moved. was is what the cell in front held, carried what the
// agent did.
func (q *quest) follow(e *Env, action, front int, was, carried Cell) {
	switch {
	case action == Pickup && carried == 0 && e.carry != 0:
		q.hand = q.at(front)
		if q.hand >= 0 {
			q.on &^= 1 << q.hand
			q.cur[q.hand] = -1
		}
	case action == Drop && carried != 0 && e.carry == 0:
		if q.hand >= 0 {
			q.on |= 1 << q.hand
			q.cur[q.hand] = int32(front)
		}
		q.hand = notHeld
	case action == Toggle && was.kind() == kindBox:
		if i := q.at(front); i >= 0 {
			q.on &^= 1 << i
		}
	}
	if action == Drop {
		q.renew()
	}
}

// verify says how instruction i stands after an action.
func (q *quest) verify(e *Env, i uint8, action int) verdict {
	in := &q.instrs[i]
	front := e.pos + e.ahead[e.dir]
	switch in.kind {
	case instrBefore:
		return q.verifySeq(e, in.a, in.b, &in.aDone, action)
	case instrAfter:
		return q.verifySeq(e, in.b, in.a, &in.bDone, action)
	case instrAnd:
		if in.aDone != succeeded {
			in.aDone = q.verify(e, in.a, action)
		}
		if in.bDone != succeeded {
			in.bDone = q.verify(e, in.b, action)
		}
		if in.aDone == succeeded && in.bDone == succeeded {
			return succeeded
		}
		return goesOn
	case instrOpen:
		if action != Toggle {
			return goesOn
		}
		if d := q.at(front); d >= 0 && in.set[0]>>d&1 != 0 && e.isOpen(int32(front)) {
			return succeeded
		}
		if in.strict && Cell(e.cells[front]).in(doors) {
			return failed
		}
		return goesOn
	case instrGoTo:
		for set := in.set[0]; set != 0; set &= set - 1 {
			if int(q.kept[bits.TrailingZeros64(set)]) == front {
				return succeeded
			}
		}
		return goesOn
	}
	before := in.before
	in.before = q.hand
	if in.kind == instrPickup {
		if action != Pickup {
			return goesOn
		}
		if before == notHeld && q.hand >= 0 && in.set[0]>>q.hand&1 != 0 {
			return succeeded
		}
		if in.strict && q.hand != notHeld {
			return failed
		}
		return goesOn
	}
	if action != Drop || before < 0 || in.set[0]>>before&1 == 0 {
		return goesOn
	}
	for set := in.set[1]; set != 0; set &= set - 1 {
		p := q.kept[bits.TrailingZeros64(set)]
		if p >= 0 && q.cur[before] >= 0 && e.beside(int(q.cur[before]), int(p)) {
			return succeeded
		}
	}
	return goesOn
}

// verifySeq verifies one instruction and, once it is done, the next, which may be done by the same
// action.
func (q *quest) verifySeq(e *Env, first, second uint8, done *verdict, action int) verdict {
	if *done != succeeded {
		*done = q.verify(e, first, action)
		if *done != succeeded {
			return *done
		}
	}
	return q.verify(e, second, action)
}

// feasible is false if instruction i cannot be done by an agent that gets to the positions reached and no others.
func (q *quest) feasible(e *Env, i uint8, reached []bool) bool {
	in := &q.instrs[i]
	switch in.kind {
	case instrBefore:
		return (in.aDone == succeeded || q.feasible(e, in.a, reached) && !q.spoils(in.a, in.b)) && q.feasible(e, in.b, reached)
	case instrAfter:
		return (in.bDone == succeeded || q.feasible(e, in.b, reached) && !q.spoils(in.b, in.a)) && q.feasible(e, in.a, reached)
	case instrAnd:
		return (in.aDone == succeeded || q.feasible(e, in.a, reached)) && (in.bDone == succeeded || q.feasible(e, in.b, reached))
	}
	some := func(set uint64, beside bool) bool {
		for ; set != 0; set &= set - 1 {
			i := bits.TrailingZeros64(set)
			p := int(q.cur[i])
			if int(q.hand) == i || p >= 0 && reached[p] {
				return true
			}
			for _, d := range e.ahead {
				if beside && p >= 0 && reached[p+d] {
					return true
				}
			}
		}
		return false
	}
	return some(in.set[0], in.kind == instrGoTo) && (in.kind != instrPutNext || some(in.set[1], true))
}

// spoils reports whether opening the door of instruction a, the first of two, fails the second: the action that does the
// first is verified for the second as well, and a strict one allows no other door.
func (q *quest) spoils(a, b uint8) bool {
	first, second := &q.instrs[a], &q.instrs[b]
	return first.kind == instrOpen && second.kind == instrOpen && second.strict && first.set[0]&second.set[0] == 0
}

// navigations is how many ways through the maze the time limit allows for instruction i.
func (q *quest) navigations(i uint8) int {
	switch in := q.instrs[i]; in.kind {
	case instrPutNext:
		return 2
	case instrBefore, instrAfter, instrAnd:
		return q.navigations(in.a) + q.navigations(in.b)
	}
	return 1
}

// say appends the words of instruction i to a mission.
func (q *quest) say(m []byte, i uint8) []byte {
	in := &q.instrs[i]
	object := func(k int) {
		d := in.desc[k]
		article := tokens["the"]
		// A grey object of any type may be a wall, too, of which there are many.
		if bits.OnesCount64(in.set[k]) > 1 || d.typ == TypeUnseen && d.color == int8(Grey) {
			article = tokens["a"]
		}
		m = append(m, article)
		if d.color >= 0 {
			m = append(m, colorToken[d.color])
		}
		if d.typ == TypeUnseen {
			m = append(m, tokens["object"])
		} else {
			m = append(m, typeToken[d.typ])
		}
		if d.loc >= 0 {
			m = append(m, locPhrases[d.loc]...)
		}
	}
	switch in.kind {
	case instrOpen:
		m = append(m, phraseOpen...)
	case instrGoTo:
		m = append(m, phraseGoTo...)
	case instrPickup:
		m = append(m, phrasePickup...)
	case instrPutNext:
		m = append(m, phrasePut...)
		object(0)
		m = append(m, phraseNext...)
		object(1)
		return m
	default:
		m = q.say(m, in.a)
		m = append(m, [...][]byte{instrBefore: phraseThen, instrAfter: phraseAfter, instrAnd: phraseAnd}[in.kind]...)
		return q.say(m, in.b)
	}
	object(0)
	return m
}

var (
	phraseOpen, phraseGoTo, phrasePickup = phrase("open"), phrase("go to"), phrase("pick up")
	phrasePut, phraseNext                = phrase("put"), phrase("next to")
	phraseThen, phraseAfter, phraseAnd   = phrase(", then"), phrase("after you"), phrase("and")
	locPhrases                           = [...][]byte{phrase("on your left"), phrase("on your right"), phrase("in front of you"), phrase("behind you")}
)

// The bytes of a quest in a snapshot.
const (
	instrLen = 2 + 2 + 2*3 + 2*8 + 3
	questLen = 4 + maxInstrs*instrLen + 8 + 8*maxTracked
)

func (q *quest) appendState(dst []byte) []byte {
	le := binary.LittleEndian
	dst = append(dst, byte(q.n), byte(q.things), byte(q.hand), flag(q.carry))
	for i := range q.instrs {
		in := &q.instrs[i]
		dst = append(dst, byte(in.kind), flag(in.strict), in.a, in.b)
		for _, d := range in.desc {
			dst = append(dst, d.typ, byte(d.color), byte(d.loc))
		}
		dst = le.AppendUint64(le.AppendUint64(dst, in.set[0]), in.set[1])
		dst = append(dst, byte(in.before), byte(in.aDone), byte(in.bDone))
	}
	dst = le.AppendUint64(dst, q.on)
	for i := range q.cur {
		dst = le.AppendUint32(le.AppendUint32(dst, uint32(q.cur[i])), uint32(q.kept[i]))
	}
	return dst
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// parseQuest reads what appendState appended; inGrid says which positions there are.
func parseQuest(s []byte, inGrid func(int) bool) (q quest, err error) {
	le := binary.LittleEndian
	bad := fmt.Errorf("broken instruction")
	if len(s) != questLen {
		return q, bad
	}
	q.n, q.things, q.hand, q.carry = int(s[0]), int(s[1]), int8(s[2]), s[3] == 1
	if q.n < 1 || q.n > maxInstrs || q.things > maxTracked || q.hand < untracked || int(q.hand) >= q.things || s[3] > 1 {
		return q, bad
	}
	known := ^uint64(0) >> (64 - q.things)
	if q.things == 0 {
		known = 0
	}
	s = s[4:]
	for i := range q.instrs {
		b := s[i*instrLen:]
		in := &q.instrs[i]
		*in = instr{
			kind: instrKind(b[0]), strict: b[1] == 1, a: b[2], b: b[3], set: [2]uint64{le.Uint64(b[10:]), le.Uint64(b[18:])},
			before: int8(b[26]), aDone: verdict(b[27]), bDone: verdict(b[28]),
		}
		for k := range in.desc {
			d := objDesc{b[4+3*k], int8(b[5+3*k]), int8(b[6+3*k])}
			if d.typ > TypeBox || d.color < -1 || d.color > int8(Grey) || d.loc < -1 || d.loc > locBehind {
				return q, bad
			}
			in.desc[k] = d
		}
		// A compound speaks of instructions before it, so that following it ends.
		compound := in.kind >= instrBefore
		if in.kind >= instrKinds || b[1] > 1 || in.aDone >= verdicts || in.bDone >= verdicts || in.before < untracked || int(in.before) >= q.things ||
			compound && i < q.n && (int(in.a) >= i || int(in.b) >= i) || in.set[0]&^known != 0 || in.set[1]&^known != 0 {
			return q, bad
		}
	}
	s = s[maxInstrs*instrLen:]
	q.on = le.Uint64(s)
	if q.on&^known != 0 {
		return q, bad
	}
	for i := range q.cur {
		q.cur[i], q.kept[i] = int32(le.Uint32(s[8+8*i:])), int32(le.Uint32(s[12+8*i:]))
		if i < q.things && (q.cur[i] != -1 && !inGrid(int(q.cur[i])) || q.kept[i] != -1 && !inGrid(int(q.kept[i])) || q.on>>i&1 != 0 && q.cur[i] < 0) {
			return q, bad
		}
	}
	return q, nil
}
