package vec

import (
	"math"
	"unsafe"
)

// The functions in plain Go.

func productPlain(c []float32, ldc int, a []float32, lda, rows int, panel []float32) {
	k := len(panel) / Lanes
	for i := 0; i < rows; i += 2 {
		x, y := a[i*lda:][:k], a[(i+1)*lda:][:k]
		for j := 0; j < Lanes; j += 4 {
			x0, x1, x2, x3, y0, y1, y2, y3 := tile(x, y, panel[j:])
			*(*[4]float32)(c[i*ldc+j:]) = [4]float32{x0, x1, x2, x3}
			*(*[4]float32)(c[(i+1)*ldc+j:]) = [4]float32{y0, y1, y2, y3}
		}
	}
}

// tile is two rows by the first four columns of a panel: what fits the registers of most machines. By
// itself, and without checks of bounds in the loop, it is 1.4 times as fast in a browser.
//
//go:noinline
func tile(x, y, panel []float32) (x0, x1, x2, x3, y0, y1, y2, y3 float32) {
	if len(x) == 0 {
		return
	}
	y = y[:len(x)]
	_ = panel[(len(x)-1)*Lanes+3]
	b, at := unsafe.Pointer(&panel[0]), 0
	for p, u := range x {
		v, row := y[p], (*[4]float32)(unsafe.Add(b, at))
		at += Lanes * 4 // bytes
		w := row[0]
		x0 += u * w
		y0 += v * w
		w = row[1]
		x1 += u * w
		y1 += v * w
		w = row[2]
		x2 += u * w
		y2 += v * w
		w = row[3]
		x3 += u * w
		y3 += v * w
	}
	return
}

func addPlain(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func rmsAddPlain(out, x, y []float32, width int, inv, eps float32) {
	for at := 0; at < len(out); at += width {
		o, a, b := out[at:at+width], x[at:at+width], y[at:at+width]
		var sums [Lanes]float32
		for i := 0; i < width; i += Lanes {
			o, a, b := o[i:i+Lanes], a[i:i+Lanes], b[i:i+Lanes]
			for j := range sums {
				z := a[j] + b[j]
				o[j] = z
				sums[j] += z * z
			}
		}
		for half := Lanes / 2; half > 2; half /= 2 {
			for j := range half {
				sums[j] += sums[j+half]
			}
		}
		sum := (sums[0] + sums[1]) + (sums[2] + sums[3])
		scale := 1 / float32(math.Sqrt(float64(sum*inv+eps)))
		for i := range o {
			o[i] *= scale
		}
	}
}

func swiGLUPlain(out, in []float32, width int) {
	for at := 0; at < len(out); at += width {
		o, g, u := out[at:at+width], in[2*at:2*at+width], in[2*at+width:2*at+2*width]
		for i, x := range g {
			o[i] = x * u[i] / (1 + exp(-x))
		}
	}
}

func softmaxPlain(s []float32, width int) {
	for at := 0; at < len(s); at += width {
		row := s[at : at+width]
		top := row[0]
		for _, x := range row {
			if x > top { // max would be a call in a browser
				top = x
			}
		}
		var sum float32
		for i, x := range row {
			e := exp(x - top)
			row[i] = e
			sum += e
		}
		scale := 1 / sum
		for i := range row {
			row[i] *= scale
		}
	}
}

func convolve3x3Plain(out, in, w []float32, cols, width, stride int) {
	for x := range cols {
		o := out[x*width : (x+1)*width]
		clear(o)
		for k := range 9 {
			v, u := in[k/3*stride+(x+k%3)*width:][:len(o)], w[k*width:][:len(o)]
			for i := range o {
				o[i] += u[i] * v[i]
			}
		}
	}
}

// exp is e^x to about 2 units in the last place, for x cut to [-87, 88]: x = n ln 2 + r with
// |r| <= ln 2 / 2, a polynomial in r (Cephes' expf), times 2^n.
func exp(x float32) float32 {
	if x < expLow {
		x = expLow
	} else if x > expHigh {
		x = expHigh
	}
	t := x*log2e + round
	f := t - round
	r := x - f*ln2High - f*ln2Low
	p := float32(exp0)
	p = p*r + exp1
	p = p*r + exp2
	p = p*r + exp3
	p = p*r + exp4
	p = p*r + exp5
	p = p*r*r + r + 1
	return p * math.Float32frombits(math.Float32bits(t)<<23) // the last bits of t are those of n + 127
}

const (
	expLow, expHigh = -87, 88
	round           = 0x1.8p23 + 127 // added to a number, it leaves no place for a fraction; 127 is an exponent of 0
	log2e           = 1.44269504088896341
	ln2High         = 0.693359375
	ln2Low          = -2.12194440e-4
	exp0            = 1.9875691500e-4
	exp1            = 1.3981999507e-3
	exp2            = 8.3334519073e-3
	exp3            = 4.1665795894e-2
	exp4            = 1.6666665459e-1
	exp5            = 5.0000001201e-1
)
