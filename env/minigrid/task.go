package minigrid

// A taskKind is a family's rule after the base step.
type taskKind uint8

const (
	taskGoal    taskKind = iota // the base rule only
	taskPickup                  // carry the target
	taskUnlock                  // open the door at a
	taskGoTo                    // say done beside a
	taskFetch                   // carry the target, and nothing else
	taskPutNear                 // drop the target near a
	taskRedBlue                 // open the door at a, then that at b
	taskMemory                  // step on a, not on b
	taskDynamic                 // reach the goal without a collision
	taskInstr                   // follow Env.quest
	taskKinds
)

var taskNames = [taskKinds]string{"goal", "pickup", "unlock", "goto", "fetch", "putnear", "redblue", "memory", "dynobst", "instr"}

// maxBalls is the most moving balls of an id.
const maxBalls = 8

// A task is what the episode checks. Positions index Env.cells.
type task struct {
	kind   taskKind
	a, b   int32
	target Cell            // type and colour of what to carry
	balls  [maxBalls]int32 // Dynamic-Obstacles, in the order in which they move
	nBalls int
}

// same reports whether two objects have one type and colour.
func same(a, b Cell) bool { return a&0x7F == b&0x7F }

// near reports whether two positions are within one step, diagonals included.
func (e *Env) near(p, q int) bool {
	px, py := e.xy(p)
	qx, qy := e.xy(q)
	return abs(px-qx) <= 1 && abs(py-qy) <= 1
}

// apart is the number of columns and rows between two positions.
func (e *Env) apart(p, q int) int {
	px, py := e.xy(p)
	qx, qy := e.xy(q)
	return abs(px-qx) + abs(py-qy)
}

// beside reports whether two positions share a side.
func (e *Env) beside(p, q int) bool { return e.apart(p, q) == 1 }

func abs(a int) int {
	if a < 0 {
		return -a
	}
	return a
}

// moveBalls is what Dynamic-Obstacles does before a step: each ball goes to a random empty cell of
// the block around it, if one is found in 101 draws.
func (e *Env) moveBalls() {
	t := &e.task
	for i, p := range t.balls[:t.nBalls] {
		x, y := e.xy(int(p))
		// The old cell is emptied after the placement, as the reference does.
		if q := e.place(ball(Blue), rect{x - 1, y - 1, 3, 3}, 100, nil); q >= 0 {
			e.cells[p] = byte(Empty)
			t.balls[i] = int32(q)
		}
	}
}
