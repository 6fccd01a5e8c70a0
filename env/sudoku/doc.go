// Package sudoku makes, rates, solves, reads and writes sudokus of 4x4, 6x6, 9x9 and 16x16 cells, and lets
// an agent fill them in.
//
// A grid is []uint8, row by row: 0 is empty, 1 to side a digit. A Solver finds solutions, counts
// them and rates a puzzle by the digits that must be tried; a Generator makes puzzles with exactly
// one solution; a Symmetry turns a puzzle into one of its many twins.
package sudoku
