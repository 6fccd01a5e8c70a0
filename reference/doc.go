// Package reference reads checkpoints of the published implementations of HRM and TRM: the weights
// that torch.save or safetensors wrote and the all_config.yaml beside them. It is pure Go and runs nothing of theirs.
//
// What the configuration leaves out is found in the shapes of the weights (vocabulary, identifiers,
// with learned positions or token mixing the length of a sequence), and every shape is compared with
// what the configuration asks for, so that a wrong pair of files is noticed before it computes nonsense.
package reference
