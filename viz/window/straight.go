package window

import "image"

// straight appends the pixels of img with colours that are not multiplied by their alpha, as a browser's
// ImageData has them.
func straight(dst []byte, img *image.RGBA) []byte {
	w := 4 * img.Rect.Dx()
	for y := range img.Rect.Dy() {
		dst = append(dst, img.Pix[y*img.Stride:][:w]...)
	}
	for i := 0; i+3 < len(dst); i += 4 {
		a := uint32(dst[i+3])
		if a == 255 || a == 0 {
			continue
		}
		p := dst[i : i+3]
		for k, v := range p {
			p[k] = uint8(min((uint32(v)*255+a/2)/a, 255))
		}
	}
	return dst
}
