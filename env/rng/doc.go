// Package rng makes the random numbers of the worlds.
//
// [Gen] draws what NumPy's Generator(PCG64(SeedSequence(seed))) draws, bit for bit, so that MiniGrid's
// layouts can be had from their seeds. [Stream] splits one root seed into named streams for worlds of
// our own. The state of both can be saved and restored.
//
// PCG64 is O'Neill's XSL-RR 128/64 ("PCG: A Family of Simple Fast Space-Efficient Statistically Good
// Algorithms for Random Number Generation", 2014); bounded integers are Lemire's ("Fast Random Integer
// Generation in an Interval", 2019).
package rng
