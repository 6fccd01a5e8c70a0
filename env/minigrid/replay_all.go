package minigrid

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Replayed sums up what ReplayAll did.
type Replayed struct {
	IDs, Episodes, Steps int
	Differ               int // episodes
}

// ReplayAll replays traces, one JSON object after another, compressed by gzip or not, and tells differs
// what is not as it was recorded. When ctx is done the error is context.Cause(ctx).
func ReplayAll(ctx context.Context, traces io.Reader, differs func(what string)) (Replayed, error) {
	var sum Replayed
	r := bufio.NewReaderSize(traces, 1<<16)
	if magic, _ := r.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(r)
		if err != nil {
			return sum, err
		}
		r = bufio.NewReaderSize(z, 1<<16)
	}
	ids := map[string]bool{}
	const most = 256 << 20 // bytes of a trace
	limited := &io.LimitedReader{R: r, N: most}
	dec := json.NewDecoder(limited)
	for n := 1; ; n++ {
		if ctx.Err() != nil {
			return sum, context.Cause(ctx)
		}
		var t Trace
		if err := dec.Decode(&t); limited.N <= 0 {
			return sum, fmt.Errorf("trace %d: more than %d MiB", n, most>>20)
		} else if errors.Is(err, io.EOF) {
			return sum, nil
		} else if err != nil {
			return sum, fmt.Errorf("trace %d: %w", n, err)
		}
		diffs, steps, err := t.Replay()
		if err != nil {
			return sum, fmt.Errorf("trace %d: %w", n, err)
		}
		for _, d := range diffs {
			differs(d)
		}
		limited.N = most
		ids[t.ID] = true
		sum.IDs = len(ids)
		sum.Episodes++
		sum.Steps += steps
		if len(diffs) > 0 {
			sum.Differ++
		}
	}
}
