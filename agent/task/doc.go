// Package task says what the networks of ponder are trained for: how a world becomes tokens, which
// answer is right for every cell, and how an answer becomes an action. It is pure Go.
package task
