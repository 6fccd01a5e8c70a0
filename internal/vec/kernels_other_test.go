//go:build !amd64

package vec

import "testing"

// kernels runs a test with what there is.
func kernels(t *testing.T, test func(t *testing.T)) { t.Run(Kernels(), test) }
