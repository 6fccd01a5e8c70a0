// Package arc reads the tasks of the Abstraction and Reasoning Corpus (ARC-AGI; Chollet 2019,
// arXiv:1911.01547), makes small ones of its own by rules, and lets an agent draw the answer.
//
// A Task is some demonstrations, pairs of an input and an output grid of up to 30x30 colours, and
// test inputs whose outputs are to be found. A World gives an agent a canvas and the tools of ARC's
// editor: paint, select, flood, copy, paste, resize, submit.
package arc
