package main

import (
	"fmt"
	"image"
	"image/color"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/grid/draw"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// A shownPuzzle is what data show draws: an input and its answer, nil if unknown or unwanted.
type shownPuzzle struct {
	title     string
	kind      puzzle.Kind
	in, label []int32
}

func newDataShowCmd() *cobra.Command {
	var split, name, kind, png, colour string
	var index, count, tile int
	var answer bool
	cmd := &cobra.Command{
		Use:   "show PATH",
		Short: "Draw puzzles of a dataset, CSV or task file in the terminal or as PNG",
		Long: `Draws puzzles and their answers. PATH is a dataset, a CSV of sudokus or mazes, an ARC task or a folder
of tasks. --png FILE makes a picture instead of text.`,
		Example: `  ponder data show data/sudoku-1k --split test --index 7
  ponder data show data/arc-1 --split train --name 00d62c1b --count 3 --png task.png`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := parseKind(kind)
			if err != nil {
				return err
			}
			if index < 0 || count < 1 || tile < 1 || tile > 200 {
				return usagef("--index %d, --count %d, --tile %d: want at least 0, 1, and 1 to 200", index, count, tile)
			}
			list, err := loadShown(args[0], split, name, k, index, count)
			if err != nil {
				return err
			}
			if !answer {
				for i := range list {
					list[i].label = nil
				}
			}
			if png != "" {
				img, err := paintShown(list, tile)
				if err != nil {
					return err
				}
				return writePNG(png, img)
			}
			ansi := colour == "always"
			switch colour {
			case "auto":
				ansi = isTerminal(cmd.OutOrStdout())
			case "always", "never":
			default:
				return usagef("--color %s: want auto, always or never", colour)
			}
			for i, p := range list {
				if i > 0 {
					fmt.Fprintln(cmd.OutOrStdout())
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n%s", p.title, p.text(ansi))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&split, "split", "", "split of a dataset (default test, or train if there is no other)")
	f.StringVar(&name, "name", "", "show puzzles of this identifier's or task's name only, for example an ARC task")
	f.IntVar(&index, "index", 0, "number of the first puzzle, from 0 on")
	f.IntVar(&count, "count", 1, "how many")
	f.BoolVar(&answer, "answer", true, "draw the answers too")
	f.StringVar(&kind, "kind", "", "what the rows are: sudoku, maze, arc or any (default: what they look like)")
	f.StringVar(&png, "png", "", "write a picture to this file")
	writes(f, "png", aFile)
	f.IntVar(&tile, "tile", 24, "pixels of a cell in the picture")
	f.StringVar(&colour, "color", "auto", "colours in the terminal: auto, always or never")
	return cmd
}

// loadShown reads count puzzles from number index on.
func loadShown(path, split, name string, kind puzzle.Kind, index, count int) ([]shownPuzzle, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	var list []shownPuzzle
	switch {
	case info.IsDir() && isDataset(path):
		list, err = fromDataset(path, split, name, kind, index, count)
	case strings.EqualFold(filepath.Ext(path), ".csv"):
		list, err = fromCSV(path, kind, index, count)
	default:
		list, err = fromTasks(path, name, index, count)
	}
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s: no puzzle %d", path, index)
		if name != "" {
			err = fmt.Errorf("%s: no puzzle %d of the name %q", path, index, name)
		}
	}
	return list, err
}

func isDataset(dir string) bool {
	for _, split := range []string{"train", "test"} {
		if _, err := fs.Stat(os.DirFS(dir), split+"/dataset.json"); err == nil {
			return true
		}
	}
	return false
}

func fromDataset(dir, split, name string, kind puzzle.Kind, index, count int) ([]shownPuzzle, error) {
	if split == "" {
		split = "test"
		if _, err := os.Stat(filepath.Join(dir, split)); err != nil {
			split = "train"
		}
	}
	s, err := puzzle.Open(dir, split)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if kind == "" {
		kind = s.Shape().Kind()
	}
	var list []shownPuzzle
	for p := range s.Puzzles() {
		id, first, end := s.Puzzle(p)
		if task, _ := puzzle.ParseName(s.Name(id)); name != "" && name != s.Name(id) && name != task {
			continue
		}
		for e := first; e < end && len(list) < count; e++ {
			if index > 0 {
				index--
				continue
			}
			shown := shownPuzzle{
				title: fmt.Sprintf("%s example %d", split, e), kind: kind,
				in: make([]int32, s.Meta.SeqLen), label: make([]int32, s.Meta.SeqLen),
			}
			if n := s.Name(id); n != "" && id != int32(s.Meta.BlankIdentifierID) {
				shown.title += ", " + n
			}
			if _, err := s.Example(e, shown.in, shown.label); err != nil {
				return nil, err
			}
			list = append(list, shown)
		}
	}
	return list, nil
}

func fromCSV(path string, kind puzzle.Kind, index, count int) ([]shownPuzzle, error) {
	var list []shownPuzzle
	n := 0
	for row, err := range puzzle.ReadCSVFile(path) {
		if err != nil {
			return nil, err
		}
		if n++; n <= index {
			continue
		}
		p := shownPuzzle{title: fmt.Sprintf("%s, rated %d", row.At, row.Rating), kind: kind}
		if p.kind == "" {
			p.kind = puzzle.SudokuKind
			if strings.ContainsAny(row.Question, "#SG") {
				p.kind = puzzle.MazeKind
			}
		}
		parse := row.Sudoku
		if p.kind == puzzle.MazeKind {
			parse = row.Maze
		}
		if p.in, p.label, err = parse(); err != nil {
			return nil, err
		}
		if list = append(list, p); len(list) == count {
			break
		}
	}
	return list, nil
}

func fromTasks(path, name string, index, count int) ([]shownPuzzle, error) {
	tasks, _, err := puzzle.ReadTasks(path)
	if err != nil {
		return nil, err
	}
	var list []shownPuzzle
	for _, t := range tasks {
		if name != "" && name != t.Name {
			continue
		}
		for _, part := range []struct {
			name  string
			pairs []puzzle.Pair
		}{{"train", t.Train}, {"test", t.Test}} {
			i := 0
			puzzle.FramePairs(nil, part.pairs, func(in, label []int32) {
				title := fmt.Sprintf("%s %s pair %d", t.Name, part.name, i)
				i++
				if index--; index < 0 && len(list) < count {
					list = append(list, shownPuzzle{title, puzzle.ARCKind, append([]int32(nil), in...), append([]int32(nil), label...)})
				}
			})
		}
	}
	return list, nil
}

// boards are the puzzle's pictures: input and, if it is known, answer. path has the cells that the
// answer of a maze marks.
func (p shownPuzzle) boards() (boards []grid.Board, path []int) {
	for i, tokens := range [][]int32{p.in, p.label} {
		if tokens == nil {
			continue
		}
		switch p.kind {
		case puzzle.SudokuKind:
			cells, givens := make([]uint8, len(tokens)), make([]uint8, len(tokens))
			for c := range tokens {
				cells[c], givens[c] = uint8(max(0, tokens[c]-1)), uint8(max(0, p.in[c]-1))
			}
			boards = append(boards, sudoku.BoardOf(cells, givens))
		case puzzle.MazeKind:
			b := squareBoard("maze", tokens)
			for c, t := range tokens {
				kind, ok := map[int32]uint8{int32(maze.TokenWall): maze.KindWall, int32(maze.TokenStart): maze.KindStart, int32(maze.TokenGoal): maze.KindGoal}[t]
				if !ok {
					kind = maze.KindFloor
				}
				b.Cells[c].Kind = kind
				if i == 1 && t == puzzle.MazePath {
					path = append(path, c)
				}
			}
			boards = append(boards, b)
		case puzzle.ARCKind:
			g, _, _, err := puzzle.ReadFrame(tokens)
			if err != nil {
				g = puzzle.Crop(tokens)
			}
			if g.Rows == 0 {
				continue // an answer that is not known
			}
			boards = append(boards, arc.BoardOf(&arc.Grid{Rows: g.Rows, Cols: g.Cols, Cells: g.Cells}))
		default:
			b := squareBoard("", tokens)
			for c, t := range tokens {
				b.Cells[c].Kind = uint8(t) // Ignore is 156
			}
			boards = append(boards, b)
		}
	}
	return boards, path
}

// squareBoard is a board as square as the number of cells allows.
func squareBoard(family string, tokens []int32) grid.Board {
	cols := int(math.Sqrt(float64(len(tokens))))
	for cols < len(tokens) && len(tokens)%cols != 0 {
		cols++
	}
	return grid.Board{Family: family, Rows: len(tokens) / cols, Cols: cols, Cells: make([]grid.Cell, len(tokens))}
}

// text draws input and answer beside each other.
func (p shownPuzzle) text(ansi bool) string {
	var blocks [][]string
	boards, path := p.boards()
	for i, b := range boards {
		var text strings.Builder
		switch b.Family {
		case "sudoku":
			cells := make([]uint8, len(b.Cells))
			for c := range cells {
				cells[c] = b.Cells[c].Kind
			}
			text.Write(sudoku.AppendText(nil, cells))
		default:
			marked := map[int]bool{}
			if i == 1 {
				for _, c := range path {
					marked[c] = true
				}
			}
			for c, cell := range b.Cells {
				switch {
				case b.Family == "maze" && marked[c]:
					text.WriteString("o")
				case b.Family == "maze":
					text.WriteByte(" #SG"[cell.Kind])
				case b.Family == "arc" && ansi:
					k := arc.Palette[cell.Color]
					fmt.Fprintf(&text, "\x1b[48;2;%d;%d;%dm  \x1b[0m", k.R, k.G, k.B)
				case b.Family == "arc":
					fmt.Fprintf(&text, "%d", cell.Color)
				default:
					fmt.Fprintf(&text, "%4d", cell.Kind)
				}
				if (c+1)%b.Cols == 0 {
					text.WriteByte('\n')
				}
			}
		}
		blocks = append(blocks, strings.Split(strings.TrimRight(text.String(), "\n"), "\n"))
	}
	var out strings.Builder
	for row := 0; ; row++ {
		line, more := "", false
		for i, b := range blocks {
			width := len(b[0])
			if boards[i].Family == "arc" && ansi {
				width = 2 * boards[i].Cols
			}
			cell := strings.Repeat(" ", width)
			if row < len(b) {
				cell, more = b[row]+strings.Repeat(" ", max(0, len(b[0])-len(b[row]))), true
			}
			if i > 0 {
				line += "     "
			}
			line += cell
		}
		if !more {
			return out.String()
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// maxPixels bounds the picture of data show.
const maxPixels = 1 << 26

// paintShown draws puzzles below each other, the answer right of its input.
func paintShown(list []shownPuzzle, tile int) (image.Image, error) {
	gap := max(4, tile/2)
	type placed struct {
		grid.Board
		at   image.Rectangle
		path []int
	}
	var all []placed
	w, h := 0, gap
	for _, p := range list {
		boards, path := p.boards()
		x, tallest := gap, 0
		for i, b := range boards {
			if i == 0 {
				all = append(all, placed{Board: b})
			} else {
				all = append(all, placed{Board: b, path: path})
			}
			all[len(all)-1].at = image.Rect(x, h, x+b.Cols*tile, h+b.Rows*tile)
			x += b.Cols*tile + gap
			tallest = max(tallest, b.Rows*tile)
		}
		w, h = max(w, x), h+tallest+gap
	}
	if w*h > maxPixels {
		return nil, usagef("a picture of %d x %d pixels is too large: lower --tile or --count", w, h)
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Fill(img, img.Rect, color.RGBA{0xf4, 0xf4, 0xf2, 0xff})
	for _, b := range all {
		dst := image.NewRGBA(image.Rect(0, 0, b.at.Dx(), b.at.Dy()))
		switch b.Family {
		case "sudoku":
			sudoku.PaintBoard(b.Board, dst)
		case "maze":
			maze.PaintBoard(b.Board, dst)
		case "arc":
			arc.PaintBoard(b.Board, dst)
		default:
			paintTokens(b.Board, dst)
		}
		f := draw.Fit(b.Rows, b.Cols, dst.Rect)
		for _, c := range b.path {
			cx, cy := f.Center(c%b.Cols, c/b.Cols)
			draw.Disc(dst, cx, cy, .2*f.Tile, color.RGBA{0xd8, 0x43, 0x15, 0xff})
		}
		for y := range dst.Rect.Dy() {
			copy(img.Pix[img.PixOffset(b.at.Min.X, b.at.Min.Y+y):], dst.Pix[y*dst.Stride:y*dst.Stride+4*dst.Rect.Dx()])
		}
	}
	return img, nil
}

// paintTokens draws each cell in a colour of its token.
func paintTokens(b grid.Board, dst *image.RGBA) {
	f := draw.Fit(b.Rows, b.Cols, dst.Rect)
	for i, cell := range b.Cells {
		v := uint32(cell.Kind) * 2654435761 // spreads neighbouring tokens (Knuth, TAOCP 6.4)
		draw.Fill(dst, f.Cells(i%b.Cols, i/b.Cols, 1, 1), color.RGBA{uint8(v >> 24), uint8(v >> 16), uint8(v >> 8), 0xff})
	}
}
