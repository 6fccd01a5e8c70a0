// Package maze makes, solves, reads and writes mazes, and lets an agent walk through them.
//
// A Maze is walls, a start and a goal. A Generator makes them from a random stream: perfect mazes
// and mazes with extra openings, where the shortest way matters. A Solver finds distances, the set
// of optimal directions of every cell and shortest ways. Text form, held-out layouts (HeldOut) and
// the 8 symmetries are here too.
package maze
