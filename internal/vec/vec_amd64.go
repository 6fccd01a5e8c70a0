package vec

import "golang.org/x/sys/cpu"

// avx2 says whether the assembly runs.
var avx2 = hasAVX2()

// hasAVX2 says whether it may: HasAVX2 includes that the system saves the wide registers.
func hasAVX2() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA }

// Kernels names what computes: "avx2" or "go".
func Kernels() string {
	if avx2 {
		return "avx2"
	}
	return "go"
}

// Use makes the kernels those of a name, and reports whether this machine has them: for tests, while nothing computes.
func Use(kernels string) bool {
	switch {
	case kernels == "go":
		avx2 = false
	case kernels == "avx2" && hasAVX2():
		avx2 = true
	default:
		return false
	}
	return true
}

// Those of vec_amd64.s; strides and widths are in floats.

//go:noescape
func productAVX2(c, a, b *float32, ldc, lda, k, tiles int)

//go:noescape
func addAVX2(dst, a, b *float32, n int)

//go:noescape
func rmsAddAVX2(out, x, y *float32, rows, width int, inv, eps float32)

//go:noescape
func swiGLUAVX2(out, in *float32, rows, width int)

//go:noescape
func softmaxAVX2(s *float32, rows, width int)

//go:noescape
func convolve3x3AVX2(out, in, w *float32, cols, width, stride int)

func product(c []float32, ldc int, a []float32, lda, rows int, panel []float32) {
	if !avx2 || len(panel) == 0 {
		productPlain(c, ldc, a, lda, rows, panel)
		return
	}
	productAVX2(&c[0], &a[0], &panel[0], ldc, lda, len(panel)/Lanes, rows/RowStep)
}

func add(dst, a, b []float32) {
	if !avx2 || len(dst) == 0 {
		addPlain(dst, a, b)
		return
	}
	addAVX2(&dst[0], &a[0], &b[0], len(dst))
}

func rmsAdd(out, x, y []float32, width int, inv, eps float32) {
	if !avx2 || len(out) == 0 {
		rmsAddPlain(out, x, y, width, inv, eps)
		return
	}
	rmsAddAVX2(&out[0], &x[0], &y[0], len(out)/width, width, inv, eps)
}

func swiGLU(out, in []float32, width int) {
	if !avx2 || len(out) == 0 {
		swiGLUPlain(out, in, width)
		return
	}
	swiGLUAVX2(&out[0], &in[0], len(out)/width, width)
}

func softmax(s []float32, width int) {
	if !avx2 || len(s) == 0 {
		softmaxPlain(s, width)
		return
	}
	softmaxAVX2(&s[0], len(s)/width, width)
}

func convolve3x3(out, in, w []float32, cols, width, stride int) {
	if !avx2 || len(out) == 0 {
		convolve3x3Plain(out, in, w, cols, width, stride)
		return
	}
	convolve3x3AVX2(&out[0], &in[0], &w[0], cols, width, stride)
}
