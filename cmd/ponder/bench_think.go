package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/rng"
)

// A thinkSpeed is what `ponder bench think` prints.
type thinkSpeed struct {
	Model                string  `json:"model"`
	Engine               string  `json:"engine"`
	Kernels              string  `json:"kernels"` // what the engine computes with here
	Threads              int     `json:"threads"`
	Batch                int     `json:"batch"`                            // sequences in a segment
	Tokens               int     `json:"tokens"`                           // of a sequence
	SegmentsPerSecond    float64 `json:"segments_per_second"`              // of one sequence each; best repetition
	SegmentsPerCPUSecond float64 `json:"segments_per_cpu_second,omitzero"` // of the process, over all repetitions; not on Windows
	AllocsPerSegment     float64 `json:"allocs_per_segment"`               // by Go, least of the repetitions
	Segments             int     `json:"segments"`                         // of all repetitions
	Repeats              int     `json:"repeats"`
}

func newBenchThinkCmd() *cobra.Command {
	var (
		use     modelFlags
		batch   int
		side    int
		seconds float64
		repeats int
		seed    uint64
		asJSON  bool
	)
	cmd := &cobra.Command{
		Use:   "think",
		Short: "Segments per second of a network",
		Long: `Thinks about sequences of random tokens and counts segments, one for each sequence: what the
network costs does not depend on what it thinks about. The best of the repetitions is printed, and,
since others may compute beside, the rate by the processor's time.`,
		Example: "  ponder bench think --model maze --size 15 --engine go --json\n  ponder bench think --model sudoku --threads 2 --batch 64",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if use.threads < 1 || batch < 1 || batch > 1<<20 || repeats < 1 || side < 0 || !(seconds > 0 && seconds <= 3600) {
				return usagef("--threads, --batch (up to 2^20) and --repeats must be at least 1, --size not negative, --seconds above 0 and at most 3600")
			}
			m, err := use.open()
			if err != nil {
				return err
			}
			defer m.Close()
			shape := m.Core.Spec().Shape
			if side > 0 {
				shape = think.Shape{Seq: side * side, Rows: side, Cols: side}
			}
			r := thinkSpeed{Model: m.Name, Engine: m.Engine, Kernels: kernels(m.Engine), Threads: use.threads, Batch: batch, Tokens: shape.Seq, Repeats: repeats}
			if err := r.measure(cmd.Context(), m.Core, shape, time.Duration(seconds*float64(time.Second)), seed); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				enc := json.NewEncoder(out)
				enc.SetIndent("", "  ")
				return enc.Encode(r)
			}
			_, err = fmt.Fprintf(out, "%s on %s (%s), threads %d, %d sequences of %d tokens: %.4g segments/s, %.4g a second of the processor, %.4g allocations a segment\n",
				r.Model, r.Engine, r.Kernels, r.Threads, r.Batch, r.Tokens, r.SegmentsPerSecond, r.SegmentsPerCPUSecond, r.AllocsPerSegment)
			return err
		},
	}
	f := cmd.Flags()
	use.add(f, "maze")
	f.Lookup("threads").DefValue, use.threads = "1", 1
	f.Lookup("threads").Usage = "processors used"
	f.IntVar(&batch, "batch", 1, "sequences in a segment")
	f.IntVar(&side, "size", 0, "side of a square grid; 0 means what the network was made for")
	f.Float64Var(&seconds, "seconds", 0.2, "of a repetition; one segment at least is done")
	f.IntVar(&repeats, "repeats", 10, "repetitions; the best counts")
	f.Uint64Var(&seed, "seed", 0, "of the tokens")
	f.BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

// measure times segments of core after one that does not count.
func (r *thinkSpeed) measure(ctx context.Context, core think.Core, shape think.Shape, each time.Duration, seed uint64) error {
	rows, err := core.Open(r.Batch, shape)
	if err != nil {
		return err
	}
	defer rows.Close()
	spec := core.Spec()
	draws := rng.Stream(seed, "bench")
	in := think.Input{Tokens: make([]int32, shape.Seq)}
	all := make([]int, r.Batch)
	for i := range all {
		all[i] = i
		for t := range in.Tokens {
			in.Tokens[t] = int32(draws.Uint32N(uint32(spec.Vocab)))
		}
		if err := rows.Begin(i, in); err != nil {
			return err
		}
	}
	var out think.Output
	if err := rows.Segment(all, &out); err != nil {
		return err
	}
	began := processTime()
	for k := range r.Repeats {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n, start := 0, time.Now()
		for n == 0 || time.Since(start) < each {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := rows.Segment(all, &out); err != nil {
				return err
			}
			n += r.Batch
		}
		r.SegmentsPerSecond = max(r.SegmentsPerSecond, float64(n)/time.Since(start).Seconds())
		runtime.ReadMemStats(&after)
		if allocs := float64(after.Mallocs-before.Mallocs) / float64(n); k == 0 || allocs < r.AllocsPerSegment {
			r.AllocsPerSegment = allocs
		}
		r.Segments += n
	}
	if used := processTime() - began; used > 0 {
		r.SegmentsPerCPUSecond = float64(r.Segments) / used.Seconds()
	}
	return nil
}
