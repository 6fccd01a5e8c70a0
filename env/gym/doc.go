// Package gym drives environments of Python's Gymnasium (1.x) from Go: k of them in a worker process
// that the package starts, over the process's standard input and output.
//
//	w, err := gym.Start(ctx, gym.Config{ID: "CartPole-v1", N: 8})
//	defer w.Close()
//	err = w.Reset(ctx, 0)                // environment i: seed 0+i
//	err = w.Step(ctx, actions)           // [8] numbers, as the space of actions says
//	w.Rewards, w.Terminated, w.Floats(…) // what it brought
//
// [Worker] is for any spaces of numbers: Box, Discrete, MultiDiscrete, MultiBinary, Text, and Dict and
// Tuple of these. [Open] makes env.Envs of environments whose observations are bytes or real numbers and
// whose action is one of n.
//
// # Protocol
//
// A frame is the four bytes "PGY1", a byte for its type, three zeros, the length of the payload (uint32)
// and the payload; numbers are little-endian. Go sends
//
//	I  JSON: what to open (once, first)
//	R  reset: uint32 count; uint32 rows[count]; uint8 seeded[count]; uint64 seeds[count]
//	S  step:  uint32 count; uint32 rows[count]; actions [count][ActionLen]
//	C  close
//
// and the worker answers each but C with one frame
//
//	H  JSON: versions, spaces (to I)
//	O  obs [count][ObsLen]; float64 rewards[count]; uint8 flags[count]; final [k][ObsLen] (to R and S):
//	   flags are 1 terminated, 2 truncated, 4 first of an episode, 8 has its last observation in final
//	E  JSON: an exception, with type, message and traceback (to any)
//
// An observation or action is its leaves in the order of the space, each in its NumPy type and row-major
// order; a Text is UTF-8 padded with zeros. What environments print goes to the worker's standard error.
package gym
