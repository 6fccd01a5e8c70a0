// A stack of blocks without gradient as one operation: rows that fit the second level of the cache go through all
// blocks before the next, and weights lie as the products read them.
#include "stack.h"
#include "head.h"
#include "ponder.h"
#include "tensors.h"

#include <algorithm>
#include <cmath>
#include <vector>

#define KERNELS "stack.inc"
#include "each_isa.h"

using torch::Tensor;

namespace {

// A Weight is what a block has of one name.
struct Weight {
  const float *StackBlock::*to;
  int64_t out, in;
  bool packed, gated;

  int64_t floats(Format f) const {
    int64_t n = out * in;
    if (packed) n = f == Format::float32 ? KERNEL_OF(packed_floats(out, in, gated)) : narrow_floats(f, out, in, gated);
    return (n + 15) / 16 * 16;
  }
};

// weights_of are those of a block, in the order in which they are given and packed.
std::vector<Weight> weights_of(const StackShape &s, bool conv) {
  std::vector<Weight> w;
  if (s.mixing == Mixing::tokens) {
    w = {{&StackBlock::up_t, 2 * s.tokens, s.n, true, true}, {&StackBlock::down_t, s.n, s.tokens, true, false}};
  } else if (s.mixing != Mixing::none) {
    w = {{&StackBlock::qkv, s.values(), s.d, true, false}, {&StackBlock::out, s.d, s.d, true, false}};
    if (s.mixing == Mixing::matrices) w.push_back({&StackBlock::mix, s.heads * s.n, s.n, false, false});
  }
  w.push_back({&StackBlock::gate, 2 * s.inner, s.d, true, true});
  w.push_back({&StackBlock::down, s.d, s.inner, true, false});
  if (conv) w.push_back({&StackBlock::conv, 9, s.inner, false, false});
  return w;
}

// The first numbers of packed weights say what they are; those that follow are aligned as the first.
enum Field { Set, FormatOf, MixingOf, N, D, Heads, Inner, Tokens, Blocks, Conv, Fields = 16 };

StackShape shape_of(const float *h) {
  StackShape s = {};
  s.mixing = (Mixing)(int)h[MixingOf], s.format = (Format)(int)h[FormatOf];
  s.n = (int64_t)h[N], s.d = (int64_t)h[D], s.heads = (int64_t)h[Heads], s.inner = (int64_t)h[Inner], s.tokens = (int64_t)h[Tokens];
  return s;
}

Tensor pack(ponder_tensor *given, int n, int blocks, int mixing, int heads, int format) {
  TORCH_CHECK(blocks > 0 && n % blocks == 0 && mixing >= 0 && mixing <= (int)Mixing::none && format >= 0 && format <= (int)Format::int8, "stack: ", n, " weights of ", blocks, " blocks");
  int64_t each = n / blocks, fixed = (Mixing)mixing == Mixing::matrices ? 5 : (Mixing)mixing == Mixing::none ? 2 : 4;
  bool conv = each > fixed;
  TORCH_CHECK(each == fixed + conv, "stack: ", each, " weights of a block, want ", fixed, " or one more");
  const Tensor &gate = of(given[fixed - 2]);
  float h[Fields] = {};
  h[Set] = (float)(int)ponder_isa_used(), h[MixingOf] = (float)mixing, h[FormatOf] = (float)format, h[Heads] = (float)heads, h[Blocks] = (float)blocks, h[Conv] = conv;
  h[D] = (float)gate.size(-1), h[Inner] = (float)(gate.size(0) / 2);
  if ((Mixing)mixing == Mixing::matrices) h[N] = (float)of(given[2]).size(-1);
  if ((Mixing)mixing == Mixing::tokens) h[N] = (float)of(given[0]).size(-1), h[Tokens] = (float)(of(given[0]).size(0) / 2);
  StackShape s = shape_of(h);
  TORCH_CHECK(heads > 0 && s.d % heads == 0 && (s.mixing != Mixing::matrices || s.d / heads % 16 == 0), "stack: ", heads, " heads of width ", s.d);
  auto weights = weights_of(s, conv);
  int64_t floats = Fields;
  for (auto &w : weights) floats += blocks * w.floats(s.format);
  Tensor packed = torch::empty({floats}, torch::kFloat);
  float *to = std::copy(h, h + Fields, packed.data_ptr<float>());
  for (int b = 0; b < blocks; b++)
    for (size_t i = 0; i < weights.size(); i++) {
      const Weight &w = weights[i];
      Tensor x = of(given[b * each + i]).detach();
      TORCH_CHECK(x.device().is_cpu() && x.scalar_type() == torch::kFloat && x.size(-1) == w.in && x.numel() == w.out * w.in, "stack: weight ", i, " of block ", b, " is ", x.sizes(), ", want ", w.out, " by ", w.in, " float32 on the CPU");
      x = x.contiguous();
      const float *from = x.data_ptr<float>();
      if (w.packed && s.format != Format::float32) {
        narrow_pack(s.format, from, w.out, w.in, w.gated, to);
      } else if (w.packed) {
        KERNEL(pack_panels(from, w.out, w.in, w.gated, to));
      } else {
        std::copy(from, from + w.out * w.in, to);
      }
      to += w.floats(s.format);
    }
  return packed;
}

void check(const Tensor &packed) {
  TORCH_CHECK(plain(packed) && packed.numel() > Fields && packed.data_ptr<float>()[Set] == (float)(int)ponder_isa_used(), "stack: packed for other kernels than those in use");
}

// unpack gives the weights in the order in which they were packed.
void unpack(const Tensor &packed, ponder_tensor *to, int n) {
  check(packed);
  const float *h = packed.data_ptr<float>(), *from = h + Fields;
  StackShape s = shape_of(h);
  auto weights = weights_of(s, h[Conv] != 0);
  TORCH_CHECK(n == (int)(weights.size() * (size_t)h[Blocks]), "stack: ", n, " weights wanted of ", weights.size(), " a block");
  for (int i = 0; i < n; i++) {
    const Weight &w = weights[i % weights.size()];
    Tensor x = w.to == &StackBlock::mix ? torch::empty({s.heads, s.n, s.n}) : torch::empty({w.out, w.in});
    if (w.packed && s.format != Format::float32) {
      narrow_unpack(s.format, from, w.out, w.in, w.gated, x.data_ptr<float>());
    } else if (w.packed) {
      KERNEL(unpack_panels(from, w.out, w.in, w.gated, x.data_ptr<float>()));
    } else {
      std::copy(from, from + x.numel(), x.data_ptr<float>());
    }
    from += w.floats(s.format);
    to[i] = new Tensor(x);
  }
}

// A Pass is the sequences [first, first + count) on their way through the blocks.
struct Pass {
  const StackShape &s;
  const std::vector<StackBlock> &blocks;
  const float *z, *plus, *too;
  float *out;

  // run takes them through. each(n, floats, f) calls f(lo, hi, scratch) for parts of [0, n), with scratch of so many floats.
  template <class Each> void run(int64_t first, int64_t count, Each each) const {
    const int64_t rows = count * s.n, xs = apart(s.d), from = first * s.n * s.d;
    const bool gathers = s.mixing == Mixing::attention || s.mixing == Mixing::matrices, conv = blocks[0].conv;
    Buffer x(rows * xs), y(gathers ? rows * apart(s.values()) : 0), gathered(gathers ? rows * xs : 0);
    Buffer hid(conv ? rows * apart(s.inner) : 0), turned(conv ? rows * apart(s.inner) : 0);
    each(rows, 0, [&](int64_t lo, int64_t hi, float *) {
      for (int64_t r = lo; r < hi; r++)
        for (int64_t j = 0, i = from + r * s.d; j < s.d; j++, i++) x[r * xs + j] = z[i] + ((plus ? plus[i] : 0) + (too ? too[i] : 0));
    });
    for (const StackBlock &w : blocks) {
      const float *added = gathers ? (const float *)gathered : nullptr;
      if (s.mixing == Mixing::tokens) {
        each(count, KERNEL_OF(stack_tokens_floats(s)), [&](int64_t lo, int64_t hi, float *scratch) { KERNEL(stack_tokens(s, w, x, lo, hi, scratch)); });
      } else if (gathers) {
        each(rows, 0, [&](int64_t lo, int64_t hi, float *) { KERNEL(stack_project(s, w, x, y, lo, hi)); });
        each(count * s.heads, KERNEL_OF(stack_mix_floats(s)), [&](int64_t lo, int64_t hi, float *scratch) { KERNEL(stack_mix(s, w, y, gathered, lo, hi, scratch)); });
      }
      int64_t floats = KERNEL_OF(stack_rest_floats(s));
      if (!conv) {
        each(rows, floats, [&](int64_t lo, int64_t hi, float *scratch) { KERNEL(stack_rest(s, w, x, added, lo, hi, scratch)); });
        continue;
      }
      each(rows, floats, [&](int64_t lo, int64_t hi, float *scratch) { KERNEL(stack_up(s, w, x, added, hid, lo, hi, scratch)); });
      each(count * s.rows, 0, [&](int64_t lo, int64_t hi, float *) { KERNEL(stack_conv(s, w, hid, turned, lo, hi)); });
      each(rows, floats, [&](int64_t lo, int64_t hi, float *scratch) { KERNEL(stack_down(s, w, x, turned, lo, hi, scratch)); });
    }
    each(rows, 0, [&](int64_t lo, int64_t hi, float *) {
      for (int64_t r = lo; r < hi; r++) std::copy(x + r * xs, x + r * xs + s.d, out + from + r * s.d);
    });
  }
};

// Few rows at a time keep what is between two products in the second level of the cache. Many make it worth while to
// fetch weights that it does not hold.
const int64_t few = 48, many = 168, large = 1 << 18; // large is floats of a feed-forward's weights

Tensor apply(const Tensor &packed, const Tensor &z, const Tensor &plus, const Tensor &too, const Tensor &cos, const Tensor &sin, const std::vector<Tensor> &bias, int64_t rows, int64_t cols, int64_t skip, double eps) {
  check(packed);
  const float *h = packed.data_ptr<float>();
  StackShape s = shape_of(h);
  TORCH_CHECK(z.dim() == 3 && z.size(2) == s.d && (s.mixing == Mixing::attention || s.mixing == Mixing::none || z.size(1) == s.n), "stack: state ", z.sizes(), " for weights of width ", s.d, " and ", s.n, " positions");
  s.n = z.size(1), s.rows = rows, s.cols = cols, s.skip = skip, s.eps = (float)eps;
  s.strip = 3 * s.d * s.inner > large ? many : few;
  TORCH_CHECK(!h[Conv] || s.n == skip + rows * cols, "stack: ", s.n, " positions, a grid of ", rows, "x", cols, " after ", skip);
  if (cos.defined()) {
    TORCH_CHECK(cos.sizes() == torch::IntArrayRef({s.n, s.d / s.heads}) && sin.sizes() == cos.sizes(), "stack: rope table ", cos.sizes(), " for ", s.n, " positions of width ", s.d / s.heads);
    s.cos = cos.data_ptr<float>(), s.sin = sin.data_ptr<float>();
  }
  std::vector<StackBlock> blocks((size_t)h[Blocks]);
  TORCH_CHECK(bias.empty() || bias.size() == blocks.size(), "stack: bias of ", bias.size(), " blocks, there are ", blocks.size());
  h += Fields;
  for (size_t b = 0; b < blocks.size(); b++) {
    for (auto &w : weights_of(s, packed.data_ptr<float>()[Conv] != 0)) {
      blocks[b].*w.to = h;
      h += w.floats(s.format);
    }
    if (bias.empty()) continue;
    TORCH_CHECK(bias[b].sizes() == torch::IntArrayRef({s.heads, s.n, s.n}), "stack: bias ", bias[b].sizes(), " for ", s.n, " positions");
    blocks[b].bias = bias[b].data_ptr<float>();
  }
  auto data = [](const Tensor &t) { return t.defined() ? t.data_ptr<float>() : nullptr; };
  Tensor out = torch::empty_like(z);
  Pass pass{s, blocks, data(z), data(plus), data(too), out.data_ptr<float>()};
  const int64_t batch = z.size(0), threads = at::get_num_threads();
  const int64_t some = std::max<int64_t>(1, std::min((s.strip + s.n / 2) / s.n, (batch + threads - 1) / threads)); // at once, as many for each thread
  const int64_t parts = (batch + some - 1) / some;
  auto alone = [](int64_t n, int64_t floats, auto f) { f((int64_t)0, n, (float *)Buffer(floats)); };
  if (parts >= threads) {
    at::parallel_for(0, parts, 1, [&](int64_t lo, int64_t hi) {
      for (int64_t p = lo; p < hi; p++) pass.run(p * some, std::min(some, batch - p * some), alone);
    });
  } else { // threads share each operation
    pass.run(0, batch, [](int64_t n, int64_t floats, auto f) {
      at::parallel_for(0, n, 1, [&](int64_t lo, int64_t hi) { f(lo, hi, (float *)Buffer(floats)); });
    });
  }
  return out;
}

} // namespace

ponder_tensor ponder_stack_pack(ponder_tensor *weights, int n, int blocks, int mixing, int heads, int format) {
  return guard([&] { return pack(weights, n, blocks, mixing, heads, format); });
}

int ponder_stack_unpack(ponder_tensor packed, ponder_tensor *weights, int n) {
  return guarded(-1, [&] {
    unpack(of(packed), weights, n);
    return 0;
  });
}

ponder_tensor ponder_stack(ponder_tensor packed, ponder_tensor z, ponder_tensor plus, ponder_tensor too, ponder_tensor cos, ponder_tensor sin, ponder_tensor *bias, int biases, int64_t rows, int64_t cols, int64_t skip, double eps) {
  return guard([&] {
    auto floats = [&](ponder_tensor t) {
      if (!t) return Tensor();
      TORCH_CHECK(of(t).device().is_cpu() && of(t).scalar_type() == torch::kFloat, "stack: want float32 on the CPU");
      return of(t).detach().contiguous();
    };
    std::vector<Tensor> tables;
    for (int i = 0; i < biases; i++) tables.push_back(floats(bias[i]));
    Tensor x = floats(z), p = floats(plus), t = floats(too);
    TORCH_CHECK((!p.defined() || p.sizes() == x.sizes()) && (!t.defined() || t.sizes() == x.sizes()), "stack: what is added to a state ", x.sizes(), " has another shape");
    return apply(of(packed), x, p, t, floats(cos), floats(sin), tables, rows, cols, skip, eps);
  });
}
