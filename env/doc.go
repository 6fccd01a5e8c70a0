// Package env defines worlds: what an agent sees, what it may do, and what comes of it.
//
// An [Env] is one world used by one goroutine; [Vec] steps many over one slab of observations;
// [Make] opens one by its id. The families (minigrid, maze, sudoku, arc) live in folders of their
// own and register themselves when a program imports them. Nothing here needs cgo or libtorch.
//
// Terminated and truncated have Gymnasium's meaning: a terminated episode has ended, a truncated
// one was stopped by a limit, so a learner bootstraps from its last observation.
package env
