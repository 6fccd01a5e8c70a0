// Package puzzle holds supervised puzzles: rows of input tokens and of the labels a network should
// answer with. It reads and writes the on-disk format of the HRM reference (sapientinc/HRM,
// puzzle_dataset.py and dataset/build_*.py; TRM writes the same with two additions), orders rows for
// training and evaluation, and builds datasets of rows that a family's [Form] reads and augments.
//
// An example is one input and its label. A puzzle is the examples that share an identifier, a group
// is a source puzzle with its augmented copies. A Set is one split of a dataset on disk or in
// memory; a Source yields training rows one at a time and without end, from a Set or from a
// generator, and its position can be saved and restored exactly.
//
// The package knows no family: generators, forms and kinds come in as functions; package task has the
// families.
package puzzle
