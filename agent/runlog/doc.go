// Package runlog keeps the values of a run in its folder, in files that other programs read:
//
//	metrics.jsonl  one JSON object a line: step, kind, then the values
//	events.out.*   the same values for TensorBoard, with histograms and images
//
// A run that is continued from the checkpoint of step s keeps the lines up to s and repeats the
// rest, so that its metrics.jsonl is that of an uninterrupted run but for fields whose names contain
// "time" or "per_second". Hence the lines of a step are written before its checkpoint.
//
// Meter is the line on the terminal that tells how far the run is.
package runlog
