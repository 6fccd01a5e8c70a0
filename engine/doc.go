// Package engine runs the networks of packages hrm and rl without libtorch, in pure Go on any system: what
// reads an answer, not what trains. A [Model] is a think.Core made of the same checkpoint, and of the same
// numbers up to the rounding of float32; docs/engines.md says how fast on which machine.
//
//	m, err := engine.New(cfg, weights) // of config.json and model.safetensors
//	rows, err := m.Open(1, m.Spec().Shape)
//	err = rows.Begin(0, think.Input{Tokens: tokens})
//	for !halted {
//		err = rows.Segment([]int{0}, &out) // allocates nothing after the first
//	}
package engine
