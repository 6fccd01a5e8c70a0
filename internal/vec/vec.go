package vec

const (
	// RowStep is the number of rows that a product computes at once.
	RowStep = 6
	// Lanes is the number of columns that a product computes at once; other functions compute as many.
	Lanes = 16
)

// PadRows and Pad round a number of rows and a width up.
func PadRows(n int) int { return (n + RowStep - 1) / RowStep * RowStep }
func Pad(n int) int     { return (n + Lanes - 1) / Lanes * Lanes }

// A Matrix is the right operand of a product, [In, Out], in panels of Lanes columns: element (p, j) is
// Panels[(j/Lanes·In + p)·Lanes + j mod Lanes]. The columns from Out to Pad(Out) are 0.
type Matrix struct {
	In, Out int
	Panels  []float32
}

// NewMatrix is a matrix of zeros.
func NewMatrix(in, out int) Matrix { return Matrix{in, out, make([]float32, in*Pad(out))} }

// SetTransposed fills m with the transpose of w [Out, In], as layers of networks keep their weights.
func (m Matrix) SetTransposed(w []float32) {
	for j := range m.Out {
		m.SetColumn(j, w[j*m.In:(j+1)*m.In])
	}
}

// SetColumn fills column j with x [In].
func (m Matrix) SetColumn(j int, x []float32) {
	panel := m.Panels[j/Lanes*Lanes*m.In+j%Lanes:]
	for p, v := range x[:m.In] {
		panel[p*Lanes] = v
	}
}

// SetRow fills row p with x [Out].
func (m Matrix) SetRow(p int, x []float32) {
	x = x[:m.Out]
	for at := p * Lanes; len(x) > 0; at += m.In * Lanes {
		x = x[copy(m.Panels[at:at+Lanes], x):]
	}
}

// Product is c = a b: rows rows, a multiple of RowStep, of a, of which each has b.In numbers and begins
// lda after the one before it; those of c are Pad(b.Out) wide and begin ldc after each other.
func Product(c []float32, ldc int, a []float32, lda, rows int, b Matrix) {
	width := Pad(b.Out)
	if rows%RowStep != 0 || ldc < width || lda < b.In {
		panic("vec: Product of matrices that are not padded")
	}
	if rows == 0 {
		return
	}
	_, _ = c[(rows-1)*ldc+width-1], a[(rows-1)*lda+b.In-1]
	for j := 0; j < width; j += Lanes {
		product(c[j:], ldc, a, lda, rows, b.Panels[j*b.In:(j+Lanes)*b.In])
	}
}

// Add is dst = a + b; the lengths are a multiple of Lanes.
func Add(dst, a, b []float32) { add(dst, a[:len(dst)], b[:len(dst)]) }

// RMSAdd is out = (x + y) / sqrt(mean((x + y)²) + eps) for each of rows rows, width apart. They hold d
// numbers and, from there to width, which is a multiple of Lanes, 0. out may be x or y.
func RMSAdd(out, x, y []float32, rows, width, d int, eps float32) {
	n := rows * width
	rmsAdd(out[:n], x[:n], y[:n], width, 1/float32(d), eps)
}

// SwiGLU is out = g / (1 + e^-g) u for each of rows rows: in has g and then u, width numbers each, a
// multiple of Lanes.
func SwiGLU(out, in []float32, rows, width int) { swiGLU(out[:rows*width], in[:2*rows*width], width) }

// Softmax replaces each row of s, width apart, a multiple of Lanes, by its softmax.
func Softmax(s []float32, rows, width int) { softmax(s[:rows*width], width) }

// Convolve3x3 is one row of a grid under a depthwise convolution, cols cells of width channels, a multiple
// of Lanes: out[x, i] is the sum over the 3x3 of w[dy·3+dx, i]·in[dy, x+dx, i]. in begins at the cell above
// and to the left of the first; its rows are stride apart.
func Convolve3x3(out, in, w []float32, cols, width, stride int) {
	_, _ = in[2*stride+(cols+2)*width-1], w[9*width-1]
	convolve3x3(out[:cols*width], in, w, cols, width, stride)
}
