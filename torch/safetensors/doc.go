// Package safetensors reads and writes the safetensors format of tensors in files, in pure Go.
//
// A file is an 8-byte little-endian length, a JSON object of that many bytes, and the tensors' bytes,
// little-endian and in row-major order. The object maps each name to {"dtype", "shape",
// "data_offsets": [begin, end)} relative to the end of the object; "__metadata__" maps strings to
// strings. Tensors follow each other without gaps to the end of the file. The format is that of the
// Python package safetensors 0.8.0, and what [Write] makes is byte for byte what that package makes
// of the same tensors (testdata/make.py), except for the order of metadata, which it leaves to chance.
//
// [Open] checks the whole header before it returns, so a hostile file costs an error, never a panic,
// nor more memory than a small multiple of its header.
package safetensors
