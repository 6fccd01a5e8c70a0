// Package viztest makes thought to look at without a network, for tests and pictures: [Wave] thinks
// about a maze as an HRM would look doing it, [Sudoku] and [ARC] are decisions about puzzles.
package viztest
