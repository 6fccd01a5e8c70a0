//go:build cgo && !notorch

package host

import "testing"

// TestTrainScript runs testdata/train/*.txtar, sessions that train and use networks of a moment.
func TestTrainScript(t *testing.T) { scripts(t, "testdata/train") }
