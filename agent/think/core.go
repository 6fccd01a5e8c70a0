package think

// A Core is a network as thinking sees it. It does not change and may be shared; what it thinks about
// is in the Rows that Open makes.
type Core interface {
	Spec() Spec
	// Open makes room for so many sequences of one shape, none of them begun. It reports an error if
	// the network cannot take sequences of that shape. Close the Rows after use.
	Open(rows int, shape Shape) (Rows, error)
}

// A Spec says what a Core takes and gives.
type Spec struct {
	Vocab   int     // tokens of sequences of Shape are in [0, Vocab)
	PerRow  bool    // and a square grid has a token more for each row more
	Outputs int     // logits of a token of the answer
	Answers int     // tokens of the answer; 0 means as many as the sequence has
	Shape   Shape   // of the sequences it was made for
	Fixed   bool    // and takes no others
	IDs     int     // puzzle identifiers are in [0, IDs); 0 where it has no puzzle embedding
	Levels  []Level // the parts of a row's state, the slowest first
}

// Tokens is the end of the range of tokens of a sequence of seq.
func (s Spec) Tokens(seq int) int {
	if !s.PerRow {
		return s.Vocab
	}
	return s.Vocab - rows(s.Shape.Seq) + rows(seq)
}

// rows is the number of rows of a square grid of so many cells.
func rows(cells int) (n int) {
	for n*n < cells {
		n++
	}
	return n
}

// A Level is one of the states that a network carries from segment to segment.
type Level struct {
	Name   string // as in the literature: "H", "L"
	Width  int    // numbers of a position
	Prefix int    // positions before the one of the first token; 1 and no others of a state for the whole sequence
	Planes bool   // tokens have several positions: first one of each, then the next of each, …
}

// A Shape is that of a sequence: Seq tokens, which form a grid if Rows is not 0.
type Shape struct{ Seq, Rows, Cols int }

// An Input is what a row thinks about.
type Input struct {
	Tokens []int32 // [seq], each in [0, Spec.Tokens(seq)); not kept
	ID     int32   // puzzle identifier, where the network has a puzzle embedding
}

// A Memory is the state of one row, a slice [positions·width] for each of Spec.Levels.
type Memory [][]float32

// Rows are sequences under way, numbered from 0. They belong to one goroutine at a time.
type Rows interface {
	// Begin gives row something to think about and puts it at the network's start.
	Begin(row int, in Input) error
	// Turn gives row something else to think about and lets its state be as it is.
	Turn(row int, in Input) error
	// Segment thinks one segment about each of rows, which are different and have begun, and writes
	// what it concludes, in their order. Other rows stay as they are.
	Segment(rows []int, out *Output) error
	// Save is a copy of the state of row as it is now.
	Save(row int) (Memory, error)
	// Load puts row, which has begun, into the state m. It does not keep m.
	Load(row int, m Memory) error
	// Close frees the rows.
	Close() error
}

// An Output is what a segment concludes about each of n rows. Segment reuses its slices.
type Output struct {
	Logits    []float32 // [n·answers·outputs]
	QHalt     []float32 // [n] before the sigmoid
	QContinue []float32 // [n]; zeros where the network has no such head
}

// An Attender is Rows of a network with attention.
type Attender interface {
	Rows
	// Attention is what each position would attend to in the next segment of row: for each of
	// Spec.Levels the weights of its last block in its last update, averaged over heads,
	// [positions·positions] row-major, the attending position first; nil for a level without
	// attention. The row does not move on.
	Attention(row int) ([][]float32, error)
}
