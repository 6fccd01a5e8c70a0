// Package rl has agents that learn by acting.
//
// A [Network] sees an observation, thinks segments from a state that goes on from step to step, and
// after every segment says what it would do and what return it expects. [PPO] learns from its own
// actions (Schulman et al. 2017, arXiv:1707.06347, with generalised advantages of arXiv:1506.02438),
// [DQN] from all that it ever did (van Hasselt et al. 2016, arXiv:1509.06461, with n-step returns), and
// [Imitation] from an oracle. All three collect with one [Actor], and all are learners of package run:
// they stop and go on exactly.
//
// With an HRM every decision takes a random number of segments while it learns, and only the last of
// them is recomputed with gradients, from the state that was kept: an update costs one segment however
// deep the thought was (the one-step gradient of arXiv:2506.21734, section 2).
package rl
