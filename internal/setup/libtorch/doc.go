// Package libtorch finds the libtorch of this machine, or installs one: the system's package, the
// official archive, or PyPI's torch. It is pure Go and runs before anything else of ponder can.
package libtorch
