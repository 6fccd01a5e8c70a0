package main

import (
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/agent/trace"
)

func TestCheckLayer(t *testing.T) {
	three := trace.Header{Levels: []string{"H", "M", "L"}}
	for _, tt := range []struct {
		layer string
		of    trace.Header
		want  string // part of the error, empty for none
	}{
		{"answer", three, ""},
		{"change-h", three, ""},
		{"change-m", three, ""},
		{"change-x", three, "want one of answer, confidence, change-h, change-m, change-l, none"},
		{"attention-h", three, "want one of"}, // nobody picks a cell
		{"none", trace.Header{}, ""},
		{"change-h", trace.Header{}, ""}, // the oracle in the place of a network
		{"", three, "want one of"},
	} {
		r := recording{layer: tt.layer}
		err := r.checkLayer(tt.of)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("layer %q of levels %v: error %v, want %q", tt.layer, tt.of.Levels, err, tt.want)
		}
	}
}
