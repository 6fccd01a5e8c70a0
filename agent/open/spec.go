package open

import (
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm/arch"
)

// Spec is what thinking is to know of a network, for whoever makes one a think.Core.
func Spec(sp arch.Spec) think.Spec {
	out := think.Spec{
		Vocab: sp.Vocab, Outputs: sp.Outputs, Fixed: sp.Fixed, IDs: sp.IDs, PerRow: sp.Symbols == arch.PerRow,
		Shape: think.Shape{Seq: sp.Seq, Rows: sp.Rows, Cols: sp.Cols},
	}
	for _, st := range sp.States {
		l := think.Level{Name: st.Name, Width: st.Width, Prefix: st.Prefix, Planes: st.Planes != 0}
		if st.Whole {
			l.Prefix = 1 // one place, of no token
		}
		out.Levels = append(out.Levels, l)
	}
	return out
}
