// Package checkpoint keeps trained networks on disk, in pure Go: a checkpoint is a folder of
//
//	config.json            the configuration that builds the network and its halting
//	model.safetensors      the weights, under the reference implementation's names
//	README.md              the model card: data, recipe, result, command that repeats it
//	optimizer.safetensors  for resuming: the optimizer's state
//	train.json             for resuming: step, random streams, position in the data
//	SHA256SUMS             checksums of all but the card, as `sha256sum -c` reads them
//
// [Save] writes a folder of a temporary name, syncs it and renames it, so that a kill, a power cut
// or a full disk at any moment leaves a whole checkpoint: [Load] finds the last one, and falls back to
// the one before it, with a warning, where the last is damaged or was just being renamed. [SaveStep]
// and [LoadNewest] do the same for a series of which the newest few are kept.
package checkpoint
