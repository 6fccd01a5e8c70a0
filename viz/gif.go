package viz

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/internal/output"
)

// A quantizer turns pixels into the indices of a palette that is fixed for a whole film, by looking
// them up. (draw.Draw into an image.Paletted searches the palette for every pixel: 750 times slower.)
type quantizer struct {
	palette color.Palette
	index   [1 << 16]uint8 // by the upper 5, 6 and 5 bits of red, green and blue
}

func bucket(r, g, b uint8) int { return int(r>>3)<<11 | int(g>>2)<<5 | int(b>>3) }

// newQuantizer chooses the most frequent colours of the samples, exactly, and a coarse cube of all
// colours for the rest.
func newQuantizer(samples ...*image.RGBA) *quantizer {
	count := make(map[[3]uint8]int)
	for _, img := range samples {
		for i := 0; i+4 <= len(img.Pix); i += 4 {
			count[[3]uint8(img.Pix[i:i+3])]++
		}
	}
	colors := make([][3]uint8, 0, len(count))
	for c := range count {
		colors = append(colors, c)
	}
	slices.SortFunc(colors, func(a, b [3]uint8) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), slices.Compare(a[:], b[:]))
	})
	const frequent = 256 - 4*4*4
	colors = colors[:min(len(colors), frequent)]
	for i := range 4 * 4 * 4 {
		colors = append(colors, [3]uint8{uint8(i / 16 * 85), uint8(i / 4 % 4 * 85), uint8(i % 4 * 85)})
	}
	q := &quantizer{}
	for _, c := range colors {
		q.palette = append(q.palette, color.RGBA{c[0], c[1], c[2], 255})
	}
	for i := range q.index {
		r, g, b := i>>11<<3|4, i>>5&63<<2|2, i&31<<3|4
		best, least := 0, 1<<30
		for k, c := range colors {
			dr, dg, db := r-int(c[0]), g-int(c[1]), b-int(c[2])
			if d := 2*dr*dr + 4*dg*dg + 3*db*db; d < least {
				best, least = k, d
			}
		}
		q.index[i] = uint8(best)
	}
	// A colour of the palette is itself, the most frequent of those in one bucket.
	for k := len(colors) - 1; k >= 0; k-- {
		c := colors[k]
		q.index[bucket(c[0], c[1], c[2])] = uint8(k)
	}
	return q
}

func (q *quantizer) image(img *image.RGBA) *image.Paletted {
	size := img.Rect.Size()
	p := image.NewPaletted(image.Rectangle{Max: size}, q.palette)
	for y := range size.Y {
		row := img.Pix[y*img.Stride:]
		dst := p.Pix[y*p.Stride : y*p.Stride+size.X]
		for x := range dst {
			dst[x] = q.index[bucket(row[4*x], row[4*x+1], row[4*x+2])]
		}
	}
	return p
}

// changedArea is the smallest rectangle in which a and b, of one size, differ.
func changedArea(a, b *image.Paletted) image.Rectangle {
	var r image.Rectangle
	w := a.Rect.Dx()
	for y := range a.Rect.Dy() {
		p, q := a.Pix[y*a.Stride:y*a.Stride+w], b.Pix[y*b.Stride:y*b.Stride+w]
		if slices.Equal(p, q) {
			continue
		}
		x0, x1 := 0, w
		for p[x0] == q[x0] {
			x0++
		}
		for p[x1-1] == q[x1-1] {
			x1--
		}
		r = r.Union(image.Rect(x0, y, x1, y+1))
	}
	return r
}

// WriteGIF writes the film of r as an animated GIF that repeats forever. progress, if not nil, is told
// how many of all frames are done. Where ctx ends, the film ends with the frames that are drawn, and the
// error is ctx's cause.
func WriteGIF(ctx context.Context, w io.Writer, r *Reel, progress func(done, all int)) error {
	cuts, err := r.Cuts()
	if err != nil {
		return err
	}
	var samples []*image.RGBA
	for _, i := range []int{0, len(cuts) / 2, len(cuts) - 1} {
		img, err := r.Draw(cuts[i])
		if err != nil {
			return err
		}
		samples = append(samples, img)
	}
	q := newQuantizer(samples...)
	out := &gif.GIF{}
	var last *image.Paletted
	var due time.Duration // of hundredths not yet spent
	for i, c := range cuts {
		if ctx.Err() != nil {
			break
		}
		img, err := r.Draw(c)
		if err != nil {
			return err
		}
		p := q.image(img)
		due += c.Hold
		hundredths := int(due / (10 * time.Millisecond))
		due -= time.Duration(hundredths) * 10 * time.Millisecond
		if progress != nil {
			progress(i+1, len(cuts))
		}
		if last != nil {
			area := changedArea(last, p)
			if area.Empty() {
				out.Delay[len(out.Delay)-1] += hundredths
				continue
			}
			last = p
			// A copy, so that the whole frame can be freed.
			part := image.NewPaletted(area, q.palette)
			for y := area.Min.Y; y < area.Max.Y; y++ {
				copy(part.Pix[(y-area.Min.Y)*part.Stride:], p.Pix[p.PixOffset(area.Min.X, y):p.PixOffset(area.Max.X, y)])
			}
			p = part
		} else {
			last = p
		}
		out.Image = append(out.Image, p)
		out.Delay = append(out.Delay, hundredths)
		out.Disposal = append(out.Disposal, gif.DisposalNone)
	}
	if len(out.Image) > 0 {
		if err := gif.EncodeAll(w, out); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// ErrNoFFmpeg is what WriteVideo returns where ffmpeg is not installed.
var ErrNoFFmpeg = errors.New("ffmpeg is not installed: install it, or record a .gif")

// VideoFPS is the frame rate of videos.
const VideoFPS = 25

// WriteVideo writes the film of r to path by ffmpeg, as H.264 for .mp4 and VP9 for .webm. What stood
// at path is replaced only by a film that can be played. Where ctx ends, that has the frames that are
// drawn, and the error is ctx's cause.
func WriteVideo(ctx context.Context, path string, r *Reel, progress func(done, all int)) error {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		return ErrNoFFmpeg
	}
	if err := output.WriteNamed(path, func(name string) error { return encode(ctx, name, r, progress) }); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// encode writes the film over the file at path.
func encode(ctx context.Context, path string, r *Reel, progress func(done, all int)) error {
	cuts, err := r.Cuts()
	if err != nil {
		return err
	}
	o := r.Options.filled()
	ext := filepath.Ext(path)
	codec := []string{"-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-movflags", "+faststart"}
	if ext == ".webm" {
		codec = []string{"-c:v", "libvpx-vp9", "-crf", "30", "-b:v", "0"}
	}
	args := append([]string{
		"-hide_banner", "-loglevel", "error", "-y",
		"-f", "rawvideo", "-pix_fmt", "rgba", "-s", fmt.Sprintf("%dx%d", o.Width, o.Height), "-r", strconv.Itoa(VideoFPS), "-i", "-",
		// The codecs need even sides.
		"-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p",
	}, codec...)
	cmd := exec.Command("ffmpeg", append(args, path)...)
	apart(cmd) // Ctrl-C is for us: ffmpeg ends its film when we end ours
	var said strings.Builder
	cmd.Stderr = &said
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("ffmpeg: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("ffmpeg: %w", err)
	}
	var due time.Duration
	const frame = time.Second / VideoFPS
	for i, c := range cuts {
		if i > 0 && ctx.Err() != nil {
			break
		}
		var img *image.RGBA
		if img, err = r.Draw(c); err != nil {
			break
		}
		for due += c.Hold; due >= frame && err == nil; due -= frame {
			_, err = pipe.Write(img.Pix)
		}
		if err != nil {
			break // ffmpeg says why
		}
		if progress != nil {
			progress(i+1, len(cuts))
		}
	}
	err = errors.Join(err, pipe.Close())
	if wait := cmd.Wait(); wait != nil {
		return fmt.Errorf("ffmpeg: %w: %s", wait, strings.TrimSpace(said.String()))
	}
	if err != nil {
		return fmt.Errorf("ffmpeg: %w", err)
	}
	return nil
}

// WritePNG writes img, with a word that says that it is ours.
func WritePNG(w io.Writer, img image.Image) error {
	e := png.Encoder{CompressionLevel: png.BestCompression}
	var b bytes.Buffer
	if err := e.Encode(&b, img); err != nil {
		return err
	}
	head := b.Next(pngHead)
	_, err := w.Write(slices.Concat(head, signature(), b.Bytes()))
	return err
}

// pngHead is the length of what every PNG begins with: eight bytes and the chunk IHDR.
const pngHead = 8 + 12 + 13

// signature is a chunk of a PNG: length(u32) "tEXt" text crc(u32), big endian.
func signature() []byte {
	const text = "tEXtSoftware\x00ponder"
	b := binary.BigEndian.AppendUint32(nil, uint32(len(text)-len("tEXt")))
	b = append(b, text...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte(text)))
}

// IsOurs reports whether r begins as what WritePNG writes.
func IsOurs(r io.Reader) bool {
	b := make([]byte, pngHead+len(signature()))
	_, err := io.ReadFull(r, b)
	return err == nil && bytes.HasPrefix(b, []byte("\x89PNG\r\n")) && bytes.Equal(b[pngHead:], signature())
}
