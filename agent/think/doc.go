// Package think lets a network think: about many sequences at once, about one world a segment at a
// time, or before every action of an agent. It is pure Go and knows networks only as a [Core]: tokens
// in, logits and halting out, a segment at a time, in host slices. Who has a core (libtorch's, Go's, a
// user's own) hands it over; all thinking in ponder, of the window, the recordings, the exams and the
// acting loop, goes through this package, so that what one of them can do all can.
package think
