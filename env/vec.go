package env

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// Autoreset says when a Vec begins the next episode of a row that ended (Gymnasium's
// AutoresetMode).
type Autoreset uint8

const (
	// SameStep resets within the step that ended the episode: Obs is the new episode's first,
	// Final keeps the ended one's last.
	SameStep Autoreset = iota
	// NextStep resets at the next step, which ignores the row's action and returns reward 0.
	NextStep
	// NoReset leaves it to the caller: ResetRow before the next Step.
	NoReset
)

// String is "same-step", "next-step" or "none".
func (a Autoreset) String() string {
	if int(a) < len(autoresets) {
		return autoresets[a]
	}
	return fmt.Sprintf("Autoreset(%d)", uint8(a))
}

var autoresets = [...]string{"same-step", "next-step", "none"}

// A VecConfig says how a Vec runs.
type VecConfig struct {
	Autoreset Autoreset // 0 means SameStep
	Workers   int       // goroutines that step; 0 means one below 256 envs, else one a processor
}

// A Slab is what a step of a Vec writes, one row an Env. Where a Vec is given someone else's
// memory (Vec.Use), it writes there and nowhere else.
type Slab struct {
	Obs        []byte    // [n][ObsLen]
	Final      []byte    // [n][ObsLen], the last observation in the rows whose episode ended now
	Rewards    []float32 // [n]
	Terminated []bool    // [n]
	Truncated  []bool    // [n]
	Fresh      []bool    // [n], Obs is the first observation of an episode
	Returns    []float64 // [n], sum of rewards of the row's episode, the ended one where it ended now
	Lengths    []int32   // [n], its steps
}

// NewSlab allocates a Slab for n rows.
func NewSlab(n, obsLen int) Slab {
	return Slab{
		Obs: make([]byte, n*obsLen), Final: make([]byte, n*obsLen), Rewards: make([]float32, n),
		Terminated: make([]bool, n), Truncated: make([]bool, n), Fresh: make([]bool, n),
		Returns: make([]float64, n), Lengths: make([]int32, n),
	}
}

// Done reports whether the episode of row i ended in the last step.
func (s *Slab) Done(i int) bool { return s.Terminated[i] || s.Truncated[i] }

// A Vec steps n environments of one kind over one slab. It allocates nothing after the first step
// and is used by one goroutine at a time.
type Vec struct {
	Slab
	envs    []Env
	spec    Spec
	cfg     VecConfig
	state   []rowState
	actions []int32 // of the step in progress
	work    []chan struct{}
	made    bool // envs are its own, see Close
	failing []failing
	wait    sync.WaitGroup
	running sync.WaitGroup
}

// failing is an Env that may fail, as one whose process ends; it says so afterwards.
type failing interface{ Err() error }

type rowState uint8

const (
	rowNew   rowState = iota // never reset
	rowLive                  // in an episode
	rowEnded                 // its episode ended in the last step
)

// NewVec steps the given environments, which must agree in ObsLen, actions and vocabulary.
func NewVec(envs []Env, cfg VecConfig) (*Vec, error) {
	if len(envs) == 0 {
		return nil, errors.New("vec: no environments")
	}
	if int(cfg.Autoreset) >= len(autoresets) {
		return nil, fmt.Errorf("vec: unknown autoreset %d", cfg.Autoreset)
	}
	spec := envs[0].Spec()
	for i, e := range envs[1:] {
		if s := e.Spec(); s.ObsLen != spec.ObsLen || s.Vocab != spec.Vocab || !slices.Equal(s.Actions, spec.Actions) {
			return nil, fmt.Errorf("vec: environment %d (%s) and 0 (%s) differ in observations or actions", i+1, s.ID, spec.ID)
		}
	}
	n := len(envs)
	if cfg.Workers == 0 && n >= 256 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	cfg.Workers = min(max(cfg.Workers, 1), n)
	v := &Vec{Slab: NewSlab(n, spec.ObsLen), envs: envs, spec: spec, cfg: cfg, state: make([]rowState, n)}
	for _, e := range envs {
		if f, ok := As[failing](e); ok {
			v.failing = append(v.failing, f)
		}
	}
	return v, nil
}

// MakeVec opens n environments of one id.
func MakeVec(id string, n int, cfg VecConfig, options ...string) (*Vec, error) {
	if n < 1 {
		return nil, fmt.Errorf("vec: %d environments: want at least 1", n)
	}
	envs, err := makeMany(id, n, options)
	if err != nil {
		return nil, err
	}
	v, err := NewVec(envs, cfg)
	if err == nil {
		v.made = true
	}
	return v, err
}

// Len is the number of environments.
func (v *Vec) Len() int { return len(v.envs) }

// Spec is that of environment 0.
func (v *Vec) Spec() Spec { return v.spec }

// Config is the configuration in force.
func (v *Vec) Config() VecConfig { return v.cfg }

// Env returns environment i. Stepping it directly puts it out of step with the Vec.
func (v *Vec) Env(i int) Env { return v.envs[i] }

// ObsRow is the observation of row i, a view into Obs.
func (v *Vec) ObsRow(i int) []byte {
	return v.Obs[i*v.spec.ObsLen : (i+1)*v.spec.ObsLen : (i+1)*v.spec.ObsLen]
}

// FinalRow is the last observation of row i's ended episode, a view into Final.
func (v *Vec) FinalRow(i int) []byte {
	return v.Final[i*v.spec.ObsLen : (i+1)*v.spec.ObsLen : (i+1)*v.spec.ObsLen]
}

// Use makes the Vec write into s from now on. What the old slab holds is copied over. An empty
// slice in s keeps the present one; one of the wrong length is an error.
func (v *Vec) Use(s Slab) error {
	n := len(v.envs)
	return errors.Join(
		use("Obs", &v.Obs, s.Obs, n*v.spec.ObsLen), use("Final", &v.Final, s.Final, n*v.spec.ObsLen),
		use("Rewards", &v.Rewards, s.Rewards, n), use("Terminated", &v.Terminated, s.Terminated, n),
		use("Truncated", &v.Truncated, s.Truncated, n), use("Fresh", &v.Fresh, s.Fresh, n),
		use("Returns", &v.Returns, s.Returns, n), use("Lengths", &v.Lengths, s.Lengths, n))
}

func use[T any](name string, dst *[]T, src []T, n int) error {
	if len(src) == 0 {
		return nil
	}
	if len(src) != n {
		return fmt.Errorf("vec: slab %s has %d elements, want %d", name, len(src), n)
	}
	copy(src, *dst)
	*dst = src
	return nil
}

// Reset seeds environment i with seed+i and begins an episode in every row.
func (v *Vec) Reset(seed uint64) {
	for i := range v.envs {
		v.ResetRow(i, seed+uint64(i))
	}
}

// Restart begins an episode in every row and continues the random streams.
func (v *Vec) Restart() {
	for i := range v.envs {
		v.RestartRow(i)
	}
}

// ResetRow seeds environment i and begins an episode.
func (v *Vec) ResetRow(i int, seed uint64) {
	v.envs[i].Seed(seed)
	v.RestartRow(i)
}

// RestartRow begins an episode in row i and continues its random stream.
func (v *Vec) RestartRow(i int) {
	v.envs[i].Reset(v.ObsRow(i))
	v.Rewards[i], v.Terminated[i], v.Truncated[i], v.Fresh[i] = 0, false, false, true
	v.Returns[i], v.Lengths[i] = 0, 0
	v.state[i] = rowLive
}

// Truncate ends the episode of row i, which must be under way, as a limit does with the step that was last made.
func (v *Vec) Truncate(i int) {
	if v.state[i] != rowLive || v.Fresh[i] {
		panic(fmt.Sprintf("vec: row %d has no episode under way", i))
	}
	v.Truncated[i] = true
	v.finish(i)
}

// finish ends the episode of row i, whose last observation it shows.
func (v *Vec) finish(i int) {
	copy(v.FinalRow(i), v.ObsRow(i))
	if v.cfg.Autoreset == SameStep {
		v.envs[i].Reset(v.ObsRow(i))
		v.Fresh[i] = true
	} else {
		v.state[i] = rowEnded
	}
}

// Step acts in every row. It checks first: an action out of range or a row without an episode is
// an error, and then nothing has changed. An environment that failed is an error, too. In next-step mode the actions of the rows that begin an
// episode are ignored, whatever they are.
func (v *Vec) Step(actions []int32) error {
	if len(actions) != len(v.envs) {
		return fmt.Errorf("vec: %d actions for %d environments", len(actions), len(v.envs))
	}
	n := uint32(len(v.spec.Actions))
	for i, a := range actions {
		switch v.state[i] {
		case rowNew:
			return fmt.Errorf("vec: environment %d was never reset", i)
		case rowEnded:
			if v.cfg.Autoreset == NextStep {
				continue
			}
			return fmt.Errorf("vec: the episode of environment %d has ended; reset it first", i)
		}
		if uint32(a) >= n {
			return fmt.Errorf("vec: action %d of environment %d is not in [0, %d)", a, i, n)
		}
	}
	v.actions = actions
	if v.cfg.Workers == 1 {
		v.rows(0, len(v.envs))
		return v.failed()
	}
	if v.work == nil {
		v.start()
	}
	v.wait.Add(len(v.work))
	for _, c := range v.work {
		c <- struct{}{}
	}
	v.rows(v.share(len(v.work)))
	v.wait.Wait()
	return v.failed()
}

// failed is the first error of an environment.
func (v *Vec) failed() error {
	for _, f := range v.failing {
		if err := f.Err(); err != nil {
			return fmt.Errorf("vec: %w", err)
		}
	}
	return nil
}

// share is the range of rows of worker w; the caller of Step is the last worker.
func (v *Vec) share(w int) (lo, hi int) {
	n := len(v.envs)
	return w * n / v.cfg.Workers, (w + 1) * n / v.cfg.Workers
}

func (v *Vec) start() {
	v.work = make([]chan struct{}, v.cfg.Workers-1)
	for w := range v.work {
		c := make(chan struct{})
		v.work[w] = c
		v.running.Go(func() {
			for range c {
				v.rows(v.share(w))
				v.wait.Done()
			}
		})
	}
}

// Close ends the workers; the Vec can be used again and starts them anew, unless MakeVec opened environments that
// hold what is to be closed: processes. A Vec of one worker needs no Close else.
func (v *Vec) Close() {
	for _, c := range v.work {
		close(c)
	}
	v.running.Wait()
	v.work = nil
	for _, e := range v.envs {
		if v.made {
			_ = Close(e) // how a process ended is of no account now
		}
	}
}

func (v *Vec) rows(lo, hi int) {
	l := v.spec.ObsLen
	for i := lo; i < hi; i++ {
		obs := v.Obs[i*l : (i+1)*l : (i+1)*l]
		if v.state[i] == rowEnded { // next-step mode: Step has let it through
			v.RestartRow(i)
			continue
		}
		if v.Fresh[i] {
			v.Returns[i], v.Lengths[i] = 0, 0
		}
		out := v.envs[i].Step(int(v.actions[i]), obs)
		v.Rewards[i] = float32(out.Reward)
		v.Terminated[i], v.Truncated[i], v.Fresh[i] = out.Terminated, out.Truncated, false
		v.Returns[i] += out.Reward
		v.Lengths[i]++
		if out.Done() {
			v.finish(i)
		}
	}
}
