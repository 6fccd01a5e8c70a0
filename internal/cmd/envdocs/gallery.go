package main

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/ponder-agents/ponder/env"
)

// galleryPanels are those of the picture in the docs.
var galleryPanels = []struct {
	id   string
	seed uint64
}{
	{"MiniGrid-Empty-8x8-v0", 0},
	{"MiniGrid-FourRooms-v0", 1},
	{"MiniGrid-DoorKey-8x8-v0", 2},
	{"MiniGrid-LavaCrossingS11N5-v0", 3},
	{"MiniGrid-SimpleCrossingS11N5-v0", 3},
	{"MiniGrid-LavaGapS7-v0", 1},
	{"MiniGrid-DistShift2-v0", 0},
	{"MiniGrid-Dynamic-Obstacles-8x8-v0", 1},
	{"MiniGrid-MultiRoom-N6-v0", 4},
	{"MiniGrid-MemoryS13Random-v0", 2},
	{"MiniGrid-KeyCorridorS6R3-v0", 1},
	{"MiniGrid-Unlock-v0", 2},
	{"MiniGrid-BlockedUnlockPickup-v0", 3},
	{"MiniGrid-GoToDoor-8x8-v0", 5},
	{"MiniGrid-GoToObject-8x8-N2-v0", 1},
	{"MiniGrid-Fetch-8x8-N3-v0", 1},
	{"MiniGrid-PutNear-8x8-N3-v0", 2},
	{"MiniGrid-RedBlueDoors-8x8-v0", 1},
	{"MiniGrid-LockedRoom-v0", 2},
	{"MiniGrid-ObstructedMaze-Full-v1", 1},
	{"maze", 1},
	{"maze/31x31-v0", 2},
	{"sudoku", 1},
	{"arc", 4},
}

// drawGallery draws one level of each family into one picture.
func drawGallery() (*image.RGBA, error) {
	const cols, panel, gap, caption = 6, 220, 16, 22
	ttf, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	face, err := opentype.NewFace(ttf, &opentype.FaceOptions{Size: 12, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, err
	}
	rows := (len(galleryPanels) + cols - 1) / cols
	img := image.NewRGBA(image.Rect(0, 0, gap+cols*(panel+gap), gap+rows*(panel+caption+gap)))
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{250, 250, 250, 255}), image.Point{}, draw.Src)
	for i, g := range galleryPanels {
		e, err := env.Make(g.id)
		if err != nil {
			return nil, err
		}
		e.Seed(g.seed)
		e.Reset(make([]byte, e.Spec().ObsLen))
		b, ok := env.As[env.Boarder](e)
		if !ok {
			return nil, fmt.Errorf("%s cannot be drawn", g.id)
		}
		board := b.Board()
		pic, err := env.Picture(e, max(panel/max(board.Cols, board.Rows), 1))
		if err != nil {
			return nil, err
		}
		x, y := gap+i%cols*(panel+gap), gap+i/cols*(panel+caption+gap)
		at := image.Pt(x+(panel-pic.Rect.Dx())/2, y+(panel-pic.Rect.Dy())/2)
		draw.Draw(img, pic.Rect.Add(at), pic, image.Point{}, draw.Over)
		d := font.Drawer{Dst: img, Src: image.Black, Face: face}
		label := strings.TrimPrefix(e.Spec().ID, "MiniGrid-")
		d.Dot = fixed.P(x+(panel-d.MeasureString(label).Round())/2, y+panel+15)
		d.DrawString(label)
	}
	return img, nil
}
