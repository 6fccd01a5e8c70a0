//go:build cgo && !notorch

package rl

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// The algorithms.
const (
	AlgorithmPPO     = "ppo"
	AlgorithmDQN     = "dqn"
	AlgorithmImitate = "imitate"
	AlgorithmHalt    = "halt" // when to stop thinking, of a policy that has learned to act
)

// algorithms are all of them, in the order of the help.
var algorithms = []string{AlgorithmPPO, AlgorithmDQN, AlgorithmImitate, AlgorithmHalt}

// A Config is everything that decides what a run of an agent that learns by acting computes.
type Config struct {
	Algorithm string   `json:"algorithm"` // one of the constants
	Begin     string   `json:"begin"`     // model whose weights it began with; "" for none
	Stages    []Stage  `json:"stages"`    // what it learns before Env and Levels
	Env       string   `json:"env"`       // id of the environment
	Options   []string `json:"options"`   // its options, NAME=VALUE
	env.Split
	Envs    int             `json:"envs"`   // environments that act at once; 0 means 16
	Frames  int64           `json:"frames"` // steps of all environments together
	Seed    uint64          `json:"seed"`
	Policy  NetworkConfig   `json:"policy"`
	Act     ActorConfig     `json:"act"`
	PPO     PPOConfig       `json:"ppo"`
	DQN     DQNConfig       `json:"dqn"`
	Imitate ImitationConfig `json:"imitate"`
	Halt    GateConfig      `json:"halt"`

	filled bool // see Filled
}

// Default is the recipe that learns MiniGrid here: an HRM that keeps its carry and thinks one or two
// segments, with a bonus for what it has not seen before in the episode.
func Default(algorithm, envID string) Config {
	c := Config{Algorithm: algorithm, Env: envID, Envs: 16, Frames: 100_000, Policy: NetworkConfig{Kind: "hrm"}}
	c.Act.Segments = 2
	switch algorithm {
	case AlgorithmPPO, AlgorithmDQN:
		c.Act.Bonus.Size = 0.01
	case AlgorithmHalt:
		c.Act.Greedy, c.Halt.Price = true, 0.003
	}
	return c
}

// Filled is c with what its zero values mean filled in. From then on a zero in it is a zero, so that flags and files
// which set fields of it can say one, and what is out of its range there is refused.
func (c Config) Filled() Config {
	if !c.filled {
		c.Policy, c.Envs = c.Policy.WithDefaults(), cmp.Or(c.Envs, 16)
	}
	c.filled = true
	c.Act, c.PPO, c.DQN, c.Imitate, c.Halt = c.Act.withDefaults(), c.PPO.withDefaults(), c.DQN.withDefaults(), c.Imitate.withDefaults(), c.Halt.withDefaults()
	return c
}

// ByAlgorithm is Default of any environment, filled, for those who name the algorithm in a file.
func ByAlgorithm(name string) (Config, error) {
	if !slices.Contains(algorithms, name) {
		return Config{}, fmt.Errorf("algorithm %q: want one of %s", name, strings.Join(algorithms, ", "))
	}
	return Default(name, "").Filled(), nil
}

// ReadConfig reads a TOML file whose fields are over Default of the algorithm that it names.
func ReadConfig(file string) (Config, error) {
	c, err := run.ReadTOML(file, "algorithm", ByAlgorithm)
	if c.filled && c.PPO.MaxNorm == 0 && c.DQN.MaxNorm == 0 { // config.toml of an older run, whose zeros are defaults; nobody else has both
		c, err = run.ReadTOML(file, "algorithm", func(name string) (Config, error) { return Default(name, ""), nil })
		c = c.Filled()
	}
	return c, err
}

// Check reports every problem of c at once.
func (c Config) Check() error {
	var bad problems.List
	if _, err := ByAlgorithm(c.Algorithm); err != nil {
		bad = append(bad, err)
	}
	bad.Add(c.Envs < 1 || c.Envs > 1<<14, "envs", "%d, want 1 to 16384", c.Envs)
	bad.Add(c.Frames < 1, "frames", "%d, want 1 or more", c.Frames)
	bad.In("policy", c.Policy.Check())
	if c.filled {
		bad.Add(c.Policy.Hidden == 0, "policy.hidden", "0, want 1 to 4096")
		bad.Add(c.Policy.LCycles == 0, "policy.l_cycles", "0, want 1 to 64")
		bad.Add(c.Policy.Window == 0, "policy.window", "0, want 1 to 1024")
	}
	bad.In("act", c.Act.Check())
	bad.In("ppo", c.PPO.Check())
	bad.In("dqn", c.DQN.Check())
	bad.In("imitate", c.Imitate.Check())
	bad.In("halt", c.Halt.Check())
	switch c.Algorithm {
	case AlgorithmDQN:
		bad.In("dqn", c.DQN.fits(c.Envs))
	case AlgorithmImitate:
		for _, id := range c.course() {
			if _, _, err := env.Lookup(id); err == nil {
				bad.In("imitate.oracle", agent.CheckOracle(id, c.Imitate.Oracle))
			}
		}
	}
	if c.Algorithm == AlgorithmHalt && c.Halt.Together {
		bad.Add(c.Act.Greedy, "act.greedy", "true, want false where the policy learns on: it draws its actions")
		bad.Add(c.PPO.EMA != 0, "ppo.ema", "%v, want 0 beside a gate", c.PPO.EMA)
		bad.Add(len(c.Stages) > 0, "stages", "%d, want none where gate and policy learn together", len(c.Stages))
	}
	if c.Env != "" {
		_, _, err := env.Lookup(c.Env)
		bad.In("env", err)
	}
	_, _, err := c.Ranges()
	bad = append(bad, err)
	bad = append(bad, c.checkStages()...)
	return bad.Err()
}

// settleLevels makes an option levels=LO:HI, of which an environment knows no more than that, c.Levels.
func (c Config) settleLevels() (Config, error) {
	i := slices.IndexFunc(c.Options, func(o string) bool { return strings.HasPrefix(o, env.LevelsOption) })
	if i < 0 {
		return c, nil
	}
	if c.Levels != "" {
		return c, &problems.Field{Name: "levels", What: fmt.Sprintf(" is %s beside an option %s: want one of them", c.Levels, c.Options[i])}
	}
	c.Levels = strings.TrimPrefix(c.Options[i], env.LevelsOption)
	c.Options = slices.Delete(slices.Clone(c.Options), i, i+1)
	return c, nil
}

// windowLength is over how many episodes the mean return is taken, as everybody does.
const windowLength = 100

// A Learner is a run of an agent that learns by acting. It implements run.Learner.
type Learner struct {
	cfg    Config
	dev    torch.Device
	goal   env.Spec // of cfg.Env
	stage  int      // of cfg.Stages; their number where it learns in cfg.Env
	began  int64    // frames before this stage
	vec    *env.Vec
	net    Network
	gate   *Gate // nil but for AlgorithmHalt
	actor  *Actor
	update updater
	frames int64
	window []Episode // the last windowLength
	sum    Losses    // since Metrics
	steps  int       // updates since
	found  *Achieved
}

// An updater acts for a rollout and learns from it, again and again.
type updater interface {
	Update(ctx context.Context, done float64) (Losses, error)
	Frames() int
	optimizer() *torch.Adam
	average() *torch.EMA // of the network's weights, which is what is used; nil for none
	random() *rng.Rand
	Close()
}

// A keeper is an updater that a run needs more of than its optimiser's state.
type keeper interface {
	save(tensors map[string]safetensors.Tensor) error
	load(tensors map[string]safetensors.Tensor) error
}

// Achieved is what an agent came to in episodes that it did not learn from.
type Achieved struct {
	Episodes     int     `json:"episodes"`
	MeanReturn   float64 `json:"mean_return"`
	Success      float64 `json:"success"`
	MeanSegments float64 `json:"mean_segments"`
}

// New prepares the first step.
func New(cfg Config, dev torch.Device) (*Learner, error) { return newAt(cfg, dev, 0) }

// newAt is New of a run that has come to a stage.
func newAt(cfg Config, dev torch.Device, stage int) (*Learner, error) {
	cfg, err := cfg.Filled().settleLevels()
	if err == nil {
		err = cfg.Check()
	}
	if err != nil {
		return nil, err
	}
	l := &Learner{cfg: cfg, dev: dev, stage: stage}
	if err = l.open(); err == nil {
		l.goal = l.vec.Spec()
	}
	if err == nil && len(cfg.Stages) > 0 {
		l.goal, err = l.fitStages()
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// open opens the environments of the stage and what learns in them, with new weights.
func (l *Learner) open() (err error) {
	cfg := l.cfg
	if l.vec, err = cfg.vec(l.stage); err != nil {
		return inStage(l.stage, len(cfg.Stages), err)
	}
	if l.net, err = NewNetwork(cfg.Policy, l.vec.Spec(), l.dev, rng.Stream(cfg.Seed, "initialisation").Uint64()); err != nil {
		return err
	}
	if l.actor, err = NewActor(l.net, l.vec, cfg.Act, cfg.stageSeed(l.stage)); err != nil {
		return err
	}
	switch cfg.Algorithm {
	case AlgorithmDQN:
		p, err := NewDQN(l.net, l.actor, cfg.DQN, cfg.Seed)
		if err != nil {
			return err
		}
		l.update = p
	case AlgorithmImitate:
		p, err := NewImitation(l.net, l.actor, cfg.Imitate, cfg.Seed)
		if err != nil {
			return err
		}
		l.update = p
	case AlgorithmHalt:
		if l.gate, err = NewGate(l.net, l.vec.Spec(), rng.Stream(cfg.Seed, "gate").Uint64()); err != nil {
			return err
		}
		more := func(rows int) (*env.Vec, error) {
			return env.MakeVec(cfg.at(l.stage).Env, rows, env.VecConfig{}, cfg.options(l.stage)...)
		}
		p, err := newGating(l.net, l.gate, l.actor, cfg.Halt, cfg.Seed, more)
		if err != nil {
			return err
		}
		if l.update = p; cfg.Halt.Together {
			both, err := newTogether(p, cfg.PPO, cfg.Seed)
			if err != nil {
				return err
			}
			l.update = both
		}
	default:
		p, err := NewPPO(l.net, l.actor, cfg.PPO, cfg.Seed)
		if err != nil {
			return err
		}
		l.update = p
	}
	return nil
}

// NewFrom is New with a network like that of checkpoint c, whose weights it begins with; errors and the
// run call it name. Whether the carry is kept is c's as well.
func NewFrom(name string, c *checkpoint.Checkpoint, cfg Config, dev torch.Device) (*Learner, error) {
	l, err := newFrom(name, c, cfg, dev)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	return l, nil
}

func newFrom(name string, c *checkpoint.Checkpoint, cfg Config, dev torch.Device) (*Learner, error) {
	var was saved
	if err := json.Unmarshal(c.Config, &was); err != nil {
		return nil, fmt.Errorf("%s: %w", checkpoint.ConfigFile, err)
	}
	if was.Task != task.PolicyTask {
		return nil, fmt.Errorf("it answers %s, want one that learned to act", was.Task)
	}
	cfg.Policy, cfg.Act.Reset, cfg.Begin = was.Policy.WithDefaults(), was.Act.Reset, name
	weights, err := c.Model.Tensors()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", checkpoint.ModelFile, err)
	}
	l, err := New(cfg, dev)
	if err != nil {
		return nil, err
	}
	gate := cutPrefix(weights, gatePrefix)
	err = l.net.Params().Load(weights)
	learned := was.Halt.withDefaults() // what the gate says means something else where it was learned otherwise
	if how := cfg.Halt.withDefaults(); err == nil && l.gate != nil && len(gate) > 0 && learned.Learn == how.Learn && learned.Difference == how.Difference {
		err = l.gate.params.Load(gate)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// gatePrefix begins the names of a gate's parameters.
const gatePrefix = "gate."

// cutPrefix takes the tensors whose names begin so out of all.
func cutPrefix(all map[string]safetensors.Tensor, prefix string) map[string]safetensors.Tensor {
	out := map[string]safetensors.Tensor{}
	for name, t := range all {
		if strings.HasPrefix(name, prefix) {
			out[name] = t
			delete(all, name)
		}
	}
	return out
}

// Close frees what the learner holds.
func (l *Learner) Close() {
	if l.update != nil {
		l.update.Close()
	}
	if l.actor != nil {
		l.actor.Close()
	}
	if l.gate != nil {
		l.gate.Close()
	}
	if l.net != nil {
		l.net.Close()
	}
	if l.vec != nil {
		l.vec.Close()
	}
}

// Network is what learns.
func (l *Learner) Network() Network { return l.net }

// Describe implements run.Learner.
func (l *Learner) Describe() run.Description {
	dev := l.net.Params().Device()
	return run.Description{
		Learner: l.cfg.Algorithm,
		Text: fmt.Sprintf("%s in %s, policy %s: %d parameters, %d frames in %d environments", l.cfg.Algorithm, strings.Join(l.cfg.course(), ", then "), l.cfg.Policy.Kind,
			l.net.Params().Count(), l.cfg.Frames, l.cfg.Envs),
		Unit: "frames", Seed: l.cfg.Seed, Config: l.cfg, Compute: learn.ComputeOf(dev, ""),
	}
}

// Steps implements run.Learner: frames.
func (l *Learner) Steps() (done, all int64) { return min(l.frames, l.cfg.Frames), l.cfg.Frames }

// Step implements run.Learner: a rollout and what is learned from it.
func (l *Learner) Step(ctx context.Context) error {
	// The state is of the moment between two updates; one that is cut short is done again.
	m, err := l.update.Update(context.WithoutCancel(ctx), float64(l.frames)/float64(l.cfg.Frames))
	if err != nil {
		return fmt.Errorf("frame %d: %w", l.frames, err)
	}
	l.frames += int64(l.update.Frames())
	l.sum.add(m, 1)
	l.steps++
	l.window = append(l.window, l.actor.Ended()...)
	if n := len(l.window) - windowLength; n > 0 {
		l.window = slices.Clone(l.window[n:])
	}
	if l.passed() {
		if err := l.advance(); err != nil {
			return fmt.Errorf("stage %d: %w", l.stage+1, err)
		}
	}
	return nil
}

// means are over the last episodes.
func (l *Learner) means() (a Achieved) {
	a.Episodes = len(l.window)
	decisions := 0
	for _, e := range l.window {
		a.MeanReturn += e.Return
		if e.Success {
			a.Success++
		}
		a.MeanSegments += float64(e.Segments)
		decisions += e.Length
	}
	n := float64(max(1, a.Episodes))
	a.MeanReturn, a.Success, a.MeanSegments = a.MeanReturn/n, a.Success/n, a.MeanSegments/float64(max(1, decisions))
	return a
}

// meanBonus is what bonuses added to the last episodes.
func (l *Learner) meanBonus() (mean float64) {
	for _, e := range l.window {
		mean += e.Bonus / float64(len(l.window))
	}
	return mean
}

// Progress implements run.Learner.
func (l *Learner) Progress() []string {
	m := l.means()
	said := []string{fmt.Sprintf("return %.3f", m.MeanReturn), fmt.Sprintf("success %.1f%%", 100*m.Success)}
	if n := len(l.cfg.Stages); n > 0 {
		said = append(said, fmt.Sprintf("stage %d of %d", l.stage+1, n+1))
	}
	return said
}

// Metrics implements run.Learner.
func (l *Learner) Metrics(d time.Duration) []runlog.Field {
	m, n := l.means(), float64(max(1, l.steps))
	fields := []runlog.Field{
		runlog.Int("frames", min(l.frames, l.cfg.Frames)), runlog.Int("episodes", int64(m.Episodes)),
		runlog.Float("mean_return", m.MeanReturn), runlog.Float("success", m.Success), runlog.Float("mean_segments", m.MeanSegments),
		runlog.Float("loss", l.sum.Loss/n), runlog.Float("value_loss", l.sum.Value/n), runlog.Float("entropy", l.sum.Entropy/n),
		runlog.Float("kl", l.sum.KL/n), runlog.Float("grad_norm", l.sum.Norm/n),
	}
	if l.cfg.Act.Bonus.Size > 0 {
		fields = append(fields, runlog.Float("mean_bonus", l.meanBonus()))
	}
	if len(l.cfg.Stages) > 0 {
		fields = append(fields, runlog.Int("stage", int64(l.stage+1)))
	}
	if l.cfg.Algorithm == AlgorithmDQN {
		fields = append(fields, runlog.Float("q", l.sum.Q/n), runlog.Float("explore", l.sum.Explore/n))
	}
	if l.cfg.Algorithm == AlgorithmHalt {
		fields = append(fields, runlog.Float("segments_an_update", l.sum.Thought/n))
	}
	fields = append(fields, runlog.Float("frames_per_second", float64(l.steps*l.update.Frames())/d.Seconds()))
	l.sum, l.steps = Losses{}, 0
	return fields
}

// testSeed is where the seeds of examinations begin: training draws its levels from other streams.
const testSeed = 1_000_000_000

// Evaluate implements run.Learner: count episodes of fresh levels, the likeliest action at every step. Where
// the levels to learn from are a range, count of them too.
func (l *Learner) Evaluate(ctx context.Context, count int) (e run.Evaluation, err error) {
	if average := l.update.average(); average != nil {
		if err := average.Swap(); err != nil {
			return e, err
		}
		defer func() { err = errors.Join(err, average.Swap()) }()
	}
	train, test, err := l.cfg.Ranges()
	if err != nil {
		return e, err
	}
	a, all, err := l.examine(ctx, count, test)
	if err != nil {
		return e, err
	}
	l.found = &a
	e.Text = fmt.Sprintf("fresh levels: return %.3f, success %.1f%%, %.2f segments a decision", a.MeanReturn, 100*a.Success, a.MeanSegments)
	e.Fields = []runlog.Field{
		runlog.Int("episodes", int64(a.Episodes)), runlog.Float("mean_return", a.MeanReturn), runlog.Float("success", a.Success),
		runlog.Float("mean_segments", a.MeanSegments),
	}
	taken := run.Spread{Name: "segments_per_decision"}
	for _, p := range all {
		taken.Values = append(taken.Values, float32(p.Segments)/float32(max(p.Length, 1)))
	}
	e.Spreads = []run.Spread{taken}
	if train != (env.Range{}) {
		b, _, err := l.examine(ctx, count, train)
		if err != nil {
			return e, err
		}
		e.Text += fmt.Sprintf("; those learned from: return %.3f, success %.1f%%", b.MeanReturn, 100*b.Success)
		e.Fields = append(e.Fields, runlog.Float("mean_return_on_training_levels", b.MeanReturn), runlog.Float("success_on_training_levels", b.Success))
	}
	return e, nil
}

// examine plays count episodes of levels in r.
func (l *Learner) examine(ctx context.Context, count int, r env.Range) (a Achieved, all []agent.Episode, err error) {
	core, err := NewCore(l.net, l.gate, l.goal)
	if err != nil {
		return a, nil, err
	}
	m := &think.Model{Name: "in training", Engine: open.Torch, Kernels: learn.Kernels, Core: core, Usage: l.usage()}
	got, err := exam.Agent(ctx, m, l.cfg.Env, r.On(l.cfg.Options), count, testSeed, exam.Config{Config: think.Config{KeepCarry: !l.cfg.Act.Reset}, Batch: 16})
	return Achieved{got.Episodes, got.MeanReturn, got.Success, got.MeanSegments}, got.All, err
}

// usage is how the network is to be used: it thinks until its gate is content, or always the most segments
// that it learned with.
func (l *Learner) usage() think.Usage {
	u := think.Usage{
		Task: task.PolicyTask, Halting: act.Config{MaxSegments: max(1, l.cfg.Act.Segments), Rule: act.Never}, NoContinue: l.gate == nil,
		Env: l.cfg.Env, Split: l.cfg.Split, KeepCarry: !l.cfg.Act.Reset,
		Discount: max(l.cfg.Act.Gamma, math.SmallestNonzeroFloat64), // 0 would mean none
	}
	if l.gate != nil {
		u.Halting.Rule, u.Price = act.HaltOverContinue, l.cfg.Halt.Price
	}
	return u
}

// saved is config.json of a checkpoint.
type saved struct {
	Task       string     `json:"task"`
	Evaluation act.Config `json:"evaluation"`
	NoContinue bool       `json:"no_continue"`
	KeepCarry  bool       `json:"keep_carry"`
	Price      float64    `json:"price"`
	Discount   float64    `json:"discount"`
	Spec       env.Spec   `json:"spec"`   // of the environment
	Filled     bool       `json:"filled"` // Config is: its zeros are zeros, which in older runs meant defaults
	Config
}

// config is the Config as it was saved.
func (c saved) config() Config {
	cfg := c.Config
	cfg.filled, cfg.Act.filled = c.Filled, c.Filled
	cfg.PPO.filled, cfg.DQN.filled, cfg.Imitate.filled, cfg.Halt.filled = c.Filled, c.Filled, c.Filled, c.Filled
	return cfg
}

// state is what train.json holds: everything but tensors.
type state struct {
	Frames      int64     `json:"frames"`
	Stage       int       `json:"stage,omitempty"`
	Began       int64     `json:"began,omitempty"`
	Window      []Episode `json:"window"`
	Sum         Losses    `json:"sum"`
	Updates     int       `json:"updates"`
	Adam        int64     `json:"adam"`
	Rows        [][]byte  `json:"rows"` // of the Vec
	Now         []Episode `json:"now"`
	Bonus       []byte    `json:"bonus"`
	Act         []byte    `json:"act"`
	Minibatches []byte    `json:"minibatches"`
	Found       *Achieved `json:"found,omitempty"`
}

// Snapshot implements run.Learner.
func (l *Learner) Snapshot() (checkpoint.Snapshot, error) {
	st := state{
		Frames: l.frames, Stage: l.stage, Began: l.began, Window: l.window, Sum: l.sum, Updates: l.steps, Adam: l.update.optimizer().Steps(), Now: l.actor.now,
		Bonus: l.actor.bonus.appendState(nil), Act: l.actor.rng.AppendState(nil), Minibatches: l.update.random().AppendState(nil), Found: l.found,
	}
	for i := range l.vec.Len() {
		row, err := l.vec.AppendRow(i, nil)
		if err != nil {
			return checkpoint.Snapshot{}, err
		}
		st.Rows = append(st.Rows, row)
	}
	weights, tensors, err := l.learned()
	if err != nil {
		return checkpoint.Snapshot{}, err
	}
	if k, ok := l.update.(keeper); ok {
		if err := k.save(tensors); err != nil {
			return checkpoint.Snapshot{}, err
		}
	}
	err = torch.Do(torch.NoGrad, func(s *torch.Scope) {
		for i, z := range l.actor.state {
			tensors[fmt.Sprintf("state.%d", i)] = safetensors.OfFloat32s(torch.Shape(z), s.ReadFloats(nil, z))
		}
	})
	u := l.usage()
	return checkpoint.Snapshot{
		Config: saved{Task: u.Task, Evaluation: u.Halting, NoContinue: u.NoContinue, KeepCarry: u.KeepCarry, Price: u.Price, Discount: u.Discount, Spec: l.goal, Filled: true, Config: l.cfg},
		Model:  weights, Optimizer: tensors, Train: st, Card: l.card(),
	}, err
}

// card is the model card of the weights as they are.
func (l *Learner) card() checkpoint.Card {
	c := checkpoint.Card{
		Env: l.cfg.Env, Parameters: int64(l.net.Params().Count()),
		Summary: fmt.Sprintf("policy %s learned by %s in %s", l.cfg.Policy.Kind, l.cfg.Algorithm, l.cfg.Env),
	}
	if a := l.found; a != nil {
		c.Results = append(c.Results, checkpoint.Result{Metric: "success", On: fmt.Sprintf("%d episodes of fresh levels of %s", a.Episodes, l.cfg.Env), Value: a.Success})
	}
	return c
}

// Resume makes the learner that goes on from what a run saved. It is a run.Open. The threads of before
// are used again. An oracle that is imitated begins anew in the episodes under way.
func Resume(dev torch.Device) run.Open {
	return func(s *run.Saved) (run.Learner, error) {
		var c saved
		var st state
		if err := errors.Join(json.Unmarshal(s.Config, &c), json.Unmarshal(s.State, &st)); err != nil {
			return nil, err
		}
		if s.Compute.Threads > 0 {
			torch.SetThreads(s.Compute.Threads)
		}
		if st.Stage < 0 || st.Stage > len(c.Stages) {
			return nil, fmt.Errorf("stage %d, the run has %d", st.Stage+1, len(c.Stages)+1)
		}
		l, err := newAt(c.config(), dev, st.Stage)
		if err != nil {
			return nil, err
		}
		if err := l.restore(s, &st); err != nil {
			l.Close()
			return nil, err
		}
		return l, nil
	}
}

func (l *Learner) restore(s *run.Saved, st *state) error {
	weights, err := s.Model.Tensors()
	if err != nil {
		return err
	}
	others, err := s.Optimizer.Tensors()
	if err != nil {
		return err
	}
	if err := l.goOn(weights, others, st.Adam); err != nil {
		return err
	}
	if k, ok := l.update.(keeper); ok {
		if err := k.load(others); err != nil {
			return err
		}
	}
	if len(st.Rows) != l.vec.Len() || len(st.Now) != l.vec.Len() {
		return fmt.Errorf("%d environments, the run has %d", len(st.Rows), l.vec.Len())
	}
	for i, row := range st.Rows {
		if err := l.vec.SetRow(i, row); err != nil {
			return err
		}
	}
	if rest, ok := l.actor.bonus.setState(st.Bonus); !ok || len(rest) > 0 {
		return errors.New("the counts of the bonus are cut")
	}
	if err := errors.Join(l.actor.rng.SetState(st.Act), l.update.random().SetState(st.Minibatches)); err != nil {
		return err
	}
	l.frames, l.began, l.window, l.sum, l.steps, l.actor.now, l.found = st.Frames, st.Began, st.Window, st.Sum, st.Updates, st.Now, st.Found
	var bad error
	err = torch.Do(torch.NoGrad, func(sc *torch.Scope) {
		for i, z := range l.actor.state {
			name := fmt.Sprintf("state.%d", i)
			x, err := others[name].Float32s()
			if err != nil || len(x) != int(z.Numel()) {
				bad = fmt.Errorf("tensor %q: %d numbers, want %d", name, len(x), z.Numel())
				return
			}
			torch.Write(z, x)
		}
	})
	return errors.Join(bad, err)
}

func init() {
	policy := func(config []byte) bool {
		u, err := think.ReadUsage(config)
		return err == nil && u.Task == task.PolicyTask
	}
	open.Register(open.Opener{Engine: open.Torch, Opens: policy, Open: func(name string, c *checkpoint.Checkpoint, r open.Run) (*think.Model, error) {
		defer c.Close()
		dev, err := learn.Device(r)
		if err != nil {
			return nil, err
		}
		return Open(name, c, dev)
	}})
}

// Open makes the model of a checkpoint of a Learner; errors begin with name.
func Open(name string, c *checkpoint.Checkpoint, dev torch.Device) (*think.Model, error) {
	m, err := ofCheckpoint(name, c, dev)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	return m, nil
}

func ofCheckpoint(name string, c *checkpoint.Checkpoint, dev torch.Device) (*think.Model, error) {
	var cfg saved
	if err := json.Unmarshal(c.Config, &cfg); err != nil {
		return nil, fmt.Errorf("%s: %w", checkpoint.ConfigFile, err)
	}
	u, err := think.ReadUsage(c.Config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", checkpoint.ConfigFile, err)
	}
	weights, err := c.Model.Tensors()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", checkpoint.ModelFile, err)
	}
	n, err := NewNetwork(cfg.Policy, cfg.Spec, dev, 0)
	if err != nil {
		return nil, err
	}
	gate := cutPrefix(weights, gatePrefix)
	var g *Gate
	if err = n.Params().Load(weights); err == nil && len(gate) > 0 {
		if g, err = NewGate(n, cfg.Spec, 0); err == nil {
			err = g.params.Load(gate)
		}
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", checkpoint.ModelFile, err)
	}
	var core *Core
	if err == nil {
		core, err = NewCore(n, g, cfg.Spec)
	}
	if err != nil {
		if g != nil {
			g.Close()
		}
		n.Close()
		return nil, err
	}
	return &think.Model{Name: name, Engine: open.Torch, Kernels: learn.Kernels, Core: core, Usage: u, Precision: think.Precision{Name: string(arch.Float32)}}, nil
}
