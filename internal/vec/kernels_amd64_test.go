package vec

import "testing"

// kernels runs a test with the assembly, where this machine has the instructions, and without.
func kernels(t *testing.T, test func(t *testing.T)) {
	t.Run("go", func(t *testing.T) {
		defer func(was bool) { avx2 = was }(avx2)
		avx2 = false
		test(t)
	})
	t.Run("avx2", func(t *testing.T) {
		if !avx2 {
			t.Skip("no AVX2 and FMA here")
		}
		test(t)
	})
}
