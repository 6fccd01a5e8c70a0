package env_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/envtest"
	"github.com/ponder-agents/ponder/env/rng"
)

// A walk goes left and right on a line of eight cells, from a drawn cell to the last.
type walk struct {
	draws     *rng.Rand
	at, steps int
	ended     bool
	fault     string // a promise to break
	leak      [][]byte
}

func newWalk() env.Env { return &walk{draws: rng.Stream(0, "walk")} }

func (w *walk) Spec() env.Spec {
	return env.Spec{
		ID: "test/walk-v0", ObsLen: 8, Layout: []env.Field{{Name: "line", Shape: []int{8}}}, Vocab: 2,
		Actions: []string{"left", "right"}, MaxSteps: 20,
	}
}

func (w *walk) Seed(seed uint64) {
	if w.fault != "unseeded" {
		w.draws.Reseed(seed, "walk")
	}
}

func (w *walk) Reset(obs []byte) {
	w.at, w.steps, w.ended = w.draws.IntN(7), 0, false
	w.show(obs)
}

func (w *walk) show(obs []byte) {
	if w.fault != "unwritten" {
		clear(obs)
	}
	obs[w.at] = 1
	if w.fault == "vocabulary" {
		obs[w.at] = 2
	}
}

func (w *walk) Step(action int, obs []byte) env.Outcome {
	if w.ended && w.fault != "goes on" {
		panic("walk: the episode has ended")
	}
	d := [2]int{-1, 1}[action]
	w.at = min(max(w.at+d, 0), 7)
	w.steps++
	limit := 20
	if w.fault == "late" {
		limit = 21
	}
	out := env.Outcome{Reward: float64(w.at), Terminated: w.at == 7 && w.fault != "late", Truncated: w.steps >= limit}
	w.ended = out.Done()
	if w.fault == "allocates" {
		w.leak = [][]byte{make([]byte, 10)}
	}
	w.show(obs)
	return out
}

func (w *walk) Clone() env.Env {
	c := *w
	if w.fault != "shares" {
		c.draws = rng.Stream(0, "")
		_ = c.draws.SetState(w.draws.AppendState(nil))
	}
	return &c
}

func (w *walk) AppendState(dst []byte) []byte {
	ended := byte(0)
	if w.ended {
		ended = 1
	}
	dst = append(dst, byte(w.at), byte(w.steps), ended)
	if w.fault == "forgets" {
		dst[len(dst)-2] = 0
	}
	return w.draws.AppendState(dst)
}

func (w *walk) SetState(s []byte) error {
	if len(s) != 3+rng.RandStateLen || s[0] > 7 || s[2] > 1 {
		return errors.New("walk: not a snapshot")
	}
	if err := w.draws.SetState(s[3:]); err != nil {
		return err
	}
	w.at, w.steps, w.ended = int(s[0]), int(s[1]), s[2] == 1
	return nil
}
func (w *walk) Ended() bool           { return w.ended }
func (w *walk) ActionMask(dst []bool) { dst[0], dst[1] = w.at > 0, w.at < 7 }

func TestWalk(t *testing.T) { envtest.Run(t, newWalk) }

func TestWrappers(t *testing.T) {
	for name, open := range map[string]func() env.Env{
		"levels": func() env.Env { return env.Levels(newWalk(), 10, 99) },
		"limit":  func() env.Env { return env.Limit(newWalk(), 5) },
		"stack":  func() env.Env { return env.Stack(newWalk(), 3) },
		"masked": func() env.Env { m, _ := env.Masked(newWalk()); return m },
		"all": func() env.Env {
			m, _ := env.Masked(env.Limit(env.Levels(newWalk(), 0, 1000), 7))
			return env.Stack(m, 2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, ok := open().(env.Snapshotter); !ok {
				t.Error("a wrapper hides Snapshotter")
			}
			if _, ok := open().(env.Cloner); !ok {
				t.Error("a wrapper hides Cloner")
			}
			envtest.Run(t, open)
		})
	}
}

// TestCheckFinds breaks one promise at a time.
func TestCheckFinds(t *testing.T) {
	for fault, part := range map[string]string{
		"unseeded": "same seed", "unwritten": "buffers", "vocabulary": "spec", "goes on": "misuse",
		"late": "limit", "allocates": "allocations", "forgets": "snapshot", "shares": "clone",
	} {
		err := env.Check(func() env.Env {
			w := newWalk().(*walk)
			w.fault = fault
			return w
		})
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: Check found %v, want a complaint under %q", fault, err, part)
		}
	}
}

func TestLevels(t *testing.T) {
	first := map[int]bool{}
	for level := range uint64(3) {
		e := newWalk()
		e.Seed(level)
		obs := make([]byte, 8)
		e.Reset(obs)
		first[slices.Index(obs, 1)] = true
	}
	e := env.Levels(newWalk(), 0, 3)
	obs := make([]byte, 8)
	for range 50 {
		e.Reset(obs)
		if at := slices.Index(obs, 1); !first[at] {
			t.Fatalf("an episode began at %d, the levels only at %v", at, first)
		}
	}
}

func TestMake(t *testing.T) {
	env.Register(env.Entry{
		ID: "test/walk-v0", Family: "test", Aliases: []string{"walk"}, Form: "test/walk-vN",
		Options: []env.Option{{Name: "fault", About: "a promise to break"}},
		Match:   func(id string) bool { return strings.HasPrefix(id, "test/walk-v") },
		Open: func(id string, o *env.Options) (env.Env, error) {
			return &walk{draws: rng.Stream(0, "walk"), fault: o.String("fault")}, nil
		},
	})
	for _, id := range []string{"walk", "test/walk-v0", "test/walk-v7"} {
		e, err := env.Make(id, "limit=3", "stack=2", "fault=late", "levels=0:5")
		if err != nil {
			t.Fatal(err)
		}
		if s := e.Spec(); s.MaxSteps != 3 || s.ObsLen != 16 {
			t.Errorf("%s: %d steps and %d bytes, want 3 and 16", id, s.MaxSteps, s.ObsLen)
		}
		if l, ok := env.As[env.Limiter](e); !ok || l.Limit() != 3 {
			t.Error("the Limiter of a wrapper is not found through another")
		}
	}
	for _, c := range []struct{ id, option, want string }{
		{"test/wlak-v0", "limit=3", "did you mean test/walk-v0"},
		{"completely different", "limit=3", "ponder env list"},
		{"walk", "limits=3", "did you mean limit?"},
		{"walk", "limit", "want name=value"},
		{"walk", "limit=-1", "want a whole number"},
		{"walk", "levels=5", "want LO:HI"},
		{"walk", "levels=5:5", "want LO:HI"},
		{"walk", "stack=0", "from 1 to"},
	} {
		_, err := env.Make(c.id, c.option)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Make(%q, %q) = %v, want an error with %q", c.id, c.option, err, c.want)
		}
	}
	if got := env.List("TEST/*"); len(got) != 1 || got[0].ID != "test/walk-v0" {
		t.Errorf("List = %v", got)
	}
	if got := env.List("wal?"); len(got) != 1 {
		t.Errorf("List by alias = %v", got)
	}
}

// record plays a Vec and returns, row by row, what each step showed.
func record(t *testing.T, v *env.Vec, steps int) string {
	t.Helper()
	draws := rng.Stream(4, "actions")
	actions := make([]int32, v.Len())
	var b strings.Builder
	for range steps {
		for i := range actions {
			actions[i] = int32(draws.IntN(2))
		}
		if err := v.Step(actions); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, v.Slab)
	}
	return b.String()
}

func walks(n int) []env.Env {
	envs := make([]env.Env, n)
	for i := range envs {
		envs[i] = newWalk()
	}
	return envs
}

func TestVecWorkersAgree(t *testing.T) {
	var want string
	for _, workers := range []int{1, 2, 5} {
		v, err := env.NewVec(walks(13), env.VecConfig{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		v.Reset(3)
		got := record(t, v, 60)
		v.Close()
		if want == "" {
			want = got
		} else if got != want {
			t.Errorf("%d workers give other steps than one", workers)
		}
	}
}

// TestVecRows follows one row beside a single Env through the three ways of autoreset, as it is and with episodes that are
// truncated after some steps.
func TestVecRows(t *testing.T) {
	for _, tt := range []struct {
		mode   env.Autoreset
		cutoff int32
	}{{env.SameStep, 0}, {env.NextStep, 0}, {env.NoReset, 0}, {env.SameStep, 3}, {env.NextStep, 3}, {env.NoReset, 3}} {
		t.Run(fmt.Sprintf("%v, %d", tt.mode, tt.cutoff), func(t *testing.T) {
			mode, cuts := tt.mode, 0
			v, err := env.NewVec(walks(3), env.VecConfig{Autoreset: mode})
			if err != nil {
				t.Fatal(err)
			}
			if err := v.Step([]int32{1, 1, 1}); err == nil {
				t.Error("Step before Reset is no error")
			}
			v.Reset(40)
			single, obs := newWalk(), make([]byte, 8)
			single.Seed(42)
			single.Reset(obs)
			var ret float64
			var length int32
			ended := false
			for step := range 100 {
				err := v.Step([]int32{1, 1, 1})
				if v.Lengths[2] == tt.cutoff && tt.cutoff > 0 && !v.Done(2) {
					v.Truncate(2)
					cuts++
				}
				if mode == env.NoReset {
					for i := range 3 {
						if v.Done(i) && err == nil {
							if v.Step([]int32{1, 1, 1}) == nil {
								t.Fatal("Step after the end is no error")
							}
						}
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				var out env.Outcome
				fresh := false
				if ended && mode == env.NextStep {
					single.Reset(obs)
					ret, length, ended, fresh = 0, 0, false, true
				} else {
					out = single.Step(1, obs)
					ret += out.Reward
					length++
					out.Truncated = out.Truncated || length == tt.cutoff && !out.Terminated
				}
				if v.Returns[2] != ret || v.Lengths[2] != length {
					t.Fatalf("step %d: return %v over %d, want %v over %d", step, v.Returns[2], v.Lengths[2], ret, length)
				}
				if out.Done() {
					if !slices.Equal(v.FinalRow(2), obs) {
						t.Fatalf("step %d: final observation %v, want %v", step, v.FinalRow(2), obs)
					}
					ended = true
					if mode == env.SameStep {
						single.Reset(obs)
						ret, length, ended, fresh = 0, 0, false, true
					}
				}
				if v.Rewards[2] != float32(out.Reward) || v.Terminated[2] != out.Terminated || v.Truncated[2] != out.Truncated || v.Fresh[2] != fresh || !slices.Equal(v.ObsRow(2), obs) {
					t.Fatalf("step %d: row differs from a single environment", step)
				}
				if mode == env.NoReset {
					for i := range 3 {
						if v.Done(i) {
							v.RestartRow(i)
							if i == 2 {
								single.Reset(obs)
								ret, length, ended = 0, 0, false
							}
						}
					}
				}
			}
			if (cuts > 0) != (tt.cutoff > 0) {
				t.Errorf("%d episodes were truncated", cuts)
			}
		})
	}
}

func TestVecErrors(t *testing.T) {
	v, err := env.NewVec(walks(4), env.VecConfig{})
	if err != nil {
		t.Fatal(err)
	}
	v.Reset(0)
	before := fmt.Sprint(v.Slab)
	for _, bad := range [][]int32{nil, {0, 0, 0}, {0, 0, 0, 2}, {0, -1, 0, 0}} {
		if err := v.Step(bad); err == nil {
			t.Errorf("Step(%v) is no error", bad)
		}
	}
	if fmt.Sprint(v.Slab) != before {
		t.Error("a refused step changed the slab")
	}
	if _, err := env.NewVec(nil, env.VecConfig{}); err == nil {
		t.Error("a Vec of nothing is no error")
	}
	if _, err := env.NewVec([]env.Env{newWalk(), env.Stack(newWalk(), 2)}, env.VecConfig{}); err == nil {
		t.Error("a Vec of two kinds is no error")
	}
	if err := v.Use(env.Slab{Obs: make([]byte, 3)}); err == nil {
		t.Error("a short slab is no error")
	}
	own := env.NewSlab(4, 8)
	if err := v.Use(own); err != nil {
		t.Fatal(err)
	}
	if err := v.Step([]int32{1, 1, 1, 1}); err != nil || own.Lengths[3] != 1 || !slices.Contains(own.Obs, 1) {
		t.Errorf("the caller's slab was not written: %v", err)
	}
}

func TestVecAllocatesNothing(t *testing.T) {
	for _, workers := range []int{1, 3} {
		v, err := env.NewVec(walks(30), env.VecConfig{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		v.Reset(1)
		actions := slices.Repeat([]int32{1}, 30)
		step := func() {
			if err := v.Step(actions); err != nil {
				t.Fatal(err)
			}
		}
		step()
		if n := testing.AllocsPerRun(100, step); n > 0 {
			t.Errorf("%d workers: a step allocates %v times", workers, n)
		}
		v.Close()
	}
}
