// Package hrm has the recurrent networks of ponder.
//
// [Model] is the Hierarchical Reasoning Model (Wang et al. 2025, arXiv:2506.21734) under the names
// and formulas of the published implementation: a slow level H and a fast level L, each a stack of
// transformer blocks, alternate over two states z_H and z_L. One [Model.Segment] thinks once, from
// carry to carry; whether to think again is for package act to say. The fields of [Config] turn it
// into the Tiny Recursive Model (Jolicoeur-Martineau 2025, arXiv:2510.04871) or into the small
// networks that learn in minutes on a CPU.
//
// [Cell] is the same idea as a plain function: N steps of a low GRU for each step of a high one.
package hrm
