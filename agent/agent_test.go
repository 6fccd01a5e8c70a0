package agent_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
	_ "github.com/ponder-agents/ponder/env/maze"
)

// A corridor is as long as its seed's last digit plus 1; "on" takes a step, "off" ends it without
// success, "stay" does nothing. It never truncates, against the rule, if endless.
type corridor struct {
	seed, at, steps int
	endless         bool
}

func (c *corridor) Spec() env.Spec {
	return env.Spec{
		ID: "corridor", ObsLen: 2, Vocab: 20, Actions: []string{"on", "off", "stay"}, MaxSteps: 15,
		Layout: []env.Field{{Name: "left", Shape: []int{1}}, {Name: "at", Shape: []int{1}}},
	}
}
func (c *corridor) len() int         { return c.seed%10 + 1 }
func (c *corridor) Seed(seed uint64) { c.seed = int(seed) }
func (c *corridor) Reset(obs []byte) {
	c.at, c.steps = 0, 0
	obs[0], obs[1] = byte(c.len()), 0
}

func (c *corridor) Step(action int, obs []byte) env.Outcome {
	c.steps++
	out := env.Outcome{Reward: -0.25, Truncated: !c.endless && c.steps >= 15}
	switch action {
	case 0:
		if c.at++; c.at == c.len() {
			out = env.Outcome{Reward: 1, Terminated: true}
		}
	case 1:
		out.Terminated = true
	}
	obs[0], obs[1] = byte(c.len()-c.at), byte(c.at)
	return out
}

func (c *corridor) Board() grid.Board {
	return grid.Board{Cols: c.len(), Rows: 1, Pieces: []grid.Piece{{X: c.at}}}
}

func corridors(t testing.TB, n int, mode env.Autoreset, endless bool) *env.Vec {
	t.Helper()
	envs := make([]env.Env, n)
	for i := range envs {
		envs[i] = &corridor{endless: endless}
	}
	v, err := env.NewVec(envs, env.VecConfig{Autoreset: mode})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// constant always takes the same action, after as many segments as the observation's first byte.
type constant struct {
	action   int32
	segments []int32
}

func (c *constant) Segments() []int32 { return c.segments }
func (c *constant) Act(_ context.Context, actions []int32, obs []byte, _ []bool, thought [][]trace.Segment) error {
	c.segments = c.segments[:0]
	for i := range actions {
		actions[i] = c.action
		c.segments = append(c.segments, int32(obs[2*i]))
		for j := range thought {
			if j == i {
				for k := range int(obs[2*i]) {
					thought[i] = append(thought[i], trace.Segment{QHalt: float32(k)})
				}
			}
		}
	}
	return nil
}

// TestRunCountsEveryEpisodeOnce: the first episodes to end are not the ones that count, as they would
// be the short ones, and the number of rows and the mode of the Vec make no difference.
func TestRunCountsEveryEpisodeOnce(t *testing.T) {
	var want []agent.Episode
	for k := range 25 {
		n := (100+k)%10 + 1
		want = append(want, agent.Episode{
			Index: k, Seed: uint64(100 + k), Length: n, Return: 1 - 0.25*float64(n-1), Segments: n * (n + 1) / 2,
			Success: true, Terminated: true,
		})
	}
	for _, mode := range []env.Autoreset{env.SameStep, env.NextStep, env.NoReset} {
		for _, rows := range []int{1, 3, 8, 40} {
			var got []agent.Episode
			stats, err := agent.Run(t.Context(), corridors(t, rows, mode, false), &constant{},
				agent.Config{Seed: 100, Episodes: 25, Each: func(e agent.Episode) { got = append(got, e) }})
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(got, func(a, b agent.Episode) int { return cmp.Compare(a.Index, b.Index) })
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Fatalf("%v, %d rows: %s", mode, rows, diff)
			}
			// Lengths 1 to 10 twice and 1 to 5: 125 steps; the segments a decision are (n+1)/2.
			if stats.Episodes != 25 || stats.Steps != 125 || stats.Successes != 25 || stats.Terminated != 25 || stats.Truncated != 0 ||
				math.Abs(stats.Length.Mean-5) > 1e-12 || stats.Length.Min != 1 || stats.Length.Max != 10 || math.Abs(stats.Segments.Mean-3) > 1e-12 {
				t.Errorf("%v, %d rows: %+v", mode, rows, stats)
			}
		}
	}
}

func TestRunTruncates(t *testing.T) {
	tests := []struct {
		name    string
		endless bool
		max     int
		want    int
	}{
		{"by the environment", false, 0, 15},
		{"by the limit of Run", false, 4, 4},
		{"an environment that breaks its limit", true, 0, 15},
	}
	for _, tt := range tests {
		for _, mode := range []env.Autoreset{env.SameStep, env.NextStep, env.NoReset} {
			stats, err := agent.Run(t.Context(), corridors(t, 3, mode, tt.endless), &constant{action: 2},
				agent.Config{Episodes: 7, MaxLength: tt.max})
			if err != nil {
				t.Fatal(err)
			}
			if stats.Episodes != 7 || stats.Truncated != 7 || stats.Successes != 0 ||
				stats.Length.Min != float64(tt.want) || stats.Length.Max != float64(tt.want) {
				t.Errorf("%s, %v: %+v, want length %d", tt.name, mode, stats, tt.want)
			}
		}
	}
}

func TestTerminatedWithoutRewardIsNoSuccess(t *testing.T) {
	stats, err := agent.Run(t.Context(), corridors(t, 2, env.SameStep, false), &constant{action: 1}, agent.Config{Seed: 3, Episodes: 4})
	if err != nil {
		t.Fatal(err)
	}
	if stats.Terminated != 4 || stats.Successes != 0 || stats.SuccessRate() != 0 || stats.Return.Mean != -0.25 {
		t.Errorf("%+v", stats)
	}
}

type sink struct {
	steps []*trace.Step
	fail  error
}

func (s *sink) Put(step *trace.Step) error {
	s.steps = append(s.steps, step.Clone())
	return s.fail
}

func TestTrace(t *testing.T) {
	for _, mode := range []env.Autoreset{env.SameStep, env.NoReset} {
		var s sink
		if _, err := agent.Run(t.Context(), corridors(t, 2, mode, false), &constant{}, agent.Config{Seed: 1, Episodes: 3, Sink: &s}); err != nil {
			t.Fatal(err)
		}
		var got []string
		slices.SortStableFunc(s.steps, func(a, b *trace.Step) int { return cmp.Compare(a.Episode, b.Episode) })
		for _, x := range s.steps {
			got = append(got, fmt.Sprintf("%d.%d seed %d at %d/%d action %d segments %d reward %v return %v %v",
				x.Episode, x.Index, x.Seed, x.Board.Pieces[0].X, x.Board.Cols, x.Action, len(x.Thought), x.Reward, x.Return, x.Terminated))
		}
		want := []string{
			"0.0 seed 1 at 0/2 action 0 segments 2 reward -0.25 return -0.25 false",
			"0.1 seed 1 at 1/2 action 0 segments 1 reward 1 return 0.75 true",
			"0.2 seed 1 at 2/2 action -1 segments 0 reward 0 return 0.75 true",
			"1.0 seed 2 at 0/3 action 0 segments 3 reward -0.25 return -0.25 false",
			"1.1 seed 2 at 1/3 action 0 segments 2 reward -0.25 return -0.5 false",
			"1.2 seed 2 at 2/3 action 0 segments 1 reward 1 return 0.5 true",
			"1.3 seed 2 at 3/3 action -1 segments 0 reward 0 return 0.5 true",
			"2.0 seed 3 at 0/4 action 0 segments 4 reward -0.25 return -0.25 false",
			"2.1 seed 3 at 1/4 action 0 segments 3 reward -0.25 return -0.5 false",
			"2.2 seed 3 at 2/4 action 0 segments 2 reward -0.25 return -0.75 false",
			"2.3 seed 3 at 3/4 action 0 segments 1 reward 1 return 0.25 true",
			"2.4 seed 3 at 4/4 action -1 segments 0 reward 0 return 0.25 true",
		}
		if mode == env.SameStep { // the board at the end is gone
			want = slices.DeleteFunc(want, func(s string) bool { return strings.Contains(s, "action -1") })
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%v: %s", mode, diff)
		}
	}
}

func TestRunEnds(t *testing.T) {
	full, broken := errors.New("disk full"), errors.New("broken")
	cancelled, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	calls := 0
	tests := []struct {
		name      string
		ctx       context.Context
		policy    agent.Policy
		cfg       agent.Config
		want      error
		wantSteps int
	}{
		{"steps", t.Context(), &constant{action: 2}, agent.Config{Steps: 10}, nil, 10},
		{"the sink fails", t.Context(), &constant{}, agent.Config{Episodes: 1, Sink: &sink{fail: full}}, full, 1},
		{
			"the policy fails", t.Context(),
			agent.ByRow(func(context.Context, int, []byte, bool) (int, error) { return 0, broken }),
			agent.Config{Episodes: 1},
			broken, 0,
		},
		{
			"cancelled after three steps of two rows", cancelled,
			agent.ByRow(func(context.Context, int, []byte, bool) (int, error) {
				if calls++; calls == 6 {
					cancel(stop)
				}
				return 2, nil
			}),
			agent.Config{},
			stop, 6,
		},
	}
	for _, tt := range tests {
		stats, err := agent.Run(tt.ctx, corridors(t, 2, env.SameStep, false), tt.policy, tt.cfg)
		if !errors.Is(err, tt.want) || stats.Steps != tt.wantSteps {
			t.Errorf("%s: %d steps, %v, want %d, %v", tt.name, stats.Steps, err, tt.wantSteps, tt.want)
		}
	}
	_, err := agent.Run(t.Context(), corridors(t, 1, env.SameStep, false), &constant{action: 9}, agent.Config{Episodes: 1})
	if err == nil || !strings.Contains(err.Error(), "policy *agent_test.constant: vec: action 9 of environment 0 is not in [0, 3)") {
		t.Errorf("an action out of range: %v", err)
	}
	none := []int(nil)
	_, err = agent.Run(t.Context(), corridors(t, 1, env.SameStep, false), agent.ByRow(func(_ context.Context, row int, _ []byte, _ bool) (int, error) {
		return none[row], nil
	}), agent.Config{Episodes: 1})
	if err == nil || !strings.HasPrefix(err.Error(), "policy agent.ByRow panics: runtime error: index out of range [0] with length 0 (agent_test.go:") {
		t.Errorf("a policy that panics: %v", err)
	}
	if _, err := agent.Run(t.Context(), corridors(t, 1, env.SameStep, false), &constant{}, agent.Config{Episodes: -1}); err == nil {
		t.Error("a negative number of episodes is no error")
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	v := corridors(t, 4, env.SameStep, false)
	p := &constant{segments: make([]int32, 0, 4)}
	count := func(steps int) float64 {
		return testing.AllocsPerRun(10, func() {
			if _, err := agent.Run(context.Background(), v, p, agent.Config{Steps: steps}); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := count(10), count(1000); few != many {
		t.Errorf("%v allocations for 10 steps, %v for 1000", few, many)
	}
}

func TestOracle(t *testing.T) {
	for _, name := range []string{"", "plan", "bot"} {
		v, err := env.MakeVec("maze/9x9-v0", 5, env.VecConfig{}, "limit=100")
		if err != nil {
			t.Fatal(err)
		}
		p, err := agent.Oracle(v, name)
		if err != nil {
			t.Fatal(err)
		}
		stats, err := agent.Run(t.Context(), v, p, agent.Config{Episodes: 30})
		if err != nil {
			t.Fatal(err)
		}
		if stats.Successes != 30 {
			t.Errorf("oracle %q: %v", name, &stats)
		}
	}
	v, err := env.MakeVec("maze/9x9-v0", 1, env.VecConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Oracle(v, "seer"); err == nil || !strings.Contains(err.Error(), `no oracle "seer", but plan, bot`) {
		t.Errorf("an unknown oracle: %v", err)
	}
	if _, err := agent.Oracle(corridors(t, 1, env.SameStep, false), ""); !errors.Is(err, env.ErrUnknown) {
		t.Errorf("an unknown environment: %v", err)
	}
}

func TestSummary(t *testing.T) {
	// Returns 0.75 (seed 1), 0.5, 0.25: mean 0.5, standard deviation 0.25.
	stats, err := agent.Run(t.Context(), corridors(t, 1, env.SameStep, false), &constant{}, agent.Config{Seed: 1, Episodes: 3})
	if err != nil {
		t.Fatal(err)
	}
	if r := stats.Return; r.Count != 3 || r.Mean != 0.5 || r.Min != 0.25 || r.Max != 0.75 || math.Abs(r.Std()-0.25) > 1e-15 {
		t.Errorf("%+v, deviation %v", r, r.Std())
	}
	if want := "3 episodes, success 100.0%, return 0.500 ± 0.250, length 3.0, segments 2.00 a decision"; stats.String() != want {
		t.Errorf("%s, want %s", &stats, want)
	}
	var none agent.Stats
	if none.SuccessRate() != 0 || none.Return.Std() != 0 {
		t.Error("statistics of nothing are not 0")
	}
}

func ExampleRun() {
	v, err := env.MakeVec("maze/9x9-v0", 4, env.VecConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := agent.Oracle(v, "plan")
	if err != nil {
		fmt.Println(err)
		return
	}
	stats, err := agent.Run(context.Background(), v, p, agent.Config{Seed: 1, Episodes: 100})
	fmt.Printf("%d of %d reached the goal, error %v\n", stats.Successes, stats.Episodes, err)
	// Output: 100 of 100 reached the goal, error <nil>
}
