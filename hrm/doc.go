// Package hrm has the recurrent networks of ponder.
//
// [Model] is the Hierarchical Reasoning Model (Wang et al. 2025, arXiv:2506.21734) under the names
// and formulas of the published implementation: a slow level H and a fast level L, each a stack of
// transformer blocks, alternate over two states z_H and z_L. One [Model.Segment] thinks once, from
// carry to carry; whether to think again is for package act to say. The fields of [Config] turn it
// into the Tiny Recursive Model (Jolicoeur-Martineau 2025, arXiv:2510.04871), into the small
// networks that learn in minutes on a CPU, or into one of more levels than two, whose time scales nest.
//
// [Cell] is the same idea in two GRUs: N steps of a low one for each step of a high one.
//
// What a network is ([Config], [CellConfig]), how it is trained ([Training]) and how it runs ([Run]: device
// and number format) are three things. A [Network], Model or Cell, has parameters that live, in float32,
// and is trained. A [Core] is a network for thinking: [Load] makes it of saved weights, Compile of a
// network's parameters, cast once to what it runs in; it never changes and may be shared. So weights that
// were trained in one number format run in any.
//
// Heads of one's own (a policy, a value) read what a segment concluded by [Output.Pool].
package hrm
