//go:build cgo && !notorch

package hrm

import "testing"

// TestRecordingFails: a shape that cannot be recorded is tried once and goes on without; others are recorded when they have come
// often enough.
func TestRecordingFails(t *testing.T) {
	var r recorder
	bad, good, large := inputShape{batch: 1, seq: 81}, inputShape{batch: 2, seq: 81}, inputShape{batch: recordPositions, seq: 2}
	tries := map[inputShape]int{}
	find := func(key inputShape) *recorded {
		return r.find(key, func() *recorded {
			if tries[key]++; key == bad {
				return nil
			}
			return &recorded{}
		})
	}
	for k := range 2*recordAfter + 2 {
		if rec := find(bad); rec != nil {
			t.Errorf("segment %d: a recording that failed is used", k)
		}
		if rec := find(good); (rec != nil) != (k >= recordAfter) {
			t.Errorf("segment %d: recorded %v, want after %d", k, rec != nil, recordAfter)
		}
		if find(large) != nil {
			t.Errorf("segment %d: a large batch is recorded", k)
		}
	}
	if tries[bad] != 1 || tries[good] != 1 || tries[large] != 0 {
		t.Errorf("tries %v, want one of each that is small", tries)
	}
	r.close()
}
