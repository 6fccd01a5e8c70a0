package exam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/internal/cputime"
)

// A SpeedConfig says how Speed measures.
type SpeedConfig struct {
	Batch   int           // sequences in a segment; at least 1
	Shape   think.Shape   // of a sequence; its Seq 0 means the network's own
	Repeats int           // at least 1; the best counts
	Each    time.Duration // of a repetition; one segment at least is done
	Seed    uint64        // of the tokens
}

// A SpeedResult is how fast a network thinks.
type SpeedResult struct {
	Model                string          `json:"model"`
	Engine               string          `json:"engine"`
	Precision            think.Precision `json:"precision"`                        // of its products, and the choice
	Kernels              string          `json:"kernels"`                          // what the engine computes with here
	Threads              int             `json:"threads"`                          // if the caller says so
	Batch                int             `json:"batch"`                            // sequences in a segment
	Tokens               int             `json:"tokens"`                           // of a sequence
	SegmentsPerSecond    float64         `json:"segments_per_second"`              // of one sequence each; best repetition
	SegmentsPerCPUSecond float64         `json:"segments_per_cpu_second,omitzero"` // of the process, over all repetitions; not on Windows
	AllocsPerSegment     float64         `json:"allocs_per_segment"`               // by Go, least of the repetitions
	Segments             int             `json:"segments"`                         // of all repetitions
	Repeats              int             `json:"repeats"`
}

// Speed times segments of m about sequences of random tokens, after one segment that does not count: what
// a network costs does not depend on what it thinks about.
func Speed(ctx context.Context, m *think.Model, cfg SpeedConfig) (SpeedResult, error) {
	if cfg.Batch < 1 || cfg.Repeats < 1 {
		return SpeedResult{}, errors.New("exam: nothing to measure")
	}
	spec := m.Core.Spec()
	if cfg.Shape.Seq == 0 {
		cfg.Shape = spec.Shape
	}
	r := SpeedResult{Model: m.Name, Engine: m.Engine, Precision: m.Precision, Batch: cfg.Batch, Tokens: cfg.Shape.Seq, Repeats: cfg.Repeats}
	if m.Kernels != nil {
		r.Kernels = m.Kernels()
	}
	rows, err := m.Core.Open(cfg.Batch, cfg.Shape)
	if err != nil {
		return r, err
	}
	defer rows.Close()
	draws := rng.Stream(cfg.Seed, "bench")
	in := think.Input{Tokens: make([]int32, cfg.Shape.Seq)}
	all := make([]int, cfg.Batch)
	for i := range all {
		all[i] = i
		for t := range in.Tokens {
			in.Tokens[t] = int32(draws.Uint32N(uint32(spec.Tokens(cfg.Shape.Seq))))
		}
		if err := rows.Begin(i, in); err != nil {
			return r, err
		}
	}
	var out think.Output
	if err := rows.Segment(all, &out); err != nil {
		return r, err
	}
	began := cputime.Process()
	for k := range cfg.Repeats {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n, start := 0, time.Now()
		for n == 0 || time.Since(start) < cfg.Each {
			if ctx.Err() != nil {
				return r, context.Cause(ctx)
			}
			if err := rows.Segment(all, &out); err != nil {
				return r, err
			}
			n += cfg.Batch
		}
		r.SegmentsPerSecond = max(r.SegmentsPerSecond, float64(n)/time.Since(start).Seconds())
		runtime.ReadMemStats(&after)
		if allocs := float64(after.Mallocs-before.Mallocs) / float64(n); k == 0 || allocs < r.AllocsPerSegment {
			r.AllocsPerSegment = allocs
		}
		r.Segments += n
	}
	if used := cputime.Process() - began; used > 0 {
		r.SegmentsPerCPUSecond = float64(r.Segments) / used.Seconds()
	}
	return r, nil
}

// Print writes the result for people.
func (r *SpeedResult) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s on %s (%s), threads %d, %d sequences of %d tokens: %.4g segments/s, %.4g a second of the processor, %.4g allocations a segment\n",
		r.Model, r.Engine, r.Kernels, r.Threads, r.Batch, r.Tokens, r.SegmentsPerSecond, r.SegmentsPerCPUSecond, r.AllocsPerSegment)
	return err
}
