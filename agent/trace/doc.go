// Package trace holds what was thought and done, as data: a [Step] of an episode with the
// [Segment]s of thought before its action. It is what the viewer draws, live or from a file, without
// the network that made it.
package trace
