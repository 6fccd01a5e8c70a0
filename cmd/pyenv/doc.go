// Command pyenv is the environments of ponder, and agents that act in them, as a C library, which python/ponder_env loads with
// ctypes:
//
//	CGO_ENABLED=1 go build -tags notorch -buildmode=c-shared -o libponder_env.so ./cmd/pyenv
//
// The library has env.Vecs behind integer handles. Every function checks what it is given and
// answers with a negative code where something is wrong; ponder_error tells what. A handle may be
// used from any thread, one call at a time runs in it. No pointer is kept after a call. The Go
// runtime does not survive fork: a process that comes from one, of a process that had loaded the
// library, must load a copy of the file and leave what it inherited alone (ponder_env does).
//
// world.go has the checks and what is done, without C; export.go is the C interface.
package main

func main() {}
