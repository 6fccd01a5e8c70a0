//go:build cgo && !notorch

package speed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"time"

	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/internal/cputime"
	"github.com/ponder-agents/ponder/torch"
)

// A Config says what Measure measures.
type Config struct {
	Cases     *regexp.Regexp // which, by their names; nil means all
	Threads   int            // of one operation; at least 1
	Device    string         // where ours and PyTorch's compute, as torch.ParseDevice has it; "" means the CPU
	Precision hrm.Precision  // "" means Float32
	Python    string         // a Python with torch to compare with; "" means none
	Compile   bool           // compare with torch.compile too
	Each      time.Duration  // how long a case is repeated, twice at least; 0 means 2 seconds
	Note      func(string)   // told what is worth a word, as why Python could not compute a case; may be nil

	dev torch.Device // what Device names
}

// A Result is one case, measured. What was not measured is nil.
type Result struct {
	Case         string        `json:"case"`
	Device       string        `json:"device"`
	Threads      int           `json:"threads"`
	Precision    hrm.Precision `json:"precision"`
	MS           float64       `json:"ms"`      // least of a segment or step: of the processor with one thread, of the clock with more, or on a GPU
	WallMS       float64       `json:"wall_ms"` // least by the clock
	Repeats      int           `json:"repeats"`
	GFLOPS       *float64      `json:"gflops"`                // 1e9 operations a second of its products, see Segment and Step
	Share        *float64      `json:"share_of_product_rate"` // GFLOPS to that of the fastest product of 1024x1024 matrices around this case, PyTorch's included
	RatioEager   *float64      `json:"ratio_eager"`           // how many times faster than PyTorch eager
	RatioCompile *float64      `json:"ratio_compile"`         // than torch.compile
	MaxAbsDiff   *float64      `json:"max_abs_diff"`          // from PyTorch: of logits and Q values, of a training step of the gradients too
}

// ErrNone is Measure's error where Config.Cases matches none.
var ErrNone = errors.New("no such case")

// ErrDiffers is Measure's error where outputs in float32 were not those of PyTorch; all was measured nevertheless.
var ErrDiffers = errors.New("outputs differ from PyTorch's")

// mostDiff is how far outputs in float32 may be from PyTorch's: logits are below 100, and each is a chain of
// some twenty sums of up to 1,536 products in another order.
const mostDiff = 1e-2

// Measure measures the cases one by one and gives each result to emit. It sets the threads of the process. When
// ctx ends it returns soon, while the segment or step that libtorch is at, which nothing can stop, goes on to its
// end behind it.
func Measure(ctx context.Context, cfg Config, emit func(Result) error) error {
	dir, err := os.MkdirTemp("", "ponder-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	done := make(chan error, 1)
	go func() { done <- measure(ctx, cfg, dir, emit) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		select { // the end of a short segment, and of Python
		case <-done:
		case <-time.After(200 * time.Millisecond):
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func measure(ctx context.Context, cfg Config, dir string, emit func(Result) error) error {
	if cfg.Precision == "" {
		cfg.Precision = hrm.Float32
	}
	if err := cfg.Precision.CheckThinking(); err != nil {
		return err
	}
	if cfg.Each == 0 {
		cfg.Each = 2 * time.Second
	}
	var err error
	if cfg.dev, err = torch.ParseDevice(cmp.Or(cfg.Device, torch.CPU.String())); err != nil {
		return err
	}
	cases, err := Cases(cfg.dev)
	if err != nil {
		return err
	}
	var chosen []Case
	for _, c := range cases {
		if (cfg.Cases == nil || cfg.Cases.MatchString(c.Name)) && (cfg.Precision != hrm.Int8 || c.Data == "") {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("%w: %q matches none of %d, as %q", ErrNone, cfg.Cases, len(cases), cases[0].Name)
	}
	torch.SetThreads(cfg.Threads)
	var peer *peer
	if cfg.Python != "" {
		if peer, err = startPeer(ctx, cfg, dir); err != nil {
			return err
		}
		defer peer.close()
	}
	var differ error
	for _, c := range chosen {
		r, err := one(ctx, c, cfg, peer)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		if r.MaxAbsDiff != nil && !(*r.MaxAbsDiff <= mostDiff) && cfg.Precision == hrm.Float32 {
			differ = errors.Join(differ, fmt.Errorf("%s: %w by %.3g", c.Name, ErrDiffers, *r.MaxAbsDiff))
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := emit(r); err != nil {
			return err
		}
	}
	return differ
}

// one measures c. The rate of products is measured before and after it, since that of a shared machine moves by a factor
// of two within minutes.
func one(ctx context.Context, c Case, cfg Config, peer *peer) (Result, error) {
	r := Result{Case: c.Name, Device: cfg.dev.String(), Threads: cfg.Threads, Precision: cfg.Precision}
	w, err := c.open(hrm.Run{Device: cfg.dev, Precision: cfg.Precision})
	if err != nil {
		return r, err
	}
	defer w.close()
	if peer != nil { // before the weights of a training step move
		if err := peer.hand(w); err != nil {
			return r, err
		}
	}
	before, err := productRate(ctx, cfg)
	if err != nil {
		return r, err
	}
	t, err := timeOf(ctx, cfg, w.once)
	if err != nil {
		return r, err
	}
	after, err := productRate(ctx, cfg)
	if err != nil {
		return r, err
	}
	var a answer
	if peer != nil {
		if a, err = peer.ask(); err != nil {
			return r, err
		}
	}
	ms := t.of(cfg)
	r.MS, r.WallMS, r.Repeats = ms, t.wall, t.repeats
	if w.operations > 0 {
		gflops := w.operations / ms / 1e6
		r.GFLOPS = &gflops
		if cfg.Precision != hrm.Int8 { // libtorch has no such product to compare with
			share := gflops / max(before, after, a.Rate)
			r.Share = &share
		}
	}
	if a.Note != "" && cfg.Note != nil {
		cfg.Note(c.Name + ": " + a.Note)
	}
	ratio := func(other *float64) *float64 {
		if other == nil {
			return nil
		}
		x := *other / ms
		return &x
	}
	r.RatioEager, r.RatioCompile, r.MaxAbsDiff = ratio(a.Eager), ratio(a.Compiled), a.Diff
	return r, nil
}

// A timing is the least time of a call, in milliseconds, as the mean of those that were timed together.
type timing struct {
	cpu, wall float64 // cpu is 0 where the system does not tell it
	repeats   int
}

// of is the one of both that counts.
func (t timing) of(cfg Config) float64 {
	if cfg.Threads == 1 && cfg.dev == torch.CPU && t.cpu > 0 {
		return t.cpu
	}
	return t.wall
}

// warm are the calls that do not count. A GPU has more to make ready, recordings among it.
func (cfg Config) warm() int {
	if cfg.dev != torch.CPU {
		return 5
	}
	return 1
}

// timeOf is the rule of all measurements; bench/hrm.py has the same.
func timeOf(ctx context.Context, cfg Config, once func() error) (timing, error) {
	f := func() error {
		err := once()
		if err == nil {
			err = torch.Do(torch.NoGrad, func(*torch.Scope) { cfg.dev.Synchronize() })
		}
		return err
	}
	calls := 1
	for range cfg.warm() {
		begin := time.Now()
		if err := f(); err != nil {
			return timing{}, err
		}
		calls = 1 + int(leastSample/(time.Since(begin)+1))
	}
	t := timing{cpu: math.Inf(1), wall: math.Inf(1)}
	for begin := time.Now(); t.repeats < 2*calls || time.Since(begin) < cfg.Each; t.repeats += calls {
		cpu, wall := cputime.Process(), time.Now()
		for range calls {
			if ctx.Err() != nil {
				return t, context.Cause(ctx)
			}
			if err := f(); err != nil {
				return t, err
			}
		}
		t.wall = min(t.wall, ms(time.Since(wall))/float64(calls))
		t.cpu = min(t.cpu, ms(cputime.Process()-cpu)/float64(calls))
	}
	return t, nil
}

// leastSample is how long calls are timed together at least: a system's account of the processor's time of a few milliseconds may be
// far from true.
const leastSample = 20 * time.Millisecond

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

// productRate is how many 1e9 operations a second the fastest product of two 1024x1024 matrices (4096x4096 on a GPU) does
// here: by libtorch, and in float32 also by the other kernels of the OpenBLAS below it; each for an eighth of a case's time.
func productRate(ctx context.Context, cfg Config) (rate float64, err error) {
	cfg.Each /= 8
	n := int64(1024)
	if cfg.dev != torch.CPU {
		n = 4096 // 1024 do not fill it
		torch.AllowTF32(cfg.Precision == hrm.TF32)
	}
	own := torch.OpenBLAS()
	cores := []string{own}
	if own != "" && cfg.Precision == hrm.Float32 && cfg.dev == torch.CPU {
		cores = append(cores, "Haswell", "SkylakeX")
		defer func() { err = errors.Join(err, torch.UseOpenBLAS(own)) }()
	}
	dtype := torch.Float32
	if cfg.Precision == hrm.BFloat16 {
		dtype = torch.BFloat16
	}
	for _, core := range cores {
		if core != own && torch.UseOpenBLAS(core) != nil {
			continue // not on this machine
		}
		err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
			gen := torch.NewGenerator(seed)
			defer gen.Close()
			x := s.To(s.Clone(gen.Uniform(s, -1, 1, n, n), cfg.dev), dtype)
			t, fail := timeOf(ctx, cfg, func() error { s.Do(torch.NoGrad, func(in *torch.Scope) { in.MatMul(x, x) }); return nil })
			if err = fail; err == nil {
				rate = max(rate, 2*float64(n*n*n)/t.of(cfg)/1e6)
			}
		})
		if err != nil {
			return 0, err
		}
	}
	return rate, err
}
