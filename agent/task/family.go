package task

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// A Family is what ponder knows of one kind of puzzles: the tasks that networks are trained for, the data to
// learn from, and how rows are stored and drawn. Only Name is needed; package families imports ponder's own.
type Family struct {
	Name  string
	Tasks []Task
	Data  []Data

	// Kind is what the family's rows mean in datasets and CSV files; such a dataset trains the task that
	// Dataset names.
	Kind    *puzzle.Kind
	Dataset string
	// Draw is the board of tokens of such a row, its input or its label, and the cells that an answer marks on
	// it; given are the input's tokens. A board without rows is an answer that is not known.
	Draw func(given, tokens []int32) (b grid.Board, marked []int)
	// Text writes such a board: lines that are width characters wide, without what only colours.
	Text func(b grid.Board, marked []int, ansi bool) (lines []string, width int)

	// Level is the input of such a row as the text of a level in which env.OpenLevel opens the family's world; nil if
	// there is no such world: then a Quiz shows the rows.
	Level func(in []int32) string

	// Recipes are files NAME.toml, to any depth, which package learn reads as the recipes NAME.
	Recipes fs.FS
}

// A Task is a question that networks are trained to answer.
type Task struct {
	Name   string
	Reader func(spec env.Spec) (Reader, error)       // what it is in a world; nil if no agent can live by it
	Judges map[string]func(cols int) Judge           // what halting may foresee, for grids of cols columns
	Sets   bool                                      // labels are sets of right classes, bit c stands for class c
	Given  bool                                      // the answer of a cell may stand in the question as it is
	Asked  func(token int32) bool                    // whether a cell with this token in the question is to be answered; nil: all are
	Boxes  func(cells int) (rows, cols int, ok bool) // size of the boxes of a board; nil if it has none

	// Check says whether an answer [seq] to the tokens in of a grid of cols columns keeps the rules, which is seen without its label,
	// and how good it is, for answers that are compared; nil if the task has no rules that show.
	Check func(in, pred []int32, cols int) (worth float64, ok bool)

	Rules func(cols int) Rules // of a search on grids of cols columns; nil if the task is not searched

	Published puzzle.Shape // of the rows that the published networks for it read; zero if there are none
}

// A Judge says whether an answer does what the task is for, where that is less than every cell being
// right; it is what halting learns to foresee. The slices are one row's tokens, labels and classes.
type Judge func(in, label, pred []int32) bool

// Data is rows to learn from, under names that begin with Kind and, if more follows, a colon.
type Data struct {
	Kind  string
	Usage string // a line for each form of the name: "KIND:ARG   what it means"
	Task  string // that the rows are for
	Open  func(arg string, seed uint64, heldOut bool) (Rows, error)
}

// Rows are opened data.
type Rows struct {
	puzzle.Source
	Rows, Cols int      // shape of the grid; 0 means the network's own
	Names      []string // of the puzzle identifiers; nil if there are none
	Task       string   // that the rows are for, "" where that cannot be told
}

var families []*Family

// Register makes a family known. It panics if one of its names is taken.
func Register(f Family) {
	for _, t := range f.Tasks {
		if _, err := Find(t.Name); err == nil {
			panic("task: " + t.Name + " is registered twice")
		}
	}
	for _, d := range f.Data {
		if dataOf(d.Kind) != nil {
			panic("task: data " + d.Kind + " is registered twice")
		}
	}
	families = append(families, &f)
	slices.SortFunc(families, func(a, b *Family) int { return strings.Compare(a.Name, b.Name) })
}

// Families are all that are registered, by name.
func Families() []*Family { return families }

// Find is the task of that name.
func Find(name string) (Task, error) {
	var known []string
	for _, f := range families {
		for _, t := range f.Tasks {
			if t.Name == name {
				return t, nil
			}
			known = append(known, t.Name)
		}
	}
	return Task{}, fmt.Errorf("task %q is unknown, want one of %q; a program imports the package that registers it, as agent/task/families does", name, known)
}

// FindPublished is the task of that name, if published networks answer it.
func FindPublished(name string) (Task, error) {
	var known []string
	for _, f := range families {
		for _, t := range f.Tasks {
			if t.Published == (puzzle.Shape{}) {
				continue
			}
			if t.Name == name {
				return t, nil
			}
			known = append(known, t.Name)
		}
	}
	return Task{}, fmt.Errorf("task %q is none of the published networks', want one of %q", name, known)
}

// Takes reports whether rows of this shape are the task's, as far as its family can tell.
func (t Task) Takes(s puzzle.Shape) error {
	for _, f := range families {
		if f.Kind != nil && slices.ContainsFunc(f.Tasks, func(o Task) bool { return o.Name == t.Name }) && !f.Kind.Fits(s) {
			return fmt.Errorf("%d tokens of %d kinds are no row of %s, whose published rows have %d of %d kinds", s.SeqLen, s.Vocab, t.Name, t.Published.SeqLen, t.Published.Vocab)
		}
	}
	return nil
}

// NewReader returns the reader of a task in a world.
func NewReader(task string, spec env.Spec) (Reader, error) {
	t, err := Find(task)
	if err != nil {
		return nil, err
	}
	if t.Reader == nil {
		return nil, fmt.Errorf("a model for %s is no agent in %s", task, spec.ID)
	}
	return t.Reader(spec)
}

// NewJudge is the judge of a task that has this name, for a grid of cols columns; nil for "", every cell.
func NewJudge(task, name string, cols int) (Judge, error) {
	if name == "" {
		return nil, nil
	}
	t, err := Find(task)
	if err != nil {
		return nil, err
	}
	judge, ok := t.Judges[name]
	if !ok {
		return nil, fmt.Errorf("judge %q is none of task %s, want one of %q", name, task, slices.Sorted(maps.Keys(t.Judges)))
	}
	return judge(cols), nil
}

// KindOf is the family whose rows have this shape, nil if none has.
func KindOf(s puzzle.Shape) *Family {
	for _, f := range families {
		if f.Kind != nil && f.Kind.Fits(s) {
			return f
		}
	}
	return nil
}

// LooksLike is the family whose rows have questions like this text, nil if none has.
func LooksLike(question string) *Family {
	for _, f := range families {
		if f.Kind != nil && f.Kind.Looks != nil && f.Kind.Looks(question) {
			return f
		}
	}
	return nil
}

// RowKind is what rows of this shape mean; of shapes that no family has, nothing more than tokens.
func RowKind(s puzzle.Shape) puzzle.Kind {
	if f := KindOf(s); f != nil {
		return *f.Kind
	}
	return puzzle.Kind{Name: "any"}
}

// Kind is the family of that name that has a Kind.
func Kind(name string) (*Family, error) {
	var known []string
	for _, f := range families {
		if f.Kind == nil {
			continue
		}
		if f.Name == name {
			return f, nil
		}
		known = append(known, f.Name)
	}
	return nil, fmt.Errorf("kind %q is unknown, want one of %q", name, known)
}

// Recipes are the recipes of all families: TOML by name.
func Recipes() (map[string][]byte, error) {
	all := map[string][]byte{}
	for _, f := range families {
		if f.Recipes == nil {
			continue
		}
		err := fs.WalkDir(f.Recipes, ".", func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(file) != ".toml" {
				return err
			}
			name := strings.TrimSuffix(path.Base(file), ".toml")
			if _, twice := all[name]; twice {
				return fmt.Errorf("recipe %s of family %s has the name of another", name, f.Name)
			}
			all[name], err = fs.ReadFile(f.Recipes, file)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func dataOf(kind string) *Data {
	for _, f := range families {
		for i := range f.Data {
			if f.Data[i].Kind == kind {
				return &f.Data[i]
			}
		}
	}
	return nil
}
