package trace_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/trace"
)

// TestCopy: a ring, the file of it in memory, and a copy of that have the same steps.
func TestCopy(t *testing.T) {
	h := trace.Header{EnvID: "maze", Agent: trace.Chance, Actions: []string{"a"}}
	ring := trace.NewLive(10, 1<<20)
	for i := range 3 {
		ring.Put(&trace.Step{Index: i, Action: 0, Reward: float64(i)})
	}
	file, err := trace.InMemory(h, func(sink trace.Sink) error {
		for i := range 3 {
			s, err := ring.Step(i)
			if err != nil {
				return err
			}
			if err := sink.Put(s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, file.Header()); diff != "" {
		t.Error(diff)
	}
	var of, again bytes.Buffer
	if err := errors.Join(trace.Copy(&of, h, ring), trace.Copy(&again, file.Header(), file)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(of.Bytes(), again.Bytes()) {
		t.Errorf("the copy of the ring has %d bytes, that of the file %d", of.Len(), again.Len())
	}
	if f, err := trace.NewFile(bytes.NewReader(of.Bytes()), int64(of.Len())); err != nil {
		t.Error(err)
	} else if _, end := f.Range(); end != 3 {
		t.Errorf("%d steps, want 3", end)
	}
	why := errors.New("no more")
	if _, err := trace.InMemory(h, func(trace.Sink) error { return why }); err != why {
		t.Errorf("error %v, want that of who puts", err)
	}
}
