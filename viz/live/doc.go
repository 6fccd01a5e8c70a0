// Package live is the acting loop that a person can steer: a [Session] lets a [Thinker] think about a
// [World] segment by segment in a goroutine of its own, obeys commands (play, one segment, think
// longer, answer now, edit, take over, …) and publishes all of it as a trace, which the window reads
// without ever waiting. [Record] is the same loop without a person.
//
// A network joins by implementing [Thinker]; [Opener] makes it together with the world:
//
//	func (t *thinker) Describe(h *trace.Header) { h.Agent, h.Model, h.MaxSegments = "hrm", "maze", 16; … }
//	func (t *thinker) Begin(ctx context.Context, w live.World, obs []byte, fresh bool) error { … encode obs; reset the carry … }
//	func (t *thinker) Think(ctx context.Context, g *trace.Segment) error { … one segment; fill g; set g.Halted by the rule … }
//	func (t *thinker) Action(ctx context.Context) (int, error) { … argmax of the last segment's output … }
//	func (t *thinker) Close() error { … }
//
// All its methods are called from one goroutine, one at a time.
package live
