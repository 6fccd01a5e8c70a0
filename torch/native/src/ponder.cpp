#include "gpu.h"
#include "ponder.h"
#include "tensors.h"

#include <ATen/CPUGeneratorImpl.h>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <torch/version.h>
#include <vector>

#if __has_include(<dlfcn.h>)
#include <dlfcn.h>
#endif

#include "head.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define KERNELS "kernels.inc"
#include "each_isa.h"

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace {

thread_local std::string last_error;

std::atomic<int> wanted_threads{0}; // what ponder_set_threads said, 0 before it
thread_local int own_threads = 0;   // what this OS thread has taken over of it

ponder_tensor give(Tensor t) { return new Tensor(std::move(t)); }

// remember keeps the first line of what went wrong, without libtorch's C++ backtrace.
void remember(const char *what) {
  last_error = what;
  auto end = last_error.find("\nException raised from");
  if (end != std::string::npos) last_error.resize(end);
}

// amx reports whether the processor has AMX for bf16 and int8, and the kernel lets this process use it, for which it has to be asked.
bool amx() {
#if defined(PONDER_X86) && defined(__linux__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  const unsigned tiles = 1 << 24 | 1 << 22 | 1 << 25; // and bf16, int8
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & tiles) == tiles && syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18 /* XFEATURE_XTILEDATA */) == 0;
#else
  return false;
#endif
}

bool runs(Isa isa) {
  switch (isa) {
#ifdef PONDER_X86
  case Isa::amx: return runs(Isa::dots) && amx();
  case Isa::dots: return runs(Isa::avx512) && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni");
  case Isa::avx512: return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  case Isa::avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  default: return isa == Isa::base;
  }
}

// isa is whose kernels are used: the widest vectors that the processor has, unless ponder_use_isa changed it.
Isa &isa() {
  static Isa used = [] {
    for (Isa i : {Isa::amx, Isa::dots, Isa::avx512, Isa::avx2})
      if (runs(i)) return i;
    return Isa::base;
  }();
  return used;
}

const char *name(Isa isa) {
  const char *names[] = {"base", "avx2", "avx512", "avx512-dots", "amx"};
  return names[(int)isa];
}

} // namespace

void ponder_remember(const char *what) { remember(what); }

Isa ponder_isa_used() { return isa(); }

void ponder_use_threads() {
  const int n = wanted_threads.load(std::memory_order_relaxed);
  if (n != own_threads) at::set_num_threads(own_threads = n);
}

namespace {

template <class F> int guard_int(F f) {
  return guarded(-1, [&] {
    f();
    return 0;
  });
}

// rows runs f(lo, hi) over [0, n) on the threads of libtorch, each part worth about 32k floats.
template <class F> void rows(int64_t n, int64_t width, F f) {
  at::parallel_for(0, n, std::max<int64_t>(1, 32768 / std::max<int64_t>(1, width)), f);
}

struct RmsAdd : Function<RmsAdd> {
  static Tensor forward(AutogradContext *ctx, Tensor x, Tensor y, double eps) {
    TORCH_CHECK(x.sizes() == y.sizes(), "rms_add: shapes ", x.sizes(), " and ", y.sizes());
    x = x.contiguous();
    y = y.contiguous();
    int64_t d = x.size(-1), n = x.numel() / d;
    Tensor out = torch::empty_like(x), inv = torch::empty({n}, x.options());
    rows(n, d, [&](int64_t lo, int64_t hi) {
      KERNEL(rms_add(x.data_ptr<float>(), y.data_ptr<float>(), out.data_ptr<float>(), inv.data_ptr<float>(), lo, hi, d, (float)eps));
    });
    ctx->save_for_backward({out, inv});
    return out;
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    Tensor out = saved[0], inv = saved[1], g = grads[0].contiguous(), dz = torch::empty_like(out);
    int64_t d = out.size(-1);
    rows(out.numel() / d, d, [&](int64_t lo, int64_t hi) {
      KERNEL(rms_add_backward(g.data_ptr<float>(), out.data_ptr<float>(), inv.data_ptr<float>(), dz.data_ptr<float>(), lo, hi, d));
    });
    return {dz, dz, Tensor()};
  }
};

struct Swiglu : Function<Swiglu> {
  static Tensor forward(AutogradContext *ctx, Tensor gu) {
    gu = gu.contiguous();
    auto shape = gu.sizes().vec();
    TORCH_CHECK(shape.back() % 2 == 0, "swiglu: odd width ", shape.back());
    int64_t f = shape.back() /= 2;
    Tensor out = torch::empty(shape, gu.options());
    rows(out.numel() / f, 4 * f, [&](int64_t lo, int64_t hi) {
      KERNEL(swiglu(gu.data_ptr<float>(), out.data_ptr<float>(), lo, hi, f));
    });
    ctx->save_for_backward({gu});
    return out;
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    Tensor gu = ctx->get_saved_variables()[0], g = grads[0].contiguous(), dgu = torch::empty_like(gu);
    int64_t f = g.size(-1);
    rows(g.numel() / f, 4 * f, [&](int64_t lo, int64_t hi) {
      KERNEL(swiglu_backward(g.data_ptr<float>(), gu.data_ptr<float>(), dgu.data_ptr<float>(), lo, hi, f));
    });
    return {dgu};
  }
};

struct Conv3x3 : Function<Conv3x3> {
  static Tensor forward(AutogradContext *ctx, Tensor x, Tensor w, int64_t r, int64_t c, int64_t skip) {
    x = x.contiguous();
    w = w.contiguous();
    Tensor out = torch::empty_like(x);
    int64_t f = x.size(2), n = x.size(1);
    rows(x.size(0), 9 * n * f, [&](int64_t lo, int64_t hi) {
      for (int64_t b = lo; b < hi; b++)
        KERNEL(conv3x3(x.data_ptr<float>() + b * n * f, w.data_ptr<float>(), out.data_ptr<float>() + b * n * f, r, c, skip, f, f, 0, r, false));
    });
    ctx->save_for_backward({x, w});
    ctx->saved_data["rows"] = r;
    ctx->saved_data["cols"] = c;
    ctx->saved_data["skip"] = skip;
    return out;
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    Tensor x = saved[0], w = saved[1], g = grads[0].contiguous();
    int64_t r = ctx->saved_data["rows"].toInt(), c = ctx->saved_data["cols"].toInt(), skip = ctx->saved_data["skip"].toInt();
    int64_t f = x.size(2), n = x.size(1), batch = x.size(0);
    Tensor dx = torch::empty_like(x), dw = torch::zeros_like(w);
    rows(batch, 9 * n * f, [&](int64_t lo, int64_t hi) {
      for (int64_t b = lo; b < hi; b++)
        KERNEL(conv3x3(g.data_ptr<float>() + b * n * f, w.data_ptr<float>(), dx.data_ptr<float>() + b * n * f, r, c, skip, f, f, 0, r, true));
    });
    // Threads share the channels, so that the order of the sum does not depend on their number.
    at::parallel_for(0, (f + 15) / 16, 1, [&](int64_t lo, int64_t hi) {
      for (int64_t b = 0; b < batch; b++)
        KERNEL(conv3x3_weight(g.data_ptr<float>() + b * n * f, x.data_ptr<float>() + b * n * f, dw.data_ptr<float>(), r, c, skip, f, 16 * lo, std::min(f, 16 * hi)));
    });
    return {dx, dw, Tensor(), Tensor(), Tensor()};
  }
};

// A Bag is sums of rows of a table [entries, width]: bag i of those from begins[i] on, or row ids[i] alone where there are no begins.
struct Bag : Function<Bag> {
  // of runs f(bag, row) for the ids of all bags in their order.
  template <class F> static void of(const Tensor &ids, const Tensor &begins, int64_t bags, F f) {
    const int64_t *id = ids.data_ptr<int64_t>(), *begin = begins.defined() ? begins.data_ptr<int64_t>() : nullptr, n = ids.numel();
    for (int64_t i = 0; i < bags; i++) {
      const int64_t end = !begin ? i + 1 : i + 1 < bags ? begin[i + 1] : n;
      for (int64_t k = begin ? begin[i] : i; k < end; k++) f(i, id[k]);
    }
  }
  static Tensor forward(AutogradContext *ctx, Tensor table, Tensor ids, c10::optional<Tensor> begins_) {
    Tensor begins = begins_.value_or(Tensor());
    table = table.contiguous();
    const int64_t d = table.size(1), bags = begins.defined() ? begins.numel() : ids.numel();
    Tensor out = begins.defined() ? torch::zeros({bags, d}, table.options()) : torch::empty({bags, d}, table.options());
    const float *from = table.data_ptr<float>();
    float *to = out.data_ptr<float>();
    if (begins.defined())
      of(ids, begins, bags, [&](int64_t i, int64_t k) { for (int64_t j = 0; j < d; j++) to[i * d + j] += from[k * d + j]; });
    else
      of(ids, begins, bags, [&](int64_t i, int64_t k) { std::copy(from + k * d, from + k * d + d, to + i * d); });
    ctx->save_for_backward({ids, begins});
    ctx->saved_data["entries"] = table.size(0);
    return out;
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    Tensor g = grads[0].contiguous(), dtable = torch::zeros({ctx->saved_data["entries"].toInt(), g.size(1)}, g.options());
    const int64_t d = g.size(1);
    const float *from = g.data_ptr<float>();
    float *to = dtable.data_ptr<float>();
    of(saved[0], saved[1], g.size(0), [&](int64_t i, int64_t k) { for (int64_t j = 0; j < d; j++) to[k * d + j] += from[i * d + j]; });
    return {dtable, Tensor(), Tensor()};
  }
};

Head head(const Tensor &qkv, int64_t heads, const Tensor &cos, const Tensor &sin, const Tensor &bias, int64_t b, int64_t h) {
  int64_t n = qkv.size(1), d = qkv.size(2) / 3;
  return {qkv.data_ptr<float>() + b * n * 3 * d, 3 * d, n, d / heads, d, h,
           cos.defined() ? cos.data_ptr<float>() : nullptr, sin.defined() ? sin.data_ptr<float>() : nullptr,
           bias.defined() ? bias.data_ptr<float>() + h * n * n : nullptr};
}

struct Attention : Function<Attention> {
  using Maybe = c10::optional<Tensor>;
  static Tensor forward(AutogradContext *ctx, Tensor qkv, int64_t heads, Maybe cos_, Maybe sin_, Maybe bias_) {
    Tensor cos = cos_.value_or(Tensor()), sin = sin_.value_or(Tensor()), bias = bias_.value_or(Tensor());
    qkv = qkv.contiguous();
    int64_t batch = qkv.size(0), n = qkv.size(1), d = qkv.size(2) / 3;
    Tensor out = torch::empty({batch, n, d}, qkv.options());
    at::parallel_for(0, batch * heads, 1, [&](int64_t lo, int64_t hi) {
      std::vector<float> scratch(base::attention_floats(n, d / heads));
      for (int64_t i = lo; i < hi; i++) {
        int64_t b = i / heads, h = i % heads;
        float *o = out.data_ptr<float>() + b * n * d;
        KERNEL(attention(head(qkv, heads, cos, sin, bias, b, h), o, d, scratch.data()));
      }
    });
    ctx->save_for_backward({qkv, cos, sin, bias});
    ctx->saved_data["heads"] = heads;
    ctx->saved_data["dbias"] = bias.defined() && bias.requires_grad();
    return out;
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    Tensor qkv = saved[0], cos = saved[1], sin = saved[2], bias = saved[3], g = grads[0].contiguous();
    int64_t heads = ctx->saved_data["heads"].toInt();
    int64_t batch = qkv.size(0), n = qkv.size(1), d = qkv.size(2) / 3;
    Tensor dqkv = torch::empty_like(qkv), dbias;
    if (ctx->saved_data["dbias"].toBool()) dbias = torch::zeros_like(bias);
    auto one = [&](int64_t b, int64_t h, float *scratch) {
      float *db = dbias.defined() ? dbias.data_ptr<float>() + h * n * n : nullptr;
      const float *go = g.data_ptr<float>() + b * n * d;
      float *dq = dqkv.data_ptr<float>() + b * n * 3 * d;
      KERNEL(attention_backward(head(qkv, heads, cos, sin, bias, b, h), go, dq, db, scratch));
    };
    if (dbias.defined()) { // a thread owns a head, so that sums over the batch keep their order
      at::parallel_for(0, heads, 1, [&](int64_t lo, int64_t hi) {
        std::vector<float> scratch(base::attention_floats(n, d / heads));
        for (int64_t h = lo; h < hi; h++)
          for (int64_t b = 0; b < batch; b++) one(b, h, scratch.data());
      });
    } else {
      at::parallel_for(0, batch * heads, 1, [&](int64_t lo, int64_t hi) {
        std::vector<float> scratch(base::attention_floats(n, d / heads));
        for (int64_t i = lo; i < hi; i++) one(i / heads, i % heads, scratch.data());
      });
    }
    return {dqkv, Tensor(), Tensor(), Tensor(), dbias};
  }
};

// The same operations on any device and type, from libtorch's own.

Tensor rms_add_any(const Tensor &x, const Tensor &y, double eps) {
  Tensor z = (x + y).to(torch::kFloat);
  return (z * torch::rsqrt(z.square().mean(-1, true) + eps)).to(x.scalar_type());
}

Tensor swiglu_any(const Tensor &gu) {
  auto p = gu.chunk(2, -1);
  return torch::silu(p[0]) * p[1];
}

Tensor conv3x3_any(const Tensor &x, const Tensor &w, int64_t r, int64_t c, int64_t skip) {
  int64_t batch = x.size(0), f = x.size(2);
  Tensor grid = x.slice(1, skip).transpose(1, 2).reshape({batch, f, r, c});
  Tensor kernel = w.t().reshape({f, 1, 3, 3}).to(x.scalar_type());
  Tensor out = torch::conv2d(grid, kernel, {}, 1, 1, 1, f).reshape({batch, f, r * c}).transpose(1, 2);
  return skip ? torch::cat({x.slice(1, 0, skip), out}, 1) : out;
}

Tensor rotate(const Tensor &x, const Tensor &cos, const Tensor &sin) { // x [batch, heads, n, hd]
  auto p = x.chunk(2, -1);
  return (x * cos + torch::cat({-p[1], p[0]}, -1) * sin).to(x.scalar_type());
}

struct Projections { Tensor q, k, v; };

Projections project(const Tensor &qkv, int64_t heads, const Tensor &cos, const Tensor &sin) {
  int64_t batch = qkv.size(0), n = qkv.size(1), d = qkv.size(2) / 3;
  auto p = qkv.view({batch, n, 3 * heads, d / heads}).transpose(1, 2).split(heads, 1);
  if (!cos.defined()) return {p[0], p[1], p[2]};
  return {rotate(p[0], cos, sin), rotate(p[1], cos, sin), p[2]};
}

Tensor weights(const Projections &p, const Tensor &bias) {
  Tensor s = torch::matmul(p.q * (1.0 / std::sqrt((double)p.q.size(-1))), p.k.transpose(-1, -2));
  if (bias.defined()) s = s + bias.to(s.scalar_type());
  return torch::softmax(s, -1);
}

Tensor attention_any(const Tensor &qkv, int64_t heads, const Tensor &cos, const Tensor &sin, const Tensor &bias) {
  const int64_t hd = qkv.size(2) / 3 / heads;
  Projections p;
  if (cos.defined() && hd % 8 == 0 && gpu_kernels({qkv}) && gpu_kernels({cos, sin})) {
    auto turned = gpu_rotate(qkv, heads, cos, sin);
    p = {turned[0], turned[1], turned[2]};
  } else {
    p = project(qkv, heads, cos, sin);
  }
  Tensor o;
#if TORCH_VERSION_MAJOR >= 2
  if (qkv.is_cuda()) {
    c10::optional<Tensor> mask;
    if (bias.defined()) mask = bias.unsqueeze(0).expand({qkv.size(0), heads, qkv.size(1), qkv.size(1)}).to(p.q.scalar_type());
    o = at::scaled_dot_product_attention(p.q, p.k, p.v, mask);
  } else
#endif
    o = torch::matmul(weights(p, bias), p.v);
  return o.transpose(1, 2).reshape({qkv.size(0), qkv.size(1), qkv.size(2) / 3});
}

Tensor optional(ponder_tensor t) { return t ? of(t) : Tensor(); }

void check_attention(const Tensor &qkv, int64_t heads, const Tensor &cos, const Tensor &bias) {
  TORCH_CHECK(qkv.dim() == 3 && heads > 0 && qkv.size(2) % (3 * heads) == 0, "attention: qkv ", qkv.sizes(), " with ", heads, " heads");
  int64_t n = qkv.size(1), hd = qkv.size(2) / 3 / heads;
  TORCH_CHECK(!cos.defined() || (hd % 2 == 0 && cos.sizes() == torch::IntArrayRef({n, hd})), "attention: rope table ", cos.sizes(), " for ", n, " positions of width ", hd);
  TORCH_CHECK(!bias.defined() || bias.sizes() == torch::IntArrayRef({heads, n, n}), "attention: bias ", bias.sizes(), " for ", n, " positions");
}

std::vector<Tensor> list(ponder_tensor *ts, int n) {
  std::vector<Tensor> out;
  for (int i = 0; i < n; i++) out.push_back(of(ts[i]));
  return out;
}

torch::Device device_of(int d) { return d < 0 ? torch::Device(torch::kCPU) : torch::Device(torch::kCUDA, (int8_t)d); }

} // namespace

const char *ponder_error(void) { return last_error.c_str(); }

const char *ponder_isa(void) { return name(isa()); }
int ponder_use_isa(const char *asked) {
  for (Isa i : {Isa::base, Isa::avx2, Isa::avx512, Isa::dots, Isa::amx})
    if (!strcmp(name(i), asked) && runs(i)) {
      isa() = i;
      return 0;
    }
  return -1;
}
const char *ponder_torch_version(void) { return TORCH_VERSION; }
const char *ponder_build(void) {
  static const std::string text = at::get_parallel_info() + at::show_config();
  return text.c_str();
}
int ponder_cuda_available(void) {
  return guarded(0, [] { return torch::cuda::is_available() ? 1 : 0; });
}
void ponder_allow_tf32(int on) {
  at::globalContext().setAllowTF32CuBLAS(on != 0);
  at::globalContext().setAllowTF32CuDNN(on != 0);
}
void ponder_set_threads(int n) {
  if (n > 0) wanted_threads = n;
  guard_int([] {});
#ifdef RTLD_DEFAULT
  // An OpenBLAS with threads of its own (Debian's libopenblas0-pthread) does not ask libtorch.
  if (void *f = dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) ((void (*)(int))f)(n);
#endif
}
int ponder_threads(void) {
  return guarded(1, [] { return at::get_num_threads(); });
}
int ponder_synchronize(int device) {
  return guard_int([&] { torch::cuda::synchronize(device); });
}

int ponder_grad_enabled(void) { return torch::GradMode::is_enabled(); }
void ponder_set_grad_enabled(int on) { torch::GradMode::set_enabled(on != 0); }

void ponder_free(ponder_tensor t) { delete (Tensor *)t; }
void ponder_free_all(ponder_tensor *ts, int n) {
  for (int i = 0; i < n; i++) delete (Tensor *)ts[i];
}

ponder_tensor ponder_from(const void *data, int dtype, const int64_t *shape, int dims, int device) {
  return guard([&] {
    auto type = (torch::ScalarType)dtype;
    Tensor t = torch::empty(torch::IntArrayRef(shape, dims), torch::dtype(type));
    if (t.numel()) memcpy(t.data_ptr(), data, t.nbytes());
    return device < 0 ? t : t.to(device_of(device));
  });
}
int ponder_read(ponder_tensor t, void *dst, int dtype, int64_t numel) {
  return guard_int([&] {
    torch::NoGradGuard off;
    Tensor x = of(t).detach().to(torch::kCPU, (torch::ScalarType)dtype).contiguous();
    TORCH_CHECK(x.numel() == numel, "read: tensor has ", x.numel(), " elements, the slice ", numel);
    if (numel) memcpy(dst, x.data_ptr(), x.nbytes());
  });
}
ponder_tensor ponder_clone(ponder_tensor t, int device) {
  return guard([&] { return of(t).detach().to(device_of(device)).clone(); });
}
int64_t ponder_version(ponder_tensor *ts, int n) {
  return guarded((int64_t)-1, [&] {
    int64_t v = 0;
    for (int i = 0; i < n; i++) v += of(ts[i])._version();
    return v;
  });
}
int ponder_copy(ponder_tensor dst, ponder_tensor src) {
  return guard_int([&] {
    torch::NoGradGuard off;
    TORCH_CHECK(of(dst).sizes() == of(src).sizes(), "copy: ", of(src).sizes(), " into ", of(dst).sizes());
    of(dst).copy_(of(src));
  });
}
int ponder_write(ponder_tensor t, const void *src, int dtype, int64_t numel) {
  return guard_int([&] {
    torch::NoGradGuard off;
    Tensor &x = of(t);
    TORCH_CHECK(x.numel() == numel, "write: tensor has ", x.numel(), " elements, the slice ", numel);
    x.copy_(torch::from_blob(const_cast<void *>(src), x.sizes(), torch::dtype((torch::ScalarType)dtype)));
  });
}

ponder_tensor ponder_rms_add(ponder_tensor x, ponder_tensor y, double eps) {
  return guard([&] {
    Tensor &a = of(x), &b = of(y);
    if (plain(a) && plain(b)) return RmsAdd::apply(a, b, eps);
    return a.sizes() == b.sizes() && gpu_kernels({a, b}) ? gpu_rms_add(a, b, eps) : rms_add_any(a, b, eps);
  });
}
ponder_tensor ponder_attention(ponder_tensor qkv, int heads, ponder_tensor cos, ponder_tensor sin, ponder_tensor bias) {
  return guard([&] {
    Tensor c = optional(cos), s = optional(sin), b = optional(bias);
    check_attention(of(qkv), heads, c, b);
    if (!plain(of(qkv)) || (b.defined() && !plain(b))) return attention_any(of(qkv), heads, c, s, b);
    auto maybe = [](const Tensor &t) { return t.defined() ? c10::optional<Tensor>(t.contiguous()) : c10::nullopt; };
    return Attention::apply(of(qkv), (int64_t)heads, maybe(c), maybe(s), maybe(b));
  });
}
ponder_tensor ponder_attention_map(ponder_tensor qkv, int heads, ponder_tensor cos, ponder_tensor sin, ponder_tensor bias) {
  return guard([&] {
    Tensor c = optional(cos), s = optional(sin), b = optional(bias);
    check_attention(of(qkv), heads, c, b);
    return weights(project(of(qkv), heads, c, s), b).to(torch::kFloat).mean(1);
  });
}
ponder_tensor ponder_swiglu(ponder_tensor gu) {
  return guard([&] {
    Tensor &x = of(gu);
    if (plain(x)) return Swiglu::apply(x);
    return x.size(-1) % 8 == 0 && gpu_kernels({x}) ? gpu_swiglu(x) : swiglu_any(x);
  });
}
ponder_tensor ponder_conv3x3(ponder_tensor x, ponder_tensor w, int64_t r, int64_t c, int64_t skip) {
  return guard([&] {
    Tensor &a = of(x), &b = of(w);
    TORCH_CHECK(a.dim() == 3 && a.size(1) == skip + r * c && b.dim() == 2 && b.size(0) == 9 && b.size(1) == a.size(2),
                "conv3x3: x ", a.sizes(), ", w ", b.sizes(), " for ", skip, " + ", r, "x", c, " positions");
    return plain(a) && plain(b) ? Conv3x3::apply(a, b, r, c, skip) : conv3x3_any(a, b, r, c, skip);
  });
}
ponder_tensor ponder_bag(ponder_tensor table, const int64_t *ids, int64_t n, const int64_t *begins, int64_t bags) {
  return guard([&] {
    const Tensor &t = of(table);
    TORCH_CHECK(t.dim() == 2, "bag: a table ", t.sizes());
    for (int64_t i = 0; i < n; i++) TORCH_CHECK(ids[i] >= 0 && ids[i] < t.size(0), "bag: row ", ids[i], " of a table ", t.sizes());
    for (int64_t i = 0; i < bags; i++) TORCH_CHECK(begins[i] >= (i ? begins[i - 1] : 0) && begins[i] <= n, "bag: bag ", i, " begins at ", begins[i], " of ", n);
    auto whole = [](const int64_t *p, int64_t n) {
      Tensor x = torch::empty({n}, torch::kLong);
      std::copy(p, p + n, x.data_ptr<int64_t>());
      return x;
    };
    Tensor i = whole(ids, n);
    c10::optional<Tensor> b;
    if (begins) b = whole(begins, bags);
    if (plain(t)) return Bag::apply(t, i, b);
    i = i.to(t.device());
    return b ? std::get<0>(at::embedding_bag(t, i, b->to(t.device()))) : t.index_select(0, i);
  });
}
int ponder_gradients(ponder_tensor loss, ponder_tensor *params, int n, ponder_tensor *grads) {
  return guard_int([&] {
    auto in = list(params, n);
    auto out = torch::autograd::grad({of(loss)}, in, {}, false, false, true);
    for (int i = 0; i < n; i++) grads[i] = give(out[i].defined() ? out[i] : torch::zeros_like(in[i]));
  });
}
// squares is the sum of the squares of n numbers, in eight parts that do not wait for each other.
static double squares(const float *x, int64_t n) {
  double part[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int j = 0; j < 8; j++) part[j] += (double)x[i + j] * x[i + j];
  for (; i < n; i++) part[0] += (double)x[i] * x[i];
  for (int j = 1; j < 8; j++) part[0] += part[j];
  return part[0];
}
double ponder_norm(ponder_tensor *ts, int n) {
  return guarded(-1.0, [&] {
    torch::NoGradGuard off;
    Tensor s; // of those that are not plain
    double sum = 0;
    for (int i = 0; i < n; i++) {
      const Tensor &t = of(ts[i]);
      if (plain(t) && t.is_contiguous()) {
        sum += squares(t.data_ptr<float>(), t.numel());
        continue;
      }
      Tensor q = t.to(torch::kDouble).square().sum();
      s = s.defined() ? s + q : q;
    }
    return std::sqrt(sum + (s.defined() ? s.item<double>() : 0.0));
  });
}

int ponder_step_atan2(ponder_tensor *p, ponder_tensor *g, ponder_tensor *m, ponder_tensor *v, int n, int64_t t, double lr, double scale, double b1, double b2, double decay) {
  return guard_int([&] {
    torch::NoGradGuard off;
    double c1 = 1 - std::pow(b1, (double)t), c2 = std::sqrt(1 - std::pow(b2, (double)t));
    for (int i = 0; i < n; i++) {
      Tensor &w = of(p[i]), &d = of(g[i]);
      w.mul_(1 - lr * decay);
      of(m[i]).mul_(b1).add_(d, (1 - b1) * scale);
      of(v[i]).mul_(b2).addcmul_(d, d, (1 - b2) * scale * scale);
      w.add_(torch::atan2(of(m[i]), of(v[i]).sqrt().div_(c2)), -lr / c1);
    }
  });
}
int ponder_step_adamw(ponder_tensor *p, ponder_tensor *g, ponder_tensor *m, ponder_tensor *v, int n, int64_t t, double lr, double scale, double b1, double b2, double eps, double decay) {
  return guard_int([&] {
    torch::NoGradGuard off;
    double c1 = 1 - std::pow(b1, (double)t), c2 = std::sqrt(1 - std::pow(b2, (double)t));
    for (int i = 0; i < n; i++) {
      Tensor &w = of(p[i]), &d = of(g[i]);
      auto ready = [](const Tensor &x) { return plain(x) && x.is_contiguous(); };
      if (ready(w) && ready(d) && ready(of(m[i])) && ready(of(v[i]))) {
        float *x = w.data_ptr<float>(), *a = of(m[i]).data_ptr<float>(), *b = of(v[i]).data_ptr<float>();
        const float *y = d.data_ptr<float>();
        rows(w.numel(), 1, [&](int64_t lo, int64_t hi) {
          KERNEL(adamw(x, y, a, b, lo, hi, (float)scale, (float)(lr / c1), (float)(1 - lr * decay), (float)b1, (float)b2, (float)(1 / c2), (float)eps));
        });
        w.unsafeGetTensorImpl()->bump_version();
        continue;
      }
      w.mul_(1 - lr * decay);
      of(m[i]).mul_(b1).add_(d, (1 - b1) * scale);
      of(v[i]).mul_(b2).addcmul_(d, d, (1 - b2) * scale * scale);
      w.addcdiv_(of(m[i]), of(v[i]).sqrt().div_(c2).add_(eps), -lr / c1);
    }
  });
}
int ponder_sign_sgd(ponder_tensor table, ponder_tensor rows, ponder_tensor ids, double lr, double decay) {
  return guard_int([&] {
    torch::NoGradGuard off;
    auto [unique, inverse, counts] = at::_unique2(of(ids), true, true, false);
    Tensor sum = torch::zeros({unique.size(0), of(rows).size(1)}, of(rows).options()).index_add_(0, inverse, of(rows));
    Tensor w = of(table).index_select(0, unique);
    of(table).index_copy_(0, unique, w.mul_(1 - lr * decay).sub_(sum.sign_(), lr));
  });
}
int ponder_ema(ponder_tensor *shadow, ponder_tensor *p, int n, double mu) {
  return guard_int([&] {
    torch::NoGradGuard off;
    for (int i = 0; i < n; i++) of(shadow[i]).mul_(mu).add_(of(p[i]), 1 - mu);
  });
}

void *ponder_generator(uint64_t seed) {
  return guarded((void *)nullptr, [&] { return (void *)new at::Generator(at::make_generator<at::CPUGeneratorImpl>(seed)); });
}
void ponder_generator_free(void *g) { delete (at::Generator *)g; }
ponder_tensor ponder_uniform(void *g, const int64_t *shape, int dims, double lo, double hi) {
  return guard([&] { return torch::empty(torch::IntArrayRef(shape, dims)).uniform_(lo, hi, *(at::Generator *)g); });
}
ponder_tensor ponder_trunc_normal(void *g, const int64_t *shape, int dims, double std) {
  return guard([&] {
    // Cut at two standard deviations, with the scale c that gives the cut distribution std.
    double edge = std::erf(std::sqrt(2.0)), c = 1.1368472343385565 * std;
    Tensor u = torch::empty(torch::IntArrayRef(shape, dims)).uniform_(-edge, edge, *(at::Generator *)g);
    return u.erfinv_().mul_(std::sqrt(2.0) * c).clamp_(-2 * c, 2 * c);
  });
}

