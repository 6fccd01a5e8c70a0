package think_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/think"
)

// wavering is a network of one number: a segment halves it. It answers by its sign, wishes to halt when it is
// small, and begins at the question's token.
type wavering struct{}

func (wavering) Spec() think.Spec {
	return think.Spec{Vocab: 10, Outputs: 2, Shape: think.Shape{Seq: 1}, Levels: []think.Level{{Name: "L", Width: 1}}}
}

func (wavering) Open(rows int, _ think.Shape) (think.Rows, error) {
	return &waverers{z: make([]float32, rows)}, nil
}

type waverers struct{ z []float32 }

func (r *waverers) Begin(row int, in think.Input) error {
	r.z[row] = float32(in.Tokens[0])
	return nil
}
func (r *waverers) Turn(int, think.Input) error { return nil }
func (r *waverers) Segment(rows []int, out *think.Output) error {
	out.Logits, out.QHalt, out.QContinue = out.Logits[:0], out.QHalt[:0], out.QContinue[:0]
	for _, row := range rows {
		r.z[row] /= 2
		z := r.z[row]
		out.Logits = append(out.Logits, z, -z)
		out.QHalt = append(out.QHalt, 1-float32(math.Abs(float64(z))))
		out.QContinue = append(out.QContinue, 0)
	}
	return nil
}
func (r *waverers) Save(row int) (think.Memory, error) { return think.Memory{{r.z[row]}}, nil }
func (r *waverers) Load(row int, m think.Memory) error { r.z[row] = m[0][0]; return nil }
func (r *waverers) Close() error                       { return nil }

// negative is rules that answer 1 alone, where the state is below 0, keeps.
func negative(_, answer []int32) (worth float64, ok bool) { return 0, answer[0] == 1 }

// TestMany asks each question once by each way, and compares with what its thoughts say that are run alone.
func TestMany(t *testing.T) {
	const thoughts, questions = 5, 7
	h := act.Config{MaxSegments: 8, Rule: act.HaltAbove}
	ask := func(m think.Many, h act.Config, slots int) (all []think.Thought) {
		t.Helper()
		th := think.Thinker{Core: wavering{}, Halting: h, Slots: slots, Shape: think.Shape{Seq: 1}, Many: m, Check: negative}
		asked := 0
		err := th.Run(context.Background(), func(in []int32) (int32, bool, error) {
			in[0] = int32(asked + 1)
			asked++
			return 0, asked <= questions, nil
		}, func(x *think.Thought) error {
			if !x.Halted {
				if m.Thoughts > 1 {
					t.Error("a thought that did not end was handed over")
				}
				return nil
			}
			y := *x
			y.Logits = slices.Clone(x.Logits)
			all = append(all, think.Thought{Job: y.Job, Segment: y.Segment, Total: y.Total, QHalt: y.QHalt, Logits: y.Logits})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(all, func(a, b think.Thought) int { return a.Job - b.Job })
		if len(all) != questions {
			t.Fatalf("%d answers, want %d", len(all), questions)
		}
		return all
	}
	once := ask(think.Many{}, h, 3)
	for _, x := range once {
		if x.Total != x.Segment {
			t.Errorf("one thought of %d segments, %d in all", x.Segment, x.Total)
		}
	}
	for _, pick := range think.Picks() {
		m := think.Many{Thoughts: thoughts, Noise: 6, Pick: pick}
		got := ask(m, h, 1)
		if diff := cmp.Diff(got, ask(m, h, 40), cmp.AllowUnexported(think.Thought{})); diff != "" {
			t.Errorf("%s: the answer depends on how many are thought about at once:\n%s", pick, diff)
		}
		for i, x := range got {
			switch pick {
			case think.PickFirst: // all moved at once until one was content
				if x.Total != thoughts*x.Segment || x.Segment > once[i].Segment {
					t.Errorf("first: question %d answered after segment %d of %d in all; a plain thought takes %d", i, x.Segment, x.Total, once[i].Segment)
				}
			case think.PickQ:
				if x.QHalt < once[i].QHalt {
					t.Errorf("q: question %d answered with q %v, a plain thought has %v", i, x.QHalt, once[i].QHalt)
				}
			}
			if x.Total < x.Segment+thoughts-1 {
				t.Errorf("%s: %d segments in all of %d thoughts, of which one took %d", pick, x.Total, thoughts, x.Segment)
			}
		}
	}

	// Of question 1, which begins near 0, noise turns many thoughts to the other sign: the vote goes with them.
	never := act.Config{MaxSegments: 3, Rule: act.Never}
	votes := ask(think.Many{Thoughts: 101, Noise: 1e3, Pick: think.PickVote}, never, 1)
	sure := ask(think.Many{Thoughts: 101, Noise: 1e-3, Pick: think.PickVote}, never, 1)
	turned := 0
	for i := range votes {
		if votes[i].Logits[0] < 0 {
			turned++
		}
		if sure[i].Logits[0] < 0 {
			t.Errorf("question %d: small noise turned the answer", i)
		}
	}
	for i, x := range ask(think.Many{Thoughts: 101, Noise: 1e3, Pick: think.PickCheck}, never, 1) {
		if x.Logits[0] > 0 {
			t.Errorf("check: question %d was not answered by one of many thoughts that keep the rules", i)
		}
	}
	if turned == 0 || turned == questions {
		t.Errorf("large noise turned %d of %d answers, want some", turned, questions)
	}
	still := ask(think.Many{Thoughts: 9, Noise: 3, Pick: think.PickResidual}, never, 1)
	if still[0].Total != 27 {
		t.Errorf("%d segments of 9 thoughts of 3", still[0].Total)
	}
}

// TestDisturbSteps: noise after every segment leaves the first segment alone and moves all later ones of every thought but the
// first, each time the same way.
func TestDisturbSteps(t *testing.T) {
	const thoughts, segments = 3, 4
	hear := func(m think.Many) (z [thoughts][segments]float32) {
		t.Helper()
		asked := false
		th := think.Thinker{
			Core: wavering{}, Halting: act.Config{MaxSegments: segments, Rule: act.Never}, Shape: think.Shape{Seq: 1}, Many: m,
			Hear: func(x *think.Thought, k int) error {
				z[k][x.Segment-1] = x.Logits[0]
				return nil
			},
		}
		err := th.Run(t.Context(), func(in []int32) (int32, bool, error) {
			first := !asked
			asked, in[0] = true, 8
			return 0, first, nil
		}, func(*think.Thought) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	steps := think.Many{Thoughts: thoughts, Noise: 0.5, Disturb: think.DisturbSteps}
	z := hear(steps)
	for k, of := range z {
		if of[0] != 4 {
			t.Errorf("thought %d: %v after one segment, want 4 as without noise", k, of[0])
		}
		for m := 1; m < segments; m++ {
			if added := of[m] - of[m-1]/2; (added == 0) != (k == 0) {
				t.Errorf("thought %d, segment %d: %v added", k, m+1, added)
			}
		}
	}
	if z[1] == z[2] || z[1][1]-z[1][0]/2 == z[1][2]-z[1][1]/2 {
		t.Errorf("the same noise twice: %v", z)
	}
	if again := hear(steps); again != z {
		t.Errorf("%v, then %v", z, again)
	}
	if start := hear(think.Many{Thoughts: thoughts, Noise: 0.5}); start[1][0] == 4 || start[1][1] != start[1][0]/2 {
		t.Errorf("noise at the start: %v", start[1])
	}
}

func TestManyChecks(t *testing.T) {
	for want, m := range map[string]think.Many{
		"-1 thoughts":   {Thoughts: -1},
		"without noise": {Thoughts: 2},
		"noise NaN":     {Thoughts: 2, Noise: math.NaN()},
		`pick "best"`:   {Thoughts: 2, Noise: 1, Pick: "best"},
		"no rules":      {Thoughts: 2, Noise: 1, Pick: think.PickCheck},
		`disturb "it"`:  {Thoughts: 2, Noise: 1, Disturb: "it"},
	} {
		th := think.Thinker{Core: wavering{}, Halting: act.Config{MaxSegments: 1}, Shape: think.Shape{Seq: 1}, Many: m}
		if err := th.Run(context.Background(), nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q in it", m, err, want)
		}
	}
}

// TestDisputed: an answer is disputed if two of the thoughts that ended with the rule content disagree, and no other.
func TestDisputed(t *testing.T) {
	const thoughts, questions = 5, 40
	h := act.Config{MaxSegments: 8, Rule: act.HaltAbove}
	for _, pick := range []think.Pick{think.PickQ, think.PickVote, think.PickResidual} {
		var said [questions][2]bool // by the thoughts with which the rule was content
		got, disputes, asked := [questions]bool{}, 0, 0
		th := think.Thinker{Core: wavering{}, Halting: h, Slots: 2 * thoughts, Shape: think.Shape{Seq: 1}, Many: think.Many{Thoughts: thoughts, Noise: 6, Pick: pick}}
		th.Hear = func(x *think.Thought, _ int) error {
			if x.Halted && h.Content(x.QHalt, x.QContinue) {
				said[x.Job][think.Argmax(nil, x.Logits, 1)[0]] = true
			}
			return nil
		}
		err := th.Run(context.Background(), func(in []int32) (int32, bool, error) {
			in[0] = int32(asked%7 + 1)
			asked++
			return 0, asked <= questions, nil
		}, func(x *think.Thought) error {
			got[x.Job] = got[x.Job] || x.Disputed
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range said {
			if want := s[0] && s[1]; got[i] != want {
				t.Errorf("%s: question %d: disputed %v, want %v", pick, i, got[i], want)
			} else if want {
				disputes++
			}
		}
		if disputes == 0 || disputes == questions {
			t.Errorf("%s: %d of %d disputed: the test shows nothing", pick, disputes, questions)
		}
	}
}
