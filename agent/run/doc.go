// Package run is training that can be stopped at any moment and goes on as if it had not been: a folder
// of
//
//	config.toml    everything that decides what is computed
//	run.json       what ran, with what, when, and how it ended
//	metrics.jsonl  one line of values every so many steps, and events.out.tfevents.* for TensorBoard (package runlog)
//	checkpoints    a series of which the newest two are kept (package checkpoint)
//	model          the finished weights
//
// [Begin] starts a run and trains to its end, [Resume] goes on with one that was interrupted, also by
// kill -9 while it wrote a checkpoint: lines and weights end up as those of a run in one go.
//
// What learns is a [Learner]: by labels (learn.Trainer) or by acting. The package knows none of them
// and is pure Go. `ponder train` is these two functions and flags.
package run
