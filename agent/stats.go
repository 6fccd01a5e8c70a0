package agent

import (
	"fmt"
	"math"
)

// Stats are the statistics of the episodes that ended; Steps also counts those of the others.
type Stats struct {
	Steps      int // all steps of episodes that count
	Episodes   int // that ended
	Successes  int
	Terminated int
	Truncated  int // and not terminated
	Return     Summary
	Length     Summary // steps an episode
	Segments   Summary // segments a decision, averaged over each episode
}

func (s *Stats) add(e Episode) {
	s.Episodes++
	if e.Success {
		s.Successes++
	}
	if e.Terminated {
		s.Terminated++
	} else {
		s.Truncated++
	}
	s.Return.Add(e.Return)
	s.Length.Add(float64(e.Length))
	s.Segments.Add(float64(e.Segments) / float64(e.Length))
}

// SuccessRate is the share of the episodes that succeeded, 0 if there are none.
func (s *Stats) SuccessRate() float64 {
	if s.Episodes == 0 {
		return 0
	}
	return float64(s.Successes) / float64(s.Episodes)
}

// String is one line for people.
func (s *Stats) String() string {
	return fmt.Sprintf("%d episodes, success %.1f%%, return %.3f ± %.3f, length %.1f, segments %.2f a decision",
		s.Episodes, 100*s.SuccessRate(), s.Return.Mean, s.Return.Std(), s.Length.Mean, s.Segments.Mean)
}

// A Summary describes numbers seen one after the other.
type Summary struct {
	Count          int
	Mean, Min, Max float64 // 0 if there are none
	squares        float64 // sum of squared distances from Mean
}

// Add takes in a number, by Welford's update (Technometrics 4, 1962), which does not cancel as sums of squares do.
func (s *Summary) Add(x float64) {
	if s.Count == 0 {
		s.Min, s.Max = x, x
	}
	s.Count++
	d := x - s.Mean
	s.Mean += d / float64(s.Count)
	s.squares += d * (x - s.Mean)
	s.Min, s.Max = min(s.Min, x), max(s.Max, x)
}

// Std is the standard deviation of the sample (n-1), 0 for less than two numbers.
func (s Summary) Std() float64 {
	if s.Count < 2 {
		return 0
	}
	return math.Sqrt(s.squares / float64(s.Count-1))
}
