package gym

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/envtest"
	"github.com/ponder-agents/ponder/env/minigrid"
)

func openEnvs(t testing.TB, cfg Config, timeout time.Duration) []*Env {
	t.Helper()
	cfg.Python, cfg.Dir = python(t, "gymnasium"), "testdata"
	envs, err := Open(t.Context(), cfg, timeout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { envs[0].Close() })
	return envs
}

func TestEnv(t *testing.T) {
	envs := openEnvs(t, Config{ID: "Bytes-v0", Imports: []string{"worlds"}, N: 64}, 0)
	want := env.Spec{
		ID: "Bytes-v0", ObsLen: 1 + 4 + 256, Vocab: 256, Actions: []string{"1", "2"}, MaxSteps: 20,
		Layout: []env.Field{{Name: "at", Shape: []int{1}}, {Name: "box", Shape: []int{2, 2}}, {Name: "mission", Shape: []int{256}}},
	}
	if d := cmp.Diff(want, envs[0].Spec()); d != "" {
		t.Error(d)
	}
	next := 0
	envtest.Run(t, func() env.Env {
		if next == len(envs) {
			t.Fatal("more environments are asked for")
		}
		next++
		return envs[next-1]
	})
	for _, e := range envs {
		if e.Err() != nil {
			t.Error(e.Err())
		}
	}
}

// TestReal: real numbers are float32s in the observation.
func TestReal(t *testing.T) {
	e := openEnvs(t, Config{ID: "CartPole-v1"}, time.Minute)[0]
	want := env.Spec{
		ID: "CartPole-v1", ObsLen: 16, Vocab: 256, Actions: []string{"0", "1"}, MaxSteps: 500, Layout: []env.Field{{Name: "obs", Shape: []int{4}, Real: true}},
	}
	if d := cmp.Diff(want, e.Spec()); d != "" {
		t.Error(d)
	}
	obs := make([]byte, 16)
	e.Seed(3)
	e.Reset(obs)
	e.Step(1, obs)
	for i, x := range e.Worker().Floats(nil, 0) {
		if got := math.Float32frombits(binary.LittleEndian.Uint32(obs[4*i:])); float64(got) != x || x == 0 {
			t.Errorf("number %d is %v, want %v", i, got, x)
		}
	}
}

// TestMiniGrid: the package of PyPI through a worker, and ours, from the same seeds in one Vec each.
func TestMiniGrid(t *testing.T) {
	python(t, "minigrid")
	const id, n = "MiniGrid-DoorKey-5x5-v0", 4
	theirs := openEnvs(t, Config{ID: id, Imports: []string{"minigrid"}, N: n}, time.Minute)
	var list []env.Env
	for _, e := range theirs {
		list = append(list, e)
	}
	a, err := env.NewVec(list, env.VecConfig{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := env.MakeVec(id, n, env.VecConfig{})
	if err != nil {
		t.Fatal(err)
	}
	a.Reset(5)
	b.Reset(5)
	actions := make([]int32, n)
	for step := range 300 {
		for i := range n {
			// MiniGrid's Dict sorts its parts: direction, image, mission.
			got, want := a.ObsRow(i), b.ObsRow(i)
			if got[0] != want[147] || string(got[1:148]) != string(want[:147]) {
				t.Fatalf("step %d, environment %d: observations differ", step, i)
			}
			if m := b.Env(i).(*minigrid.Env).Mission(); theirs[i].Mission() != m {
				t.Fatalf("mission %q, want %q", theirs[i].Mission(), m)
			}
			actions[i] = int32((step*step/3 + 5*i + step*i) % 7)
		}
		if err := errors.Join(a.Step(actions), b.Step(actions)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(b.Slab, a.Slab, cmp.FilterPath(func(p cmp.Path) bool {
			return strings.HasSuffix(p.String(), "Obs") || strings.HasSuffix(p.String(), "Final")
		}, cmp.Ignore())); d != "" {
			t.Fatalf("step %d: %s", step, d)
		}
	}
}

func TestEnvErr(t *testing.T) {
	e := openEnvs(t, Config{ID: "Deaths-v0", Imports: []string{"worlds"}}, 200*time.Millisecond)[0]
	obs := make([]byte, e.Spec().ObsLen)
	e.Reset(obs)
	if out := e.Step(0, obs); out != (env.Outcome{}) || obs[0] != 1 || e.Err() != nil {
		t.Fatalf("outcome %+v, observation %v, error %v", out, obs, e.Err())
	}
	if out := e.Step(2, obs); !out.Truncated || obs[0] != 0 {
		t.Errorf("outcome %+v, observation %v", out, obs)
	}
	if !errors.Is(e.Err(), context.DeadlineExceeded) {
		t.Errorf("error %v", e.Err())
	}
	e.Reset(obs)
	if out := e.Step(0, obs); !out.Truncated {
		t.Error("an episode went on after an error")
	}
}

// BenchmarkRoundTrip is a step of one environment, and of each of 16 in one frame.
func BenchmarkRoundTrip(b *testing.B) {
	for _, bench := range []struct {
		name string
		cfg  Config
	}{
		{"Fast/n=1", Config{ID: "Fast-v0", Imports: []string{"worlds"}}},
		{"Fast/n=16", Config{ID: "Fast-v0", Imports: []string{"worlds"}, N: 16}},
		{"CartPole/n=1", Config{ID: "CartPole-v1"}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			w := open(b, bench.cfg)
			if err := w.Reset(b.Context(), 0); err != nil {
				b.Fatal(err)
			}
			actions := make([]float64, w.Len())
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Step(context.Background(), actions); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*w.Len())/b.Elapsed().Seconds(), "steps/s")
		})
	}
}
