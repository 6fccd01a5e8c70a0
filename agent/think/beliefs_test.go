package think_test

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/think"
)

// keeping is a network that keeps the state that it is given: it begins at zeros, and its logits are read off the state.
type keeping struct{ planes bool }

const (
	keptSeq, keptWidth, keptOutputs = 3, 2, 4
	keptPlanes                      = 2 // of the last two outputs
	beliefLift, beliefHeld          = 3, 12
)

// keptReadout has rows of different length, and none at right angles to another.
var keptReadout = []float32{1, 0, 0.5, 2, -1, 1, 3, 0.25}

func (k keeping) Spec() think.Spec {
	return think.Spec{Vocab: 5, Outputs: keptOutputs, Shape: think.Shape{Seq: keptSeq}, Levels: []think.Level{{Name: "H", Width: keptWidth, Planes: k.planes}, {Name: "L", Width: 1}}}
}

func (k keeping) Readout() []float32 {
	if k.planes {
		return keptReadout[2:4]
	}
	return keptReadout
}

func (k keeping) Open(rows int, _ think.Shape) (think.Rows, error) {
	return &kept{keeping: k, state: make([]think.Memory, rows)}, nil
}

type kept struct {
	keeping
	state []think.Memory
}

func (r *kept) Begin(row int, _ think.Input) error {
	places := keptSeq
	if r.planes {
		places *= keptPlanes
	}
	r.state[row] = think.Memory{make([]float32, places*keptWidth), {7}}
	return nil
}

func (r *kept) Segment(rows []int, out *think.Output) error {
	out.Logits, out.QHalt, out.QContinue = out.Logits[:0], out.QHalt[:0], out.QContinue[:0]
	for _, row := range rows {
		out.Logits = append(out.Logits, r.logits(r.state[row][0])...)
		out.QHalt, out.QContinue = append(out.QHalt, -1), append(out.QContinue, 0)
	}
	return nil
}

// logits are what the state z answers.
func (r *kept) logits(z []float32) (all []float32) {
	dot := func(place int, w []float32) float32 { return z[2*place]*w[0] + z[2*place+1]*w[1] }
	for at := range keptSeq {
		for v := range keptOutputs {
			switch plane := v - (keptOutputs - keptPlanes); {
			case !r.planes:
				all = append(all, dot(at, keptReadout[2*v:]))
			case plane < 0:
				all = append(all, -100)
			default:
				all = append(all, dot(plane*keptSeq+at, keptReadout[2:4]))
			}
		}
	}
	return all
}

func (r *kept) Turn(int, think.Input) error { return errors.ErrUnsupported }
func (r *kept) Save(row int) (think.Memory, error) {
	return think.Memory{slices.Clone(r.state[row][0]), slices.Clone(r.state[row][1])}, nil
}
func (r *kept) Load(row int, m think.Memory) error { r.state[row] = m; return nil }
func (r *kept) Close() error                       { return nil }

// TestBeliefs: after every segment one answer of each token that is asked has its logit lifted by the noise, the same one for as long as a
// draw is held, in all thoughts but the first; and nothing else moves.
func TestBeliefs(t *testing.T) {
	const thoughts, segments, noise = 5, 40, 0.125
	for name, core := range map[string]keeping{"a row of the readout for each answer": {}, "a plane for each": {planes: true}} {
		t.Run(name, func(t *testing.T) {
			hear := func(m think.Many) (logits [thoughts][segments][]float32) {
				t.Helper()
				questions := 1
				th := think.Thinker{
					Core: core, Halting: act.Config{MaxSegments: segments, Rule: act.Never}, Shape: think.Shape{Seq: keptSeq}, Many: m,
					Asked: func(token int32) bool { return token != 3 },
					Hear: func(x *think.Thought, k int) error {
						z, err := x.State()
						if z[1][0] != 7 {
							t.Errorf("the other level is %v", z[1])
						}
						logits[k][x.Segment-1] = slices.Clone(x.Logits)
						return err
					},
				}
				err := th.Run(t.Context(), func(in []int32) (int32, bool, error) {
					copy(in, []int32{1, 3, 2}) // the second is not asked
					questions--
					return 0, questions >= 0, nil
				}, func(*think.Thought) error { return nil })
				if err != nil {
					t.Fatal(err)
				}
				return logits
			}
			m := think.Many{Thoughts: thoughts, Noise: noise}
			got := hear(m)
			// moved is the answer whose logit rose by the noise, if any at all did, between two segments.
			moved := func(a, b []float32) int {
				if slices.Equal(a, b) {
					return -1
				}
				for v := range a {
					if math.Abs(float64(b[v]-a[v])-beliefLift*noise) < 1e-5 {
						return v
					}
				}
				t.Fatalf("%v, then %v: no logit rose by %v", a, b, beliefLift*noise)
				return -1
			}
			drawn, changed := map[int]bool{}, false
			for k, of := range got {
				was := [keptSeq]int{}
				for s := 1; s < segments; s++ {
					for at := range keptSeq {
						v := moved(of[s-1][at*keptOutputs:][:keptOutputs], of[s][at*keptOutputs:][:keptOutputs])
						if (v >= 0) != (k > 0 && at != 1) {
							t.Fatalf("thought %d, token %d, segment %d: answer %d was lifted", k, at, s, v)
						}
						if v >= 0 && s > 1 && v != was[at] {
							changed = changed || s%beliefHeld == 0
							if core.planes && s%beliefHeld != 0 { // no lift of one raises another
								t.Errorf("thought %d, token %d: a draw was held until segment %d", k, at, s)
							}
						}
						was[at] = v
						drawn[v] = true
					}
				}
			}
			want := keptOutputs
			if core.planes {
				want = keptPlanes
			}
			delete(drawn, -1)
			if len(drawn) != want || !changed {
				t.Errorf("answers drawn: %v, want all %d; others at a new draw: %v", drawn, want, changed)
			}
			if again := hear(m); !slices.EqualFunc(again[:], got[:], func(a, b [segments][]float32) bool {
				return slices.EqualFunc(a[:], b[:], func(x, y []float32) bool { return slices.Equal(x, y) })
			}) {
				t.Error("other thoughts the second time")
			}
			if slices.EqualFunc(got[1][:], got[2][:], func(x, y []float32) bool { return slices.Equal(x, y) }) {
				t.Error("two thoughts are the same")
			}
		})
	}
	th := think.Thinker{Core: wavering{}, Halting: act.Config{MaxSegments: 1}, Shape: think.Shape{Seq: 1}, Many: think.Many{Thoughts: 2, Noise: 1, Disturb: think.DisturbBeliefs}}
	if err := th.Run(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "beliefs") {
		t.Errorf("beliefs of a network whose answers are not read off: %v", err)
	}
}

// TestBeliefsFollowProbabilities: what is drawn is drawn by the network's own probabilities.
func TestBeliefsFollowProbabilities(t *testing.T) {
	const questions = 2000
	counts, asked := [keptOutputs]int{}, 0
	th := think.Thinker{
		Core: leaning{}, Halting: act.Config{MaxSegments: 2, Rule: act.Never}, Slots: 2, Shape: think.Shape{Seq: keptSeq},
		Many: think.Many{Thoughts: 2, Noise: 1},
		Hear: func(x *think.Thought, k int) error {
			if k == 1 && x.Segment == 2 {
				best, most := 0, float32(0)
				for v, l := range x.Logits[:keptOutputs] {
					if d := l - leanings[v]; cmp.Compare(d, most) > 0 {
						best, most = v, d
					}
				}
				counts[best]++
			}
			return nil
		},
	}
	err := th.Run(t.Context(), func([]int32) (int32, bool, error) {
		asked++
		return 0, asked <= questions, nil
	}, func(*think.Thought) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, l := range leanings {
		sum += math.Exp(float64(l))
	}
	for v, n := range counts {
		p := math.Exp(float64(leanings[v])) / sum
		if d := math.Abs(float64(n) - p*questions); d > 4*math.Sqrt(questions*p*(1-p)) {
			t.Errorf("answer %d of probability %.3f was drawn %d times of %d", v, p, n, questions)
		}
	}
}

// leaning is keeping with logits of its own besides: leanings for every token.
type leaning struct{ keeping }

var leanings = []float32{0, 1, -1, 0.5}

func (l leaning) Readout() []float32 { return []float32{1, 0, 0, 1, -1, 0, 0, -1} }

func (l leaning) Open(rows int, shape think.Shape) (think.Rows, error) {
	r, err := l.keeping.Open(rows, shape)
	return leaners{r.(*kept)}, err
}

type leaners struct{ *kept }

func (r leaners) Segment(rows []int, out *think.Output) error {
	if err := r.kept.Segment(rows, out); err != nil {
		return err
	}
	out.Logits = out.Logits[:0]
	for _, row := range rows {
		z := r.state[row][0]
		for at := range keptSeq {
			x, y := z[2*at], z[2*at+1]
			for v, own := range []float32{x, y, -x, -y} {
				out.Logits = append(out.Logits, own+leanings[v])
			}
		}
	}
	return nil
}
