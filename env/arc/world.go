package arc

import (
	"errors"
	"fmt"
	"image"
	"slices"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/rng"
)

// Actions of a World. Paint + c and Flood + c do it with colour c.
const (
	Up    = iota // move the cursor
	Down         //
	Left         //
	Right        //
	Paint        // the selected rectangle, or else the cursor's cell

	Flood = Paint + Colors // the cells of one colour connected to the cursor's
)

// The actions after the colours'.
const (
	Select   = Flood + Colors + iota // begin a rectangle at the cursor, or drop the one begun
	Copy                             // what is selected to the clipboard
	Take                             // the same part of the input to the clipboard
	Paste                            // the clipboard, its top left corner at the cursor
	Input                            // make the canvas a copy of the input
	Taller                           // one row more, below
	Shorter                          //
	Wider                            // one column more, at the right
	Narrower                         //
	Submit                           // ask whether the canvas is the answer
	actions                          // how many there are
)

// Reward is the shape of the rewards, before costs.
type Reward uint8

// The shapes.
const (
	BySolved   Reward = iota // 1 for the right answer
	ByProgress               // half for that, half for each step's change in partial credit (Grid.Share)
)

// A WorldConfig describes a World: a Task, or else a Rule that makes a new task for each episode.
type WorldConfig struct {
	Task    *Task  // its tests' outputs must be known
	Rule    string // one of Rules; without meaning if there is a Task
	Size    int    // Rule: most rows and columns of an input, 3 to 30; 0 means 5
	Demos   int    // demonstrations in the observation, up to 16; 0 means all (Task) or 3 (Rule), -1 none
	Test    int    // Task: which test, from 1; 0 draws one for each episode
	Augment bool   // turn or mirror the task and rename its colours but 0, anew for each episode

	Trials   int // answers that may be submitted, up to 9; 0 means 2, as in ARC's contest
	Reward   Reward
	MoveCost float64 // taken from the reward of every step
	MaxSteps int     // truncates an episode; 0 means 200 + 4 for each cell of the largest output
}

const maxDemos = 16

// A World is a task to solve with the tools of an editor: an env.Env with the actions Up to Submit.
// The canvas begins as 3x3 cells of colour 0. A tool with nothing to do changes nothing. The episode
// ends with the right answer or with the last wrong one.
//
// The observation, in tokens: canvas, input, marks, clipboard, each [30, 30], the number of trials
// left, [1], and the demonstrations, [demos, 2, 30, 30]. Grids are as Grid.Frame writes them; marks
// are 1 for selected cells and 2 at the cursor.
type World struct {
	cfg  WorldConfig
	spec env.Spec
	rule *rule
	rng  *rng.Rand

	demos      []Pair
	question   Grid
	answer     Grid
	canvas     Grid
	clip       Grid // no rows: empty
	row, col   int  // cursor
	selecting  bool
	row0, col0 int // where the selection began
	trials     int
	steps      int
	live       bool

	drawn   Task   // the rule's, its memory used again
	spare   Grid   // for paste and resize
	stack   []int  // for flood
	framed  []byte // the observation's part that is constant in an episode: input, demonstrations
	partial float64
}

// steps is the limit of an episode whose output may have so many cells.
func steps(cells int) int { return 200 + 4*cells }

// NewWorld makes a World that reports id; an error says what of cfg is wrong.
func NewWorld(id string, cfg WorldConfig) (*World, error) {
	largest, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	if cfg.MaxSteps == 0 {
		cfg.MaxSteps = steps(largest)
	}
	frame := []int{MaxSide, MaxSide}
	w := &World{
		cfg: cfg,
		spec: env.Spec{
			ID: id,
			Layout: []env.Field{
				{Name: "canvas", Shape: frame},
				{Name: "input", Shape: frame},
				{Name: "marks", Shape: frame},
				{Name: "clipboard", Shape: frame},
				{Name: "trials", Shape: []int{1}},
			},
			Vocab:    int(TokenColor) + Colors,
			Actions:  actionNames(),
			MaxSteps: cfg.MaxSteps,
			Fixed:    cfg.Task != nil && !cfg.Augment && (cfg.Test > 0 || len(cfg.Task.Test) == 1),
		},
		rule:   ruleOf(cfg.Rule),
		rng:    rng.Stream(0, "arc"),
		stack:  make([]int, 0, FrameLen),
		framed: make([]byte, (1+2*max(cfg.Demos, 0))*FrameLen),
	}
	if cfg.Demos > 0 {
		w.spec.Layout = append(w.spec.Layout, env.Field{Name: "demos", Shape: []int{cfg.Demos, 2, MaxSide, MaxSide}})
	}
	for _, f := range w.spec.Layout {
		w.spec.ObsLen += f.Len()
	}
	for _, g := range []*Grid{&w.question, &w.answer, &w.canvas, &w.clip, &w.spare} {
		g.Resize(MaxSide, MaxSide) // all the memory that it will ever need
	}
	w.begin() // so that there is a task to show before the first Reset
	w.live = false
	w.rng.Reseed(0, "arc")
	return w, nil
}

// complete fills in the defaults and returns the number of cells of the largest output.
func (cfg *WorldConfig) complete() (largest int, err error) {
	if cfg.Trials == 0 {
		cfg.Trials = 2
	}
	if cfg.Size == 0 {
		cfg.Size = 5
	}
	if cfg.Demos == 0 {
		cfg.Demos = 3
		if cfg.Task != nil {
			cfg.Demos = min(len(cfg.Task.Train), maxDemos)
		}
	}
	switch {
	case cfg.Trials < 0 || cfg.Trials > 9:
		return 0, fmt.Errorf("arc: %d trials: want 1 to 9", cfg.Trials)
	case cfg.Demos < -1 || cfg.Demos > maxDemos:
		return 0, fmt.Errorf("arc: %d demonstrations: want -1 to %d", cfg.Demos, maxDemos)
	case cfg.MaxSteps < 0 || cfg.MaxSteps > 1<<30:
		return 0, fmt.Errorf("arc: limit of %d steps", cfg.MaxSteps)
	case cfg.Reward > ByProgress:
		return 0, fmt.Errorf("arc: reward %d is unknown", cfg.Reward)
	case cfg.Size < 3 || cfg.Size > MaxSide:
		return 0, fmt.Errorf("arc: size %d: want 3 to %d", cfg.Size, MaxSide)
	}
	if cfg.Task == nil {
		if ruleOf(cfg.Rule) == nil {
			return 0, fmt.Errorf("arc: rule %q is unknown", cfg.Rule)
		}
		side := cfg.Size
		if cfg.Rule == "double" {
			side = min(2*side, MaxSide)
		}
		return side * side, nil
	}
	t := cfg.Task
	if len(t.Test) == 0 || cfg.Test < 0 || cfg.Test > len(t.Test) {
		return 0, fmt.Errorf("arc: %s: test %d of %d", t.Name, cfg.Test, len(t.Test))
	}
	for i := range t.Test {
		if t.Test[i].Output.Rows == 0 {
			return 0, fmt.Errorf("arc: %s: the output of test[%d] is not known", t.Name, i)
		}
		largest = max(largest, len(t.Test[i].Output.Cells))
	}
	return largest, nil
}

func actionNames() []string {
	names := []string{"up", "down", "left", "right"}
	for _, tool := range []string{"paint", "flood"} {
		for c := range Colors {
			names = append(names, fmt.Sprintf("%s %d", tool, c))
		}
	}
	return append(names, "select", "copy", "take", "paste", "input", "taller", "shorter", "wider", "narrower", "submit")
}

// Spec implements env.Env.
func (w *World) Spec() env.Spec { return w.spec }

// Seed implements env.Env.
func (w *World) Seed(seed uint64) { w.rng.Reseed(seed, "arc") }

// Limit implements env.Limiter.
func (w *World) Limit() int { return w.cfg.MaxSteps }

// Mission implements env.Missioner.
func (w *World) Mission() string { return "find the output that belongs to the input" }

// Canvas is what the agent has drawn, Question the input, Answer the output to be found, Demos the
// demonstrations. They are the World's own: valid until its next step, not to be written.
func (w *World) Canvas() *Grid { return &w.canvas }

// Question is the input; see Canvas.
func (w *World) Question() *Grid { return &w.question }

// Answer is the output to be found; see Canvas.
func (w *World) Answer() *Grid { return &w.answer }

// Demos is the demonstrations; see Canvas.
func (w *World) Demos() []Pair { return w.demos }

// begin draws a task, or a form of the given one, and starts an episode.
func (w *World) begin() {
	t, test, turn, colors := w.cfg.Task, w.cfg.Test-1, 0, sameColors
	if t == nil {
		t, test = &w.drawn, 0
		w.rule.draw(t, max(w.cfg.Demos, 1), w.cfg.Size, w.rng.Rand)
	}
	if test < 0 {
		test = w.rng.IntN(len(t.Test))
	}
	if w.cfg.Augment {
		turn = w.rng.IntN(8)
		for i := Colors - 1; i > 1; i-- {
			j := 1 + w.rng.IntN(i)
			colors[i], colors[j] = colors[j], colors[i]
		}
	}
	w.demos = resizePairs(w.demos, min(len(t.Train), maxDemos))
	for i := range w.demos {
		w.demos[i].Input.Transform(&t.Train[i].Input, turn, &colors)
		w.demos[i].Output.Transform(&t.Train[i].Output, turn, &colors)
	}
	w.question.Transform(&t.Test[test].Input, turn, &colors)
	w.answer.Transform(&t.Test[test].Output, turn, &colors)
	w.enter()
}

// enter starts an episode on the task.
func (w *World) enter() {
	w.canvas.Resize(3, 3)
	w.clip.Resize(0, 0)
	w.row, w.col, w.selecting, w.row0, w.col0 = 0, 0, false, 0, 0
	w.trials, w.steps, w.live = w.cfg.Trials, 0, true
	w.frame()
}

func (w *World) frame() {
	clear(w.framed)
	w.question.Frame(w.framed)
	for i := range min(len(w.demos), w.cfg.Demos) {
		w.demos[i].Input.Frame(w.framed[(1+2*i)*FrameLen:])
		w.demos[i].Output.Frame(w.framed[(2+2*i)*FrameLen:])
	}
	w.partial = w.canvas.Share(&w.answer)
}

// Observe writes the observation of the present state, as after an Edit.
func (w *World) Observe(obs []byte) {
	_ = obs[w.spec.ObsLen-1]
	w.canvas.Frame(obs)
	copy(obs[FrameLen:], w.framed[:FrameLen])
	marks := obs[2*FrameLen : 3*FrameLen]
	clear(marks)
	if w.selecting {
		r0, c0, r1, c1 := w.selected()
		for r := r0; r <= r1; r++ {
			for c := c0; c <= c1; c++ {
				marks[r*MaxSide+c] = 1
			}
		}
	}
	marks[w.row*MaxSide+w.col] = 2
	w.clip.Frame(obs[3*FrameLen:])
	obs[4*FrameLen] = byte(w.trials)
	copy(obs[4*FrameLen+1:w.spec.ObsLen], w.framed[FrameLen:])
}

// selected is the rectangle that the tools work on, both corners within: the cursor's cell if none
// is selected.
func (w *World) selected() (r0, c0, r1, c1 int) {
	if !w.selecting {
		return w.row, w.col, w.row, w.col
	}
	return min(w.row, w.row0), min(w.col, w.col0), max(w.row, w.row0), max(w.col, w.col0)
}

// Reset implements env.Env.
func (w *World) Reset(obs []byte) {
	w.begin()
	w.Observe(obs)
}

// Step implements env.Env.
func (w *World) Step(action int, obs []byte) env.Outcome {
	if !w.live {
		panic("arc: step after the end of the episode")
	}
	if action < 0 || action >= actions {
		panic(fmt.Sprintf("arc: action %d, want 0 to %d", action, actions-1))
	}
	w.steps++
	out := env.Outcome{Reward: -w.cfg.MoveCost, Truncated: w.steps >= w.cfg.MaxSteps}
	if action == Submit {
		w.trials--
		right := w.canvas.Equal(&w.answer)
		out.Terminated = right || w.trials == 0
		switch {
		case right && w.cfg.Reward == ByProgress:
			out.Reward += .5
		case right:
			out.Reward++
		}
	} else if w.use(action) && w.cfg.Reward == ByProgress {
		before := w.partial
		w.partial = w.canvas.Share(&w.answer)
		out.Reward += (w.partial - before) / 2
	}
	w.live = !out.Done()
	w.Observe(obs)
	return out
}

// use applies a tool and reports whether it changed the canvas.
func (w *World) use(action int) bool {
	g := &w.canvas
	switch {
	case action == Up:
		w.row = max(w.row-1, 0)
	case action == Down:
		w.row = min(w.row+1, g.Rows-1)
	case action == Left:
		w.col = max(w.col-1, 0)
	case action == Right:
		w.col = min(w.col+1, g.Cols-1)
	case action < Flood:
		r0, c0, r1, c1 := w.selected()
		for r := r0; r <= r1; r++ {
			for c := c0; c <= c1; c++ {
				g.Cells[r*g.Cols+c] = uint8(action - Paint)
			}
		}
		return true
	case action < Select:
		w.flood(uint8(action - Flood))
		return true
	case action == Select:
		w.selecting = !w.selecting
		w.row0, w.col0 = w.row, w.col
	case action == Copy:
		r0, c0, r1, c1 := w.selected()
		w.clip.cut(g, r0, c0, r1, c1)
	case action == Take:
		r0, c0, r1, c1 := w.selected()
		if r0 < w.question.Rows && c0 < w.question.Cols {
			w.clip.cut(&w.question, r0, c0, min(r1, w.question.Rows-1), min(c1, w.question.Cols-1))
		}
	case action == Paste:
		for r := range min(w.clip.Rows, g.Rows-w.row) {
			n := min(w.clip.Cols, g.Cols-w.col)
			copy(g.Cells[(w.row+r)*g.Cols+w.col:][:n], w.clip.Cells[r*w.clip.Cols:])
		}
		return true
	case action == Input:
		g.CopyFrom(&w.question)
		w.resized()
		return true
	case action == Taller:
		w.resize(g.Rows+1, g.Cols)
		return true
	case action == Shorter:
		w.resize(g.Rows-1, g.Cols)
		return true
	case action == Wider:
		w.resize(g.Rows, g.Cols+1)
		return true
	case action == Narrower:
		w.resize(g.Rows, g.Cols-1)
		return true
	}
	return false
}

// cut makes g a copy of a part of o, both corners within.
func (g *Grid) cut(o *Grid, r0, c0, r1, c1 int) {
	g.Resize(r1-r0+1, c1-c0+1)
	for r := range g.Rows {
		copy(g.Cells[r*g.Cols:(r+1)*g.Cols], o.Cells[(r0+r)*o.Cols+c0:])
	}
}

// resize changes the canvas, its top left part kept, unless the size is not allowed.
func (w *World) resize(rows, cols int) {
	if rows < 1 || cols < 1 || rows > MaxSide || cols > MaxSide {
		return
	}
	w.spare.CopyFrom(&w.canvas)
	w.canvas.Resize(rows, cols)
	for r := range min(rows, w.spare.Rows) {
		n := min(cols, w.spare.Cols)
		copy(w.canvas.Cells[r*cols:][:n], w.spare.Cells[r*w.spare.Cols:])
	}
	w.resized()
}

// resized brings the cursor back into the canvas and drops the selection.
func (w *World) resized() {
	w.row, w.col = min(w.row, w.canvas.Rows-1), min(w.col, w.canvas.Cols-1)
	w.selecting = false
}

// flood paints the cells of one colour that are connected to the cursor's by their sides.
func (w *World) flood(color uint8) {
	g := &w.canvas
	first := w.row*g.Cols + w.col
	old := g.Cells[first]
	if old == color {
		return
	}
	g.Cells[first] = color
	stack := append(w.stack[:0], first)
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		r, c := at/g.Cols, at%g.Cols
		for dir := range 4 {
			nr, nc := r+[4]int{-1, 1, 0, 0}[dir], c+[4]int{0, 0, -1, 1}[dir]
			if nr < 0 || nc < 0 || nr >= g.Rows || nc >= g.Cols || g.Cells[nr*g.Cols+nc] != old {
				continue
			}
			g.Cells[nr*g.Cols+nc] = color
			stack = append(stack, nr*g.Cols+nc)
		}
	}
}

// ActionMask implements env.Masker: the tools that would change anything. Submit always does.
func (w *World) ActionMask(dst []bool) {
	g := &w.canvas
	r0, c0, r1, c1 := w.selected()
	var has [Colors]bool // colours in the rectangle
	kinds := 0
	for r := r0; r <= r1; r++ {
		for c := c0; c <= c1; c++ {
			if color := g.Cells[r*g.Cols+c]; !has[color] {
				has[color] = true
				kinds++
			}
		}
	}
	under := g.Cells[w.row*g.Cols+w.col]
	for c := range Colors {
		dst[Paint+c] = !has[c] || kinds > 1
		dst[Flood+c] = int(under) != c
	}
	dst[Up], dst[Down], dst[Left], dst[Right] = w.row > 0, w.row < g.Rows-1, w.col > 0, w.col < g.Cols-1
	dst[Select] = true
	dst[Copy] = !w.clip.same(g, r0, c0, r1, c1)
	dst[Take] = r0 < w.question.Rows && c0 < w.question.Cols &&
		!w.clip.same(&w.question, r0, c0, min(r1, w.question.Rows-1), min(c1, w.question.Cols-1))
	dst[Paste] = w.clip.Rows > 0 && !w.pasted()
	dst[Input] = !g.Equal(&w.question) || w.selecting
	dst[Taller], dst[Shorter] = g.Rows < MaxSide, g.Rows > 1
	dst[Wider], dst[Narrower] = g.Cols < MaxSide, g.Cols > 1
	dst[Submit] = true
}

// same reports whether g equals a part of o, both corners within.
func (g *Grid) same(o *Grid, r0, c0, r1, c1 int) bool {
	if g.Rows != r1-r0+1 || g.Cols != c1-c0+1 {
		return false
	}
	for i, c := range g.Cells {
		if c != o.Cells[(r0+i/g.Cols)*o.Cols+c0+i%g.Cols] {
			return false
		}
	}
	return true
}

// pasted reports whether the clipboard's content lies already where Paste would put it.
func (w *World) pasted() bool {
	for i, c := range w.clip.Cells {
		r, col := w.row+i/w.clip.Cols, w.col+i%w.clip.Cols
		if r < w.canvas.Rows && col < w.canvas.Cols && w.canvas.Cells[r*w.canvas.Cols+col] != c {
			return false
		}
	}
	return true
}

// Level implements env.Leveler: the task as the agent sees it, as JSON with one test.
func (w *World) Level() (string, error) {
	t := Task{Train: w.demos, Test: []Pair{{Input: w.question, Output: w.answer}}}
	return string(t.AppendJSON(nil)), nil
}

// SetLevel implements env.Leveler: a task in JSON, of which the first test is asked. The task is
// taken as it is, without augmentation; demonstrations beyond those of the observation are not seen.
func (w *World) SetLevel(text string) error {
	t, err := Parse("level", []byte(text))
	switch {
	case err != nil:
		return err
	case t.Test[0].Output.Rows == 0:
		return errors.New("arc: test[0]: the output is not known")
	case len(t.Train) > maxDemos:
		return fmt.Errorf("arc: %d train pairs, want at most %d", len(t.Train), maxDemos)
	}
	w.load(t.Train, &t.Test[0].Input, &t.Test[0].Output)
	w.enter()
	return nil
}

func (w *World) load(demos []Pair, question, answer *Grid) {
	w.demos = resizePairs(w.demos, len(demos))
	for i := range demos {
		w.demos[i].Input.CopyFrom(&demos[i].Input)
		w.demos[i].Output.CopyFrom(&demos[i].Output)
	}
	w.question.CopyFrom(question)
	w.answer.CopyFrom(answer)
}

// Edit paints a cell of the canvas, x and y counted on the Board, in the colour value, or the next
// colour if value is -1. It refuses the input's cells.
func (w *World) Edit(x, y, value int) error {
	x -= w.question.Cols + 1
	switch {
	case x < 0 || y < 0 || x >= w.canvas.Cols || y >= w.canvas.Rows:
		return errors.New("arc: only the cells of the canvas can be painted")
	case value < -1 || value >= Colors:
		return fmt.Errorf("arc: colour %d: want 0 to 9, or -1 for the next", value)
	}
	cell := &w.canvas.Cells[y*w.canvas.Cols+x]
	if value < 0 {
		value = int(*cell+1) % Colors
	}
	*cell = uint8(value)
	w.partial = w.canvas.Share(&w.answer)
	return nil
}

// Board implements env.Boarder, in the codes of PaintBoard: the input, a column between and the
// canvas. Its size changes with the canvas.
func (w *World) Board() grid.Board {
	q, g := &w.question, &w.canvas
	b := grid.Board{Family: "arc", Rows: max(q.Rows, g.Rows), Cols: q.Cols + 1 + g.Cols, Caption: w.Mission()}
	b.Cells = make([]grid.Cell, b.Rows*b.Cols)
	put(&b, q, 0, 0)
	put(&b, g, 0, q.Cols+1)
	for r := range q.Rows {
		for c := range q.Cols {
			b.Cells[r*b.Cols+c].Flags |= grid.FlagGiven
		}
	}
	if w.selecting {
		r0, c0, r1, c1 := w.selected()
		for r := r0; r <= r1; r++ {
			for c := c0; c <= c1; c++ {
				b.Cells[r*b.Cols+q.Cols+1+c].State = StateSelected
			}
		}
	}
	b.Cells[w.row*b.Cols+q.Cols+1+w.col].Flags |= grid.FlagFocus
	if w.live && w.trials < w.cfg.Trials {
		b.Caption += fmt.Sprintf(": not that; trials left: %d", w.trials)
	}
	for i := range w.demos {
		b.Beside = append(b.Beside, grid.Beside{Title: fmt.Sprintf("demonstration %d", i+1), Board: pairBoard(&w.demos[i])})
	}
	return b
}

// Point implements env.Pointer: the cursor goes to the cell, and what was selected is dropped before a tool is used there.
func (w *World) Point(dst []int, x, y, action int) []int {
	x -= w.question.Cols + 1
	if x < 0 || y < 0 || x >= w.canvas.Cols || y >= w.canvas.Rows || !w.live {
		return dst
	}
	if w.selecting && action >= 0 {
		dst = append(dst, Select)
	}
	for range abs(y - w.row) {
		dst = append(dst, pick(y < w.row, Up, Down))
	}
	for range abs(x - w.col) {
		dst = append(dst, pick(x < w.col, Left, Right))
	}
	if action >= 0 {
		dst = append(dst, action)
	}
	return dst
}

func pick(first bool, a, b int) int {
	if first {
		return a
	}
	return b
}

// Rehearsal implements env.Rehearser: the task with demonstration k as its test, and the others to learn from.
func (w *World) Rehearsal(k int) (string, error) {
	if k < 0 || k >= len(w.demos) {
		return "", fmt.Errorf("arc: demonstration %d of %d", k+1, len(w.demos))
	}
	t := Task{Train: slices.Delete(slices.Clone(w.demos), k, k+1), Test: w.demos[k : k+1]}
	return string(t.AppendJSON(nil)), nil
}

// Paint implements env.Painter.
func (w *World) Paint(dst *image.RGBA) { PaintBoard(w.Board(), dst) }

// Clone implements env.Cloner.
func (w *World) Clone() env.Env {
	c, err := NewWorld(w.spec.ID, w.cfg)
	if err != nil {
		panic(err) // the same cfg was accepted before
	}
	if err := c.SetState(w.AppendState(nil)); err != nil {
		panic(err) // its own state
	}
	return c
}
