package exam

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/internal/logit"
)

// Sureness is how well a model knows whether it is right. Its confidence in an answer is sigmoid(q_halt), with
// votes its mean over the copies that gave the answer.
type Sureness struct {
	Sure     float64 `json:"sure"`     // what an answer's confidence must be
	Coverage float64 `json:"coverage"` // share of questions that are answered so
	Risk     float64 `json:"risk"`     // share of those that are wrong

	// CalibrationError is the expected calibration error over Bins: the mean of the distance between
	// confidence and accuracy (Guo et al. 2017, arXiv:1706.04599, equation 3).
	CalibrationError float64 `json:"calibration_error"`
	Bins             []Bin   `json:"reliability"`
	Curve            []Risk  `json:"risk_coverage"`
}

// A Bin is the answers whose confidence is in one tenth.
type Bin struct {
	Confidence float64 `json:"confidence"` // mean
	Accuracy   float64 `json:"accuracy"`
	Count      int     `json:"count"`
}

// A Risk is the share of wrong ones among the answers that the model is the most sure of.
type Risk struct {
	Coverage float64 `json:"coverage"`
	Risk     float64 `json:"risk"`
	Sure     float64 `json:"sure"` // least confidence of these
}

// An answered is an answer's confidence and whether it is right.
type answered struct {
	confidence float64
	right      bool
}

// answeredOne is what one thought, or the one that was picked of several, came to.
func answeredOne(th *think.Thought, right bool) answered {
	return answered{doubted(logit.P(th.QHalt), th.Disputed), right}
}

// doubted is a confidence, or half of it where it is disputed: of two answers at most one is right, or the question has both.
func doubted(confidence float64, disputed bool) float64 {
	if disputed {
		confidence /= 2
	}
	return confidence
}

// sureness sums up answers; sure is the confidence that an answer needs.
func sureness(sure float64, all []answered) *Sureness {
	s := &Sureness{Sure: sure}
	bins := make([]Bin, 10)
	given, wrong := 0.0, 0.0
	for i := range all {
		a := &all[i]
		if !(a.confidence >= 0) {
			a.confidence = 0 // of a network whose numbers overflow
		}
		b := &bins[min(int(10*a.confidence), 9)]
		b.Count++
		b.Confidence += a.confidence
		b.Accuracy += count(a.right)
		if a.confidence >= sure {
			given++
			wrong += count(!a.right)
		}
	}
	n := float64(max(1, len(all)))
	s.Coverage, s.Risk = given/n, wrong/max(1, given)
	for _, b := range bins {
		if b.Count == 0 {
			continue
		}
		s.CalibrationError += math.Abs(b.Confidence-b.Accuracy) / n
		b.Confidence, b.Accuracy = b.Confidence/float64(b.Count), b.Accuracy/float64(b.Count)
		s.Bins = append(s.Bins, b)
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b answered) int { return cmp.Compare(b.confidence, a.confidence) })
	wrong = 0
	for i, a := range sorted {
		wrong += count(!a.right)
		if k := i + 1; k == len(sorted) || (20*k)/len(sorted) > (20*i)/len(sorted) { // every twentieth
			s.Curve = append(s.Curve, Risk{Coverage: float64(k) / n, Risk: wrong / float64(k), Sure: a.confidence})
		}
	}
	return s
}

// Print writes what it says for people.
func (s *Sureness) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "sure (%.3g)     %6.2f %% answered, of these %.2f %% wrong; calibration error %.2f %%\n", s.Sure, 100*s.Coverage, 100*s.Risk, 100*s.CalibrationError)
	return err
}
