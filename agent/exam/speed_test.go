package exam_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/think/thinktest"
)

// TestSpeed: every segment of every repetition is counted, one for each sequence.
func TestSpeed(t *testing.T) {
	toy := &think.Model{Name: "toy", Engine: "go", Core: thinktest.Toy{Vocab: 3, Outputs: 4}}
	cfg := exam.SpeedConfig{Batch: 3, Shape: think.Shape{Seq: 5}, Repeats: 2}
	got, err := exam.Speed(t.Context(), toy, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got.Segments != 6 || got.Batch != 3 || got.Tokens != 5 || got.Model != "toy" || got.SegmentsPerSecond <= 0 {
		t.Errorf("%+v, want 2 segments of 3 sequences", got)
	}
	var text strings.Builder
	if got.Print(&text); !strings.HasPrefix(text.String(), "toy on go (), threads 0, 3 sequences of 5 tokens: ") {
		t.Errorf("printed %q", text.String())
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, err := exam.Speed(ctx, toy, cfg); err != why {
		t.Errorf("error %v, want the cause of the context", err)
	}
	if _, err := exam.Speed(t.Context(), toy, exam.SpeedConfig{Batch: 1}); err == nil {
		t.Error("no repetition is no error")
	}
}
