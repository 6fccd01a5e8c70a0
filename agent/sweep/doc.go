// Package sweep trains one configuration under many settings: all of a grid, or some drawn at random, each
// with several seeds, and stops early where others are better.
//
//	train = "doorkey.toml"                          # what ponder train is given
//	seeds = [1, 2, 3]
//	stop = "halving"
//	[fields]
//	policy.kind = ["hrm", "gru"]
//	ppo.lr = {low = 1e-4, high = 1e-2, log = true}  # of a random search
//
// A [Sweep] starts a process for each run and knows nothing of what learns. Its folder has the file itself
// and a folder for each run, run-000 and so on, and they are all that it remembers: what is finished stays,
// what was under way goes on from its newest checkpoint, and what halving decides follows from the runs' own
// lines at the rungs, so that a sweep that was killed ends as one in one go.
package sweep
