// Package cputime tells how much of the processor's time the process has had. Where that is not known it
// is always 0.
package cputime
