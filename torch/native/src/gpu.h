// What ponder has of its own for NVIDIA's GPUs, where it was compiled with CUDA's headers (PONDER_CUDA); elsewhere libtorch's
// operations do.
#ifndef PONDER_GPU_H
#define PONDER_GPU_H
#include "tensors.h"

// Whether all of these tensors are on one GPU, of one type that the kernels there have, float32 or bfloat16, and lie as they
// read them: in fours, aligned. The kernels are compiled when they are first asked for.
bool gpu_kernels(std::initializer_list<torch::Tensor> ts);

torch::Tensor gpu_rms_add(const torch::Tensor &x, const torch::Tensor &y, double eps);
torch::Tensor gpu_swiglu(const torch::Tensor &gu);
// q, k and v [batch, heads, n, hd] of qkv [batch, n, 3 heads hd], q and k turned by cos, sin [n, hd].
std::vector<torch::Tensor> gpu_rotate(const torch::Tensor &qkv, int64_t heads, const torch::Tensor &cos, const torch::Tensor &sin);
#endif
