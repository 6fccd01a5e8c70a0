// What the files that compute with libtorch's tensors share.
#ifndef PONDER_TENSORS_H
#define PONDER_TENSORS_H
#include "guard.h"
#include "ponder.h"

#include <ATen/Parallel.h>
#include <cstdlib>
#include <memory>
#include <torch/torch.h>

inline torch::Tensor &of(ponder_tensor t) {
  TORCH_CHECK(t != nullptr, "tensor was freed");
  return *(torch::Tensor *)t;
}

inline bool plain(const torch::Tensor &t) { return t.device().is_cpu() && t.scalar_type() == torch::kFloat; }

// guarded is what f returns, or failed after an error, which ponder_error then tells.
template <class R, class F> R guarded(R failed, F f) {
  try {
    ponder_use_threads();
    return f();
  } catch (const std::exception &e) {
    ponder_remember(e.what());
  } catch (...) {
    ponder_remember("unknown C++ exception");
  }
  return failed;
}
template <class F> ponder_tensor guard(F f) {
  return guarded((ponder_tensor) nullptr, [&] { return (ponder_tensor) new torch::Tensor(f()); });
}

// A Buffer is floats that are not set, aligned to lines of the cache.
class Buffer {
  std::unique_ptr<float, void (*)(void *)> p;

public:
  explicit Buffer(int64_t n) : p(nullptr, std::free) {
    void *got = nullptr;
    TORCH_CHECK(n == 0 || posix_memalign(&got, 64, 4 * n) == 0, "no memory for ", n, " floats");
    p.reset((float *)got);
  }
  operator float *() const { return p.get(); }
};
#endif
