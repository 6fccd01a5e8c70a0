// Package ask has the flags that say which model thinks, what computes it and how it thinks: the same, and meaning the
// same, in every command of ponder and in those of a program with worlds of its own.
package ask
