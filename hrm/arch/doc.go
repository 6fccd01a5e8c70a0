// Package arch describes the networks of package hrm: their configuration, what it must satisfy, and the
// tables that follow from it alone. It is pure Go in every build, so that whoever reads a configuration
// needs no libtorch for it.
package arch
