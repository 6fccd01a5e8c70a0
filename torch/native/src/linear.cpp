// A linear map as an operation with a gradient of its own: products by ponder's kernels, whose sums do not depend on the
// number of threads, nor on the library below libtorch.
#include "head.h"
#include "ponder.h"
#include "tensors.h"

#include <algorithm>
#include <cmath>

#define KERNELS "linear.inc"
#include "each_isa.h"

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace {

// times is x [m, k] w + bias: w is laid out by pack, which gets where to.
template <class Pack> void times(const Tensor &x, int64_t n, int64_t k, const float *bias, Tensor &y, Pack pack) {
  Buffer w(KERNEL_OF(packed_floats(n, k, false)));
  pack((float *)w);
  const float *from = x.data_ptr<float>();
  float *to = y.data_ptr<float>();
  at::parallel_for(0, x.numel() / k, 64, [&](int64_t lo, int64_t hi) {
    Buffer scratch(KERNEL_OF(linear_floats(n)));
    KERNEL(linear_rows(from, w, bias, to, n, k, lo, hi, scratch));
  });
}

struct Linear : Function<Linear> {
  static Tensor forward(AutogradContext *ctx, Tensor x, Tensor w, c10::optional<Tensor> b) {
    x = x.contiguous();
    w = w.contiguous();
    auto shape = x.sizes().vec();
    int64_t n = w.size(0), k = shape.back();
    shape.back() = n;
    Tensor y = torch::empty(shape, x.options());
    if (b) b = b->contiguous();
    times(x, n, k, b ? b->data_ptr<float>() : nullptr, y, [&](float *to) { KERNEL(pack_panels(w.data_ptr<float>(), n, k, false, to)); });
    ctx->save_for_backward({x, w});
    ctx->saved_data["bias"] = b.has_value();
    return y;
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    Tensor x = saved[0], w = saved[1], g = grads[0].contiguous(), dx, dw, db;
    int64_t n = w.size(0), k = w.size(1), m = x.numel() / k;
    if (ctx->needs_input_grad(0)) {
      dx = torch::empty_like(x);
      times(g, k, n, nullptr, dx, [&](float *to) { KERNEL(pack_rows(w.data_ptr<float>(), k, n, to)); });
    }
    if (ctx->needs_input_grad(1)) {
      dw = torch::empty_like(w);
      if (m == 0) dw.zero_();
      at::parallel_for(0, m ? n : 0, 32, [&](int64_t lo, int64_t hi) {
        Buffer scratch(KERNEL_OF(linear_weight_floats(hi - lo, k)));
        KERNEL(linear_weight(g.data_ptr<float>(), x.data_ptr<float>(), dw.data_ptr<float>(), m, n, k, lo, hi, scratch));
      });
    }
    if (ctx->saved_data["bias"].toBool()) db = g.reshape({m, n}).sum(0);
    return {dx, dw, db};
  }
};

} // namespace

ponder_tensor ponder_linear(ponder_tensor x_, ponder_tensor w_, ponder_tensor b_) {
  return guard([&] {
    Tensor &x = of(x_), &w = of(w_);
    c10::optional<Tensor> b;
    if (b_) b = of(b_);
    const bool ours = plain(x) && plain(w) && (!b || plain(*b)) && x.dim() > 0 && w.dim() == 2 && w.numel() > 0 && x.size(-1) == w.size(1) && (!b || b->sizes() == torch::IntArrayRef({w.size(0)}));
    if (!ours) return b ? torch::linear(x, w, *b) : torch::linear(x, w); // which also says what does not fit
    return Linear::apply(x, w, b);
  });
}
