package act

import (
	"fmt"

	"github.com/ponder-agents/ponder/internal/logit"
)

// AppendTargets appends the target of q_continue for each row (arXiv:2506.21734, "Adaptive
// computational time", the Q-learning targets): next are the logits of one segment more, run without
// gradient from the new carry on the same data, and last says which rows were at segment MaxSegments
// ([Halter.AppendLast]), where only the choice to halt is left.
//
//	sigmoid(last ? next.Halt : max(next.Halt, next.Continue))   in [0, 1]
//
// It panics if the lengths differ.
func AppendTargets(dst []float32, next Q, last []bool) []float32 {
	if len(next.Halt) != len(last) || len(next.Continue) != len(last) {
		panic(fmt.Sprintf("act: %d and %d logits for %d rows", len(next.Halt), len(next.Continue), len(last)))
	}
	for b, l := range last {
		q := next.Halt[b]
		if !l {
			q = max(q, next.Continue[b])
		}
		dst = append(dst, float32(logit.P(q)))
	}
	return dst
}
