// Package act decides when a network has thought enough: adaptive computation time as in the
// Hierarchical Reasoning Model (Wang et al. 2025, arXiv:2506.21734, "Adaptive computational time";
// the idea is Graves 2016, arXiv:1603.08983).
//
// A network thinks in segments. After each, its Q head gives two logits per row of the batch: q_halt,
// trained to say whether the answer is right now, and q_continue, trained to say whether it will be
// after more thought. A row halts after segment m of its sequence if
//
//	m = MaxSegments, or q_halt > q_continue (or q_halt > Threshold) and m >= m_min
//
// where m_min = 0, but with probability ExplorationProb a uniform integer in [2, MaxSegments], so
// that training also sees what longer thought is worth. The bootstrapped target of q_continue
// after segment m comes from the logits q' of one segment more:
//
//	sigmoid(q'_halt)                    if m = MaxSegments
//	sigmoid(max(q'_halt, q'_continue))  otherwise
//
// The published code evaluates with MaxSegments segments always, which is the rule Never here; any
// other rule with ExplorationProb 0 is evaluation by learned halting.
//
// The package holds no tensors and runs no network. The caller runs a segment, hands the logits to
// [Halter.Step] and reads off which rows are to be refilled (training: [Halter.Halted]) or which
// still think (acting: [Halter.Compact]). Differences between the paper and the published code are in
// docs/deviations.md, ACT-1 to ACT-3.
package act
