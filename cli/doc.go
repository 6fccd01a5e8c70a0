// Package cli makes command lines in the manner of `ponder` from trees of cobra: one line of error that says
// what to do and the exit code that fits it, help with the examples first, what was perhaps meant by a
// name that is not there, a manual page, and outputs that are checked before the work begins. Data goes
// to stdout, everything else to stderr.
//
// Make the tree, mark the flags that name outputs by [Writes] and those that name folders which are read
// by [ReadsFolder], give its numbers ranges by [BoundAll], and give it to [Execute]. A signal ends a command within a
// second, one that [Saves] when it has saved. What is printed cannot steer the terminal.
package cli
