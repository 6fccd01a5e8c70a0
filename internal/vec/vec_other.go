//go:build !amd64

package vec

// Kernels names what computes: "avx2" or "go".
func Kernels() string { return "go" }

// Use makes the kernels those of a name, and reports whether this machine has them: for tests, while nothing computes.
func Use(kernels string) bool { return kernels == "go" }

func product(c []float32, ldc int, a []float32, lda, rows int, panel []float32) {
	productPlain(c, ldc, a, lda, rows, panel)
}
func add(dst, a, b []float32) { addPlain(dst, a, b) }
func rmsAdd(out, x, y []float32, width int, inv, eps float32) {
	rmsAddPlain(out, x, y, width, inv, eps)
}
func swiGLU(out, in []float32, width int) { swiGLUPlain(out, in, width) }
func softmax(s []float32, width int)      { softmaxPlain(s, width) }
func convolve3x3(out, in, w []float32, cols, width, stride int) {
	convolve3x3Plain(out, in, w, cols, width, stride)
}
