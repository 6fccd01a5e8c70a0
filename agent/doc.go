// Package agent lets policies act in environments: the acting loop [Run], its statistics, and
// policies that need no network.
//
// Run is one loop for evaluation, recording and play:
//
//	env.Vec ── observations ──▶ Policy.Act ── actions ──▶ env.Vec.Step ──▶ statistics, trace.Sink
//	   ▲                                                                        │
//	   └───────────── an episode ended: the next one, of the next seed ◀────────┘
//
// Episode k is the level of seed Seed+k whatever the number of rows, and with a limit on episodes
// exactly the first so many are run and counted, the long as well as the short. Every episode ends:
// where the environment does not end it, a limit truncates it.
//
// Neural policies are in agent/learn; what was thought and done is recorded by agent/trace.
package agent
