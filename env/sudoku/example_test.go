package sudoku_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/env/sudoku"
)

func ExampleSolver_Check() {
	s, err := sudoku.NewSolver(4)
	if err != nil {
		fmt.Println(err)
		return
	}
	solution := make([]uint8, 16)
	for _, text := range []string{"1.343412..43432.", "1...1..........2", "123....4........", "................"} {
		puzzle, err := sudoku.Parse(text)
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := s.Check(solution, puzzle); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(string(sudoku.AppendLine(nil, solution)))
	}
	// Output:
	// 1234341221434321
	// sudoku: conflict: row 1 column 1 and row 2 column 1 both have 1
	// sudoku: no solution: no digit is left for row 1 column 4
	// sudoku: has 2+ solutions: row 1 column 1 may be 1 or 2
}

func ExampleGenerator() {
	g, err := sudoku.NewGenerator(sudoku.Config{Side: 6, MinGivens: 12, MaxGivens: 14})
	if err != nil {
		fmt.Println(err)
		return
	}
	puzzle, solution := make([]uint8, 36), make([]uint8, 36)
	rating := g.Next(puzzle, solution, rand.New(rand.NewPCG(1, 2)))
	fmt.Print(string(sudoku.AppendText(nil, puzzle)))
	fmt.Println("digits tried at guesses:", rating)
	// Output:
	// . 4 . | . 2 .
	// . . 3 | . . .
	// ------+------
	// 1 3 . | . 6 .
	// 4 . . | . 1 .
	// ------+------
	// . . 4 | . . 2
	// . . . | 1 . 6
	// digits tried at guesses: 0
}
