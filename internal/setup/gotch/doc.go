// Package gotch prepares a copy of github.com/sugarme/gotch for one libtorch.
//
// The module as published is written for libtorch 2.1, compiles 20,000 lines of C++ in every build,
// costs 20 µs and a leak an operation, and ends the process on failure. The copy lies in a folder of
// its own and is named by a replace in go.work. In it
//
//   - the C++ is compiled once, into lib/libtch.so, which alone knows libtorch: Go links -ltch and
//     nothing else. Wrappers that this libtorch cannot compile become an error at run time;
//   - torch/native is compiled into the same library;
//   - functions of the Go part are replaced by name, or by pattern where they are generated, with
//     bodies that neither leak nor cost (_overlay, rewrite.go).
//
// A prepared folder is complete or absent: it is built under a temporary name and renamed.
package gotch
