package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/exam"
)

const docs = "../../../docs/"

// TestPage: the page in docs is what this program writes, but for the rows of what the oracles solved,
// which take a while.
func TestPage(t *testing.T) {
	want, err := os.ReadFile(docs + "environments.md")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	row := exam.OracleResult{Env: "maze/15x15-v0", Oracle: "plan", Levels: 1000, Solved: 999, MeanSteps: 21.04, Shortest: 999, Missed: []int{7}}
	if err := writePage(&got, []exam.OracleResult{row}); err != nil {
		t.Fatal(err)
	}
	if want := "| maze/15x15-v0 | 1000 | 450 | 99.9% | 21.0 | 100.0% | - | - | 0 | plan 7 |\n"; !strings.Contains(got.String(), want) {
		t.Errorf("no row %q", want)
	}
	bare := func(page string) (lines []string) {
		for line := range strings.Lines(page) {
			if !strings.Contains(line, "-v0 | ") && !strings.Contains(line, "-v1 | ") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	if diff := cmp.Diff(bare(got.String()), bare(string(want))); diff != "" {
		t.Errorf("run `make docs` (-written +docs/environments.md):\n%s", diff)
	}
}

// TestGallery: so is the picture, pixel by pixel.
func TestGallery(t *testing.T) {
	got, err := drawGallery()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(docs + "environments.png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != want.Bounds() {
		t.Fatalf("run `make docs`: the picture has %v, want %v", got.Bounds(), want.Bounds())
	}
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			r, g, b, a := want.At(x, y).RGBA()
			if c := got.RGBAAt(x, y); uint32(c.R) != r>>8 || uint32(c.G) != g>>8 || uint32(c.B) != b>>8 || uint32(c.A) != a>>8 {
				t.Fatalf("run `make docs`: pixel %v is another", image.Pt(x, y))
			}
		}
	}
}
