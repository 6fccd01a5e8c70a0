package trace

import (
	"bytes"
	"io"
)

// Steps are steps that can be looked up: a [File] or a [Live] ring.
type Steps interface {
	Range() (first, end int)
	Step(n int) (*Step, error)
}

// Copy writes the trace of all steps to w.
func Copy(w io.Writer, h Header, steps Steps) error {
	t, err := NewWriter(w, h)
	if err != nil {
		return err
	}
	first, end := steps.Range()
	for n := first; n < end; n++ {
		s, err := steps.Step(n)
		if err != nil {
			return err
		}
		if err := t.Put(s); err != nil {
			return err
		}
	}
	return t.Close()
}

// InMemory is the trace file, in memory, of the steps that put hands to its sink.
func InMemory(h Header, put func(Sink) error) (*File, error) {
	var b bytes.Buffer
	w, err := NewWriter(&b, h)
	if err != nil {
		return nil, err
	}
	if err := put(w); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return NewFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
}
