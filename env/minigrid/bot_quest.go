package minigrid

import "math/bits"

// decideQuest pursues what is left of a BabyAI instruction. Which objects the words mean is what the
// quest keeps; the bot makes use of those that it has seen.
func (b *Bot) decideQuest() (int, bool) {
	q := b.e.quest
	for _, i := range q.pending(nil, uint8(q.n-1)) {
		b.now, b.depth = &q.instrs[i], 0
		if a, ok := b.pursue(); ok {
			return a, true
		}
	}
	return 0, false
}

// pending appends the single instructions of which one must be done next for instruction i.
func (q *quest) pending(to []uint8, i uint8) []uint8 {
	in := &q.instrs[i]
	first, second, done := in.a, in.b, in.aDone
	switch in.kind {
	case instrAfter:
		first, second, done = in.b, in.a, in.bDone
	case instrAnd:
		if in.aDone != succeeded {
			to = q.pending(to, in.a)
		}
		if in.bDone != succeeded {
			to = q.pending(to, in.b)
		}
		return to
	case instrBefore:
	default:
		return append(to, i)
	}
	if done != succeeded {
		return q.pending(to, first)
	}
	return q.pending(to, second)
}

// pursue does the next thing for the instruction b.now.
func (b *Bot) pursue() (int, bool) {
	e, in := b.e, b.now
	q := e.quest
	held := q.hand >= 0 && in.set[0]>>q.hand&1 != 0
	switch {
	case in.kind == instrPickup && held:
		return b.putAside(nil) // only taking it counts
	case in.kind == instrPutNext && held:
		return b.putNext()
	case in.kind == instrPutNext:
		// The way is made free before there is something to be carried, and kept free.
		path := b.wayBeside()
		switch i := b.lockOn(path); {
		case path == nil && q.hand >= 0 && in.set[1]>>q.hand&1 != 0:
			return b.putAside(nil) // it was in the way itself
		case path == nil:
			return b.explore()
		case i > 0:
			if a, ok := b.obstacle(path[:i+1]); ok {
				return a, ok
			}
			return b.follow(path[:i+1], Forward)
		case e.carry == 0:
			if a, ok := b.obstacle(path); ok {
				return a, ok
			}
		}
		b.keepFree(path)
	}
	target := func(p int) bool { return b.seenOf(in.set[0], p) }
	if in.kind == instrOpen {
		if p := b.find(func(c Cell, p int) bool { return target(p) && c.kind() != kindDoorOpen }); p >= 0 {
			return b.openDoor(p)
		}
	}
	path := b.s.run(func(p, d int) bool { return target(p + e.ahead[d]) }, b.enter(objectCost))
	if path == nil {
		return b.explore()
	}
	if a, ok := b.obstacle(path); ok {
		return a, ok
	}
	switch in.kind {
	case instrOpen:
		return b.follow(path, Toggle) // shut one that is open, to open it
	case instrGoTo:
		return b.follow(path, Done)
	}
	return b.take(path)
}

// wayBeside is the cheapest path to look at an empty cell beside one of the objects beside which b.now
// puts another, or at what lies in such a cell; nil if none is known.
func (b *Bot) wayBeside() []int32 {
	e := b.e
	beside := func(p int) bool {
		for _, d := range e.ahead {
			if b.seenOf(b.now.set[1], p+d) {
				return true
			}
		}
		return false
	}
	path := b.s.run(func(p, d int) bool { f := p + e.ahead[d]; return b.known[f] == Empty && beside(f) }, b.enter(objectCost))
	if path == nil {
		path = b.s.run(func(p, _ int) bool { return b.known[p].in(portable) && beside(p) }, b.enter(objectCost))
	}
	return path
}

// putNext carries what is in hand beside one of the objects of b.now that are known.
func (b *Bot) putNext() (int, bool) {
	path := b.wayBeside()
	if path == nil {
		return b.explore()
	}
	if a, ok := b.obstacle(path); ok {
		return a, ok
	}
	return b.follow(path, Drop)
}

// seenOf reports whether one of the objects of a set is known to be at p.
func (b *Bot) seenOf(set uint64, p int) bool {
	q := b.e.quest
	for set &= q.on; set != 0; set &= set - 1 {
		if i := bits.TrailingZeros64(set); int(q.cur[i]) == p && b.known[p].in(portable|doors) {
			return true
		}
	}
	return false
}

// meant reports whether the object at p is one that the mission speaks of.
func (b *Bot) meant(p int) bool {
	q := b.e.quest
	if q == nil {
		return false
	}
	set := uint64(0)
	for i := range q.instrs[:q.n] {
		if q.instrs[i].kind < instrBefore {
			set |= q.instrs[i].set[0] | q.instrs[i].set[1]
		}
	}
	return b.seenOf(set, p)
}
