package exam_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/maze"
)

// TestOracles: a plan walks every maze by a shortest way, and the levels are those of the seeds.
func TestOracles(t *testing.T) {
	entry, _, err := env.Lookup("maze")
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	got, err := exam.Oracles(t.Context(), []env.Entry{entry}, "plan", 5, []string{"openings=0"}, &log)
	if err != nil {
		t.Fatal(err)
	}
	e, err := env.Make("maze", "openings=0")
	if err != nil {
		t.Fatal(err)
	}
	guide, _ := env.As[env.Guide](e)
	sum, most := 0, 0
	for seed := range uint64(5) {
		e.Seed(seed)
		e.Reset(make([]byte, e.Spec().ObsLen))
		n, _ := guide.Shortest()
		sum, most = sum+n, max(most, n)
	}
	want := []exam.OracleResult{{Env: "maze/15x15-v0", Oracle: "plan", Levels: 5, Solved: 5, MeanSteps: float64(sum) / 5, MaxSteps: most, Shortest: 5, Missed: []int{}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if want := "maze/15x15-v0 by plan: 5 of 5\n"; log.String() != want {
		t.Errorf("log %q, want %q", log.String(), want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := exam.Oracles(ctx, []env.Entry{entry}, "", 5, nil, &log); err != context.Canceled {
		t.Errorf("error %v, want that of the context", err)
	}
	log.Reset()
	if got, err := exam.Oracles(t.Context(), []env.Entry{entry}, "", 5, []string{"none=1"}, &log); len(got) > 0 || err != nil || !strings.HasPrefix(log.String(), "skipped: maze/15x15-v0: ") {
		t.Errorf("an option that there is not: %v, %v, log %q", got, err, log.String())
	}
}
