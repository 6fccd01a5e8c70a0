// Command web is the viewer in a browser, built by `make web` with GOOS=js GOARCH=wasm: a shipped agent
// thinks about a world, or a trace is replayed. The page runs the program twice, as what is seen and, in
// a worker, as what thinks, so that a thought never keeps the page waiting.
//
// The page's address says what it shows:
//
//	env, seed, agent, model, rule, edits   as session.Choice; what is missing is a fresh maze, the shipped model
//	trace                                  a recording beside the page to replay; twice: two side by side
//	theme=light, play=0                    looks, and to begin in pause
package main
