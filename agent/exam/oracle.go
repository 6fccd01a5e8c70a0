package exam

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/ponder-agents/ponder/env"
)

// An OracleResult is how an oracle fared on the levels of an environment.
type OracleResult struct {
	Env        string  `json:"env"`
	Oracle     string  `json:"oracle"`
	Levels     int     `json:"levels"`
	Solved     int     `json:"solved"`
	Unsolvable int     `json:"unsolvable"` // of those not solved, proved to be so
	MeanSteps  float64 `json:"mean_steps"` // of those solved
	MaxSteps   int     `json:"max_steps"`  // most steps of those solved
	Shortest   int     `json:"shortest"`   // proved to be so, of those solved
	Missed     []int   `json:"missed"`     // first seeds neither solved nor proved unsolvable
}

// Oracle plays the levels of the seeds 0 to n-1 by an oracle of the entry.
func Oracle(ctx context.Context, entry env.Entry, oracle env.OracleEntry, n int, options []string) (OracleResult, error) {
	r := OracleResult{Env: entry.ID, Oracle: oracle.Name, Levels: n, Missed: []int{}}
	e, err := env.Make(entry.ID, options...)
	if err != nil {
		return r, err
	}
	inner := env.Innermost(e)
	o, err := oracle.Open(inner)
	if err != nil {
		return r, err
	}
	obs := make([]byte, e.Spec().ObsLen)
	steps := 0
	for seed := range n {
		if ctx.Err() != nil {
			return r, context.Cause(ctx)
		}
		e.Seed(uint64(seed))
		e.Reset(obs)
		hopeless := entry.Unsolvable != nil && entry.Unsolvable(inner)
		shortest, out, k := true, env.Outcome{}, 0
		for !out.Done() {
			a, err := o.Act()
			if err != nil {
				break
			}
			if s, ok := o.(interface{ Shortest() bool }); k == 0 && (!ok || !s.Shortest()) {
				shortest = false
			}
			out = e.Step(a, obs)
			k++
		}
		switch {
		case out.Terminated && out.Reward > 0:
			r.Solved++
			steps += k
			r.MaxSteps = max(r.MaxSteps, k)
			if shortest {
				r.Shortest++
			}
		case hopeless:
			r.Unsolvable++
		case len(r.Missed) < 10:
			r.Missed = append(r.Missed, seed)
		}
	}
	if r.Solved > 0 {
		r.MeanSteps = float64(steps) / float64(r.Solved)
	}
	return r, nil
}

// Oracles does so for the oracles of the entries that have the name, or for all if it is empty, on all
// processors. It tells log of each that is done, and of entries that cannot be opened with the options.
func Oracles(ctx context.Context, entries []env.Entry, name string, n int, options []string, log io.Writer) ([]OracleResult, error) {
	type job struct {
		entry  env.Entry
		oracle env.OracleEntry
	}
	var jobs []job
	for _, e := range entries {
		if _, err := env.Make(e.ID, options...); err != nil {
			fmt.Fprintf(log, "skipped: %v\n", err)
			continue
		}
		for _, o := range e.Oracles {
			if name == "" || o.Name == name {
				jobs = append(jobs, job{e, o})
			}
		}
	}
	results := make([]OracleResult, len(jobs))
	errs := make([]error, len(jobs))
	var wg sync.WaitGroup
	var say sync.Mutex
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				r, err := Oracle(ctx, jobs[i].entry, jobs[i].oracle, n, options)
				results[i], errs[i] = r, err
				say.Lock()
				fmt.Fprintf(log, "%s by %s: %d of %d\n", r.Env, r.Oracle, r.Solved, r.Levels)
				say.Unlock()
			}
		})
	}
	for i := range jobs {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}
