package trace

// Version 1 of the format is version 2 but for what follows the board:
//
//	thought = seed(u64) board segment*
//	segment = flags(u8) q_halt q_continue path_h[2] path_l[2] (f32 each)
//	          [answer] [confidence] [actions] [change_h] [change_l] [attention_h] [attention_l]
//
// A flag says which arrays follow, each after its count (uvarint); their elements are as in version 2.

// levelsV1 are the levels of every network that version 1 was written for.
func levelsV1() []string { return []string{"H", "L"} }

// Flags of a segment: it halted, and which of its arrays follow.
const (
	v1Halted = 1 << iota
	v1Answer
	v1Confidence
	v1Actions
	v1ChangeH
	v1ChangeL
	v1AttentionH
	v1AttentionL
)

const minSegmentV1 = 1 + 6*4

func (d *decoder) thoughtV1(segments int) []Segment {
	if segments > len(d.b)/minSegmentV1 {
		d.fail("%d segments in %d bytes", segments, len(d.b))
	}
	if d.err != nil || segments == 0 {
		return nil
	}
	thought := make([]Segment, segments)
	before := &Segment{}
	for i := range thought {
		d.segmentV1(&thought[i], before)
		before = &thought[i]
	}
	return thought
}

func (d *decoder) segmentV1(g, before *Segment) {
	flags := d.u8()
	g.Halted = flags&v1Halted != 0
	g.QHalt, g.QContinue = d.f32(), d.f32()
	var levels [2]Level
	for i := range levels {
		levels[i].Path = [2]float32{d.f32(), d.f32()}
	}
	// array is the count of an array, 0 if the flag says that it is not there.
	array := func(flag byte, size int) int {
		if flags&flag == 0 {
			return 0
		}
		n := d.count(size)
		if n == 0 {
			d.fail("an empty array")
		}
		return n
	}
	tokens := func(flag byte, before []uint8) []uint8 {
		n := array(flag, 1)
		if n == 0 {
			return nil
		}
		in := decoder{b: d.take(n)}
		return in.tokens(before)
	}
	g.Answer = tokens(v1Answer, before.Answer)
	g.Confidence = tokens(v1Confidence, before.Confidence)
	if n := array(v1Actions, 4); n > 0 {
		g.Actions = make([]float32, n)
		for i := range g.Actions {
			g.Actions[i] = d.f32()
		}
	}
	for i, flag := range [2]byte{v1ChangeH, v1ChangeL} {
		if n := array(flag, 1); n > 0 {
			levels[i].Change = d.change(n)
		}
	}
	for i, flag := range [2]byte{v1AttentionH, v1AttentionL} {
		levels[i].Attention = tokens(flag, nil)
	}
	// Agents without a state of two levels left all of it empty.
	for _, l := range levels {
		if l.Path != [2]float32{} || l.Change != nil || l.Attention != nil {
			g.Levels = levels[:]
		}
	}
}
