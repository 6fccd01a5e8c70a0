// Package task says what networks are trained for. A [Family] registers its tasks (how a world becomes
// tokens, which answer is right, what is done by it) and the data to learn from; packages mazes, sudokus and
// arcs are ponder's, package families imports them. It is pure Go.
package task
