// What stands in place of the head of gotch's torch_api.h: light includes, one error slot a thread,
// and a PROTECT that nothing passes.
#ifndef __TORCH_API_H__
#define __TORCH_API_H__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#include <stdexcept>
#include <vector>
#ifdef PONDER_WHOLE_TORCH
#include <torch/torch.h>
#else
#include <torch/types.h>
#endif
using namespace std;

extern "C" {
typedef torch::Tensor *tensor;
typedef torch::Scalar *scalar;
#ifdef PONDER_WHOLE_TORCH
typedef torch::optim::Optimizer *optimizer;
typedef torch::jit::script::Module *module;
typedef torch::jit::IValue *ivalue;
#else
typedef void *optimizer;
typedef void *module;
typedef void *ivalue;
#endif
}

// Keeps the message of the exception in flight for get_and_reset_last_err.
void ponder_caught() noexcept;

// Of torch/native: this OS thread computes with as many threads as were asked for on any.
void ponder_use_threads();

#define PROTECT(x)                                                             \
  try {                                                                        \
    ponder_use_threads();                                                      \
    x                                                                          \
  } catch (...) {                                                              \
    ponder_caught();                                                           \
  }

// The value behind a handle; a dropped one is an error instead of a crash.
template <class T> inline T &ponder_ref(T *p) {
  if (p == nullptr)
    throw std::invalid_argument("a tensor or scalar was used after it was dropped");
  return *p;
}

extern "C" {
#else
typedef void *tensor;
typedef void *optimizer;
typedef void *scalar;
typedef void *module;
typedef void *ivalue;
#endif

// Gives dst the value of src and frees src: the handle of an operation in place stays the same.
void ponder_assign(tensor dst, tensor src);
// The dimensions, or -1; at most max of them are stored.
int ponder_shape(tensor t, int64_t *dims, int max);
