// A linear map as an operation with a gradient of its own: products by ponder's kernels, whose sums do not depend on the
// number of threads, nor on the library below libtorch.
#include "head.h"
#include "narrow.h"
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

// plain_times is x [m, k] w + bias: w is laid out by pack, which gets where to.
template <class Pack> void plain_times(const Tensor &x, int64_t n, int64_t k, const float *bias, Tensor &y, Pack pack) {
  Buffer w(KERNEL_OF(packed_floats(n, k, false)));
  pack((float *)w);
  const float *from = x.data_ptr<float>();
  float *to = y.data_ptr<float>();
  at::parallel_for(0, x.numel() / k, 64, [&](int64_t lo, int64_t hi) {
    Buffer scratch(KERNEL_OF(linear_floats(n)));
    KERNEL(linear_rows(from, w, bias, to, n, k, lo, hi, scratch));
  });
}

// Plain are the products of a linear map y [m, n] = x [m, k] w + bias, w [n, k], and of its gradients, in float32.
struct Plain {
  static void times(const Tensor &x, const Tensor &w, int64_t n, int64_t k, const float *bias, Tensor &y) {
    plain_times(x, n, k, bias, y, [&](float *to) { KERNEL(pack_panels(w.data_ptr<float>(), n, k, false, to)); });
  }
  static void times_turned(const Tensor &g, const Tensor &w, int64_t n, int64_t k, Tensor &dx) {
    plain_times(g, k, n, nullptr, dx, [&](float *to) { KERNEL(pack_rows(w.data_ptr<float>(), k, n, to)); });
  }
  static void weight(const Tensor &g, const Tensor &x, int64_t m, int64_t n, int64_t k, Tensor &dw) {
    at::parallel_for(0, n, 32, [&](int64_t lo, int64_t hi) {
      Buffer scratch(KERNEL_OF(linear_weight_floats(hi - lo, k)));
      KERNEL(linear_weight(g.data_ptr<float>(), x.data_ptr<float>(), dw.data_ptr<float>(), m, n, k, lo, hi, scratch));
    });
  }
};

// rounded is x as bf16 has it.
Tensor rounded(const Tensor &x) { return x.to(torch::kBFloat16).to(torch::kFloat); }

// rounded_times is x [m, k] w + bias with factors of bf16, w [n, k] or turned [k, n].
void rounded_times(const Tensor &x, const Tensor &w, bool turned, int64_t n, int64_t k, const float *bias, Tensor &y) {
  Buffer panels(narrow_floats(Format::bf16, n, k, false));
  narrow_panels(w.data_ptr<float>(), turned ? n : k, turned, n, k, panels);
  const float *from = x.data_ptr<float>();
  float *to = y.data_ptr<float>();
  at::parallel_for(0, x.numel() / k, 64, [&](int64_t lo, int64_t hi) {
    const int64_t part = 256; // rows that stay in the second level of the cache
    Buffer laid(narrow_laid(part, k));
    for (int64_t r = lo; r < hi; r += part) {
      const int64_t m = std::min(part, hi - r);
      narrow_lay(from + r * k, k, false, m, k, laid);
      narrow_times(laid, panels, m, n, k, to + r * n, n, false);
      if (!bias) continue;
      for (int64_t i = r; i < r + m; i++)
        for (int64_t j = 0; j < n; j++) to[i * n + j] += bias[j];
    }
  });
}

// Rounded are the same with factors of bf16, by AMX.
struct Rounded {
  static void times(const Tensor &x, const Tensor &w, int64_t n, int64_t k, const float *bias, Tensor &y) { rounded_times(x, w, false, n, k, bias, y); }
  static void times_turned(const Tensor &g, const Tensor &w, int64_t n, int64_t k, Tensor &dx) { rounded_times(g, w, true, k, n, nullptr, dx); }
  static void weight(const Tensor &g, const Tensor &x, int64_t m, int64_t n, int64_t k, Tensor &dw) {
    dw.zero_();
    const int64_t part = 512; // of the sum, so that what it reads stays in the second level of the cache
    Buffer panels(narrow_floats(Format::bf16, k, part, false));
    for (int64_t r = 0; r < m; r += part) {
      const int64_t rows = std::min(part, m - r);
      narrow_panels(x.data_ptr<float>() + r * k, k, true, k, rows, panels);
      at::parallel_for(0, n, 32, [&](int64_t lo, int64_t hi) {
        Buffer laid(narrow_laid(hi - lo, rows));
        narrow_lay(g.data_ptr<float>() + r * n + lo, n, true, hi - lo, rows, laid);
        narrow_times(laid, panels, hi - lo, k, rows, dw.data_ptr<float>() + lo * k, k, true);
      });
    }
  }
};

template <class Products> struct Linear : Function<Linear<Products>> {
  static Tensor forward(AutogradContext *ctx, Tensor x, Tensor w, c10::optional<Tensor> b) {
    x = x.contiguous();
    w = w.contiguous();
    auto shape = x.sizes().vec();
    int64_t n = w.size(0), k = shape.back();
    shape.back() = n;
    Tensor y = torch::empty(shape, x.options());
    if (b) b = b->contiguous();
    Products::times(x, w, n, k, b ? b->data_ptr<float>() : nullptr, y);
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
      Products::times_turned(g, w, n, k, dx);
    }
    if (ctx->needs_input_grad(1)) {
      dw = torch::empty_like(w);
      m ? Products::weight(g, x, m, n, k, dw) : (void)dw.zero_();
    }
    if (ctx->saved_data["bias"].toBool()) db = g.reshape({m, n}).sum(0);
    return {dx, dw, db};
  }
};

// Round is rounding to bf16, through which gradients pass.
struct Round : Function<Round> {
  static Tensor forward(AutogradContext *, Tensor x) { return rounded(x); }
  static variable_list backward(AutogradContext *, variable_list grads) { return {grads[0]}; }
};

// RoundBack rounds the gradient alone.
struct RoundBack : Function<RoundBack> {
  static Tensor forward(AutogradContext *, Tensor x) { return x.view_as(x); }
  static variable_list backward(AutogradContext *, variable_list grads) { return {rounded(grads[0])}; }
};

} // namespace

ponder_tensor ponder_linear(ponder_tensor x_, ponder_tensor w_, ponder_tensor b_, int bf16) {
  return guard([&] {
    Tensor &x = of(x_), &w = of(w_);
    c10::optional<Tensor> b;
    if (b_) b = of(b_);
    const bool ours = plain(x) && plain(w) && (!b || plain(*b)) && x.dim() > 0 && w.dim() == 2 && w.numel() > 0 && x.size(-1) == w.size(1) && (!b || b->sizes() == torch::IntArrayRef({w.size(0)}));
    if (!ours) return b ? torch::linear(x, w, *b) : torch::linear(x, w); // which also says what does not fit
    if (!bf16) return Linear<Plain>::apply(x, w, b);
    if (narrow_amx()) return Linear<Rounded>::apply(x, w, b);
    Tensor y = RoundBack::apply(Linear<Plain>::apply(Round::apply(x), Round::apply(w), c10::nullopt));
    return b ? y + *b : y;
  });
}
