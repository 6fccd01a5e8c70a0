// Package viz draws thought: a [trace.Step] becomes an image. It is pure (the same step gives the same
// pixels everywhere), needs no display, and is what both the window and `ponder record` show.
//
// [Frame] is the whole picture at any size; [DrawBoard], [DrawThought], [DrawCurve], [DrawLatent],
// [DrawActions], [DrawFilm] and [DrawTimeline] are its panes; [Sheet] is all segments of a decision on
// one page for papers and issues; [WriteGIF], [WriteVideo] and [WritePNG] write files.
//
// viz knows traces, not networks or families: the caller hands it the family's [Painter].
package viz
