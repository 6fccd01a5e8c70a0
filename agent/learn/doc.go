// Package learn is where thinking meets acting and learning: it trains the networks of package hrm
// with the halting of package act, evaluates them, and makes policies of them.
//
// [Loop] is one row of the published training loop: refill the rows that halted, think one segment,
// decide who halts, learn from every segment (deep supervision). [Trainer] runs it over a course of
// stages with checkpoints that resume bit for bit. [Thinker] thinks without learning: rows that halt
// leave the batch, so fewer segments really is less time.
package learn
