// Command pyenv is the environments of ponder as a C library, which python/ponder_env loads with
// ctypes:
//
//	CGO_ENABLED=1 go build -tags notorch -buildmode=c-shared -o libponder_env.so ./cmd/pyenv
//
// The library has env.Vecs behind integer handles. Every function checks what it is given and
// answers with a negative code where something is wrong; ponder_error tells what. A handle may be
// used from any thread, one call at a time runs in it. No pointer is kept after a call. The Go
// runtime does not survive fork: processes that come from one must load the library themselves
// (Python: the start methods spawn and forkserver).
//
// world.go has the checks and what is done, without C; export.go is the C interface.
package main

func main() {}
