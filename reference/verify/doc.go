// Package verify replays recorded cases of the published implementations and measures how far ours
// is from them: forward values, halting, losses, gradients, optimisers, initialisation, schedules.
package verify
