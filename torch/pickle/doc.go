// Package pickle reads the tensors of checkpoints that torch.save wrote, without running anything.
//
// Such a file is a zip archive: STEM/data.pkl is a pickle (protocol 2) of dictionaries whose leaves
// rebuild tensors from storages, STEM/data/KEY are the storages' raw bytes. A pickle is a program
// that names functions to call; this package knows the few names that make tensors and containers
// and takes every other one for an error that says its name. So nothing in a file can run code, and
// what a hostile file can cost is bounded by its own size.
//
//	f, err := pickle.Open("step_3")
//	t, err := f.Tensor("model.inner.H_init")
//
// Tensors come out as safetensors.Tensor, contiguous. The device that a storage was saved from is
// ignored, as torch.load(map_location="cpu") would. Files of PyTorch before 1.6 (not zip), compressed
// and big-endian ones are refused.
package pickle
