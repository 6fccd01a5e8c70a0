package trace

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// A Summary is what is in a trace, without boards and thoughts.
type Summary struct {
	Env         string        `json:"env"`
	Agent       Agent         `json:"agent"`
	Engine      string        `json:"engine"`    // what computed the thought; empty where there was none
	Precision   string        `json:"precision"` // number format of its products; empty where the trace does not tell
	Model       string        `json:"model"`
	Rule        string        `json:"rule"`
	Threshold   float32       `json:"threshold"`
	MaxSegments int           `json:"max_segments"`
	Levels      []string      `json:"levels"`
	Actions     []string      `json:"actions"`
	Damage      string        `json:"damage"` // why steps are missing at the end; empty if none are known to be
	Steps       []StepSummary `json:"steps"`
}

// A StepSummary is one decision.
type StepSummary struct {
	Episode    int     `json:"episode"`
	Step       int     `json:"step"`     // within the episode, from 1
	Segments   int     `json:"segments"` // thought before the action
	Action     string  `json:"action"`   // empty if none was taken
	Reward     float64 `json:"reward"`
	Return     float64 `json:"return"` // sum of rewards, this one included
	Terminated bool    `json:"terminated"`
	Truncated  bool    `json:"truncated"`
	Person     bool    `json:"person"` // a person chose the action
}

// Summary sums up the trace.
func (f *File) Summary() (*Summary, error) {
	h := f.Header()
	s := &Summary{
		Env: h.EnvID, Agent: h.Agent, Engine: h.Engine, Precision: h.Precision, Model: h.Model, Rule: h.Rule, Threshold: h.Threshold,
		MaxSegments: h.MaxSegments, Levels: h.Levels, Actions: h.Actions, Steps: []StepSummary{},
	}
	if f.Damage() != nil {
		s.Damage = f.Damage().Error()
	}
	first, end := f.Range()
	for n := first; n < end; n++ {
		step, err := f.Step(n)
		if err != nil {
			return nil, fmt.Errorf("step %d: %w", n-first+1, err)
		}
		i := step.Info()
		x := StepSummary{Episode: i.Episode, Step: i.Index + 1, Segments: i.Segments, Reward: i.Reward, Return: i.Return, Terminated: i.Terminated, Truncated: i.Truncated, Person: step.Person}
		if i.Action >= 0 && i.Action < len(h.Actions) {
			x.Action = h.Actions[i.Action]
		}
		s.Steps = append(s.Steps, x)
	}
	return s, nil
}

// Print writes the summary for people.
func (s *Summary) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	who := string(s.Agent)
	if s.Model != "" {
		engine := s.Engine
		if s.Precision != "" {
			engine += " in " + s.Precision
		}
		who = fmt.Sprintf("%s, model %q on %s, %s, at most %d segments", who, s.Model, engine, s.Rule, s.MaxSegments)
	}
	fmt.Fprintf(out, "%s: %s\n", s.Env, who)
	fmt.Fprintln(w, "episode\tstep\tsegments\taction\treward\treturn\t")
	for _, x := range s.Steps {
		end := ""
		switch {
		case x.Terminated:
			end = "terminated"
		case x.Truncated:
			end = "truncated"
		}
		if x.Person {
			end = strings.TrimSpace("by a person " + end)
		}
		fmt.Fprintf(w, "%d\t%d\t%d\t%s\t%.4g\t%.4g\t%s\n", x.Episode, x.Step, x.Segments, x.Action, x.Reward, x.Return, end)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if s.Damage != "" {
		_, err := fmt.Fprintln(out, s.Damage)
		return err
	}
	return nil
}
