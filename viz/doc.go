// Package viz draws thought: a [trace.Step] becomes an image. It is pure (the same step gives the same
// pixels everywhere), needs no display, and is what both the window and `ponder record` show.
//
// [Frame] is the whole picture at any size. It is made of panes, which are values: [Panes] lists them,
// each with the rule for its place ([Room]), what it draws, and what lies at a point of it; the window
// needs to know no more of them, and a program can put one of its own into the list. What lies over the
// board is one of the [Layers]. [Sheet] is all segments of a decision on one page for papers and
// issues; [WriteGIF], [WriteVideo] and [WritePNG] write files.
//
// viz knows traces, not networks or families: the caller hands it the family's [Painter], as
// [FamilyPainters] finds them.
package viz
