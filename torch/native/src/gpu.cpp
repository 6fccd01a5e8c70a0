#include "gpu.h"

#ifdef PONDER_CUDA

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda.h>
#include <dlfcn.h>
#include <map>
#include <mutex>

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace {

const char *const source =
#include "gpu_kernels.inc"
    ;

// The functions of CUDA's driver and of NVRTC that are used, from the library by which libtorch finds them.
struct Driver {
  typedef struct Program *nvrtcProgram;
  int (*create)(nvrtcProgram *, const char *, const char *, int, const char *const *, const char *const *);
  int (*compile)(nvrtcProgram, int, const char *const *);
  int (*log_size)(nvrtcProgram, size_t *);
  int (*log)(nvrtcProgram, char *);
  int (*ptx_size)(nvrtcProgram, size_t *);
  int (*ptx)(nvrtcProgram, char *);
  int (*cubin_size)(nvrtcProgram, size_t *);
  int (*cubin)(nvrtcProgram, char *);
  int (*destroy)(nvrtcProgram *);
  int (*versions)(int *); // of nvrtcGetNumSupportedArchs
  int (*archs)(int *);
  decltype(&cuModuleLoadData) load;
  decltype(&cuModuleGetFunction) function;
  decltype(&cuLaunchKernel) launch;

  Driver() {
    void *lib = dlopen("libcaffe2_nvrtc.so", RTLD_LAZY | RTLD_LOCAL);
    const char *why = lib ? nullptr : dlerror();
    TORCH_CHECK(lib, "kernels for the GPU: ", why);
    auto get = [&](auto &f, const char *name) {
      f = (std::decay_t<decltype(f)>)dlsym(lib, name);
      TORCH_CHECK(f, "kernels for the GPU: no ", name);
    };
    get(create, "nvrtcCreateProgram"), get(compile, "nvrtcCompileProgram"), get(destroy, "nvrtcDestroyProgram");
    get(log_size, "nvrtcGetProgramLogSize"), get(log, "nvrtcGetProgramLog");
    get(ptx_size, "nvrtcGetPTXSize"), get(ptx, "nvrtcGetPTX"), get(cubin_size, "nvrtcGetCUBINSize"), get(cubin, "nvrtcGetCUBIN");
    get(versions, "nvrtcGetNumSupportedArchs"), get(archs, "nvrtcGetSupportedArchs");
    get(load, "cuModuleLoadData"), get(function, "cuModuleGetFunction"), get(launch, "cuLaunchKernel");
  }

  // compiled is the kernels for a GPU of this compute capability: its machine code, or where NVRTC does not know it, PTX of the
  // newest before it.
  std::string compiled(int capability) const {
    int n = 0;
    TORCH_CHECK(versions(&n) == 0 && n > 0, "kernels for the GPU: NVRTC names no architecture");
    std::vector<int> known(n);
    TORCH_CHECK(archs(known.data()) == 0, "kernels for the GPU: NVRTC names no architecture");
    int arch = known[0];
    for (int a : known)
      if (a <= capability) arch = std::max(arch, a);
    const bool exact = arch == capability;
    const std::string target = (exact ? "--gpu-architecture=sm_" : "--gpu-architecture=compute_") + std::to_string(arch);
    const char *options[] = {target.c_str(), "--std=c++17"};
    nvrtcProgram p = nullptr;
    TORCH_CHECK(create(&p, source, "ponder.cu", 0, nullptr, nullptr) == 0, "kernels for the GPU: no program");
    const int failed = compile(p, 2, options);
    const auto size_of = failed ? log_size : exact ? cubin_size : ptx_size;
    const auto read = failed ? log : exact ? cubin : ptx;
    size_t size = 0;
    size_of(p, &size);
    std::string out(size, 0);
    read(p, &out[0]);
    destroy(&p);
    TORCH_CHECK(!failed, "kernels for the GPU: ", out);
    return out;
  }
};

const Driver &driver() {
  static const Driver d;
  return d;
}

// The kernels of one GPU.
struct Kernels {
  CUmodule module = nullptr;
  std::map<std::string, CUfunction> functions;
  std::string failure; // why there are none
};

std::mutex lock;

Kernels &kernels_of(int device) {
  static std::map<int, Kernels> all;
  auto found = all.find(device);
  if (found != all.end()) return found->second;
  Kernels &k = all[device];
  try {
    int major = 0, minor = 0;
    TORCH_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == 0 && cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) == 0, "kernels for the GPU: it tells no compute capability");
    const int code = driver().load(&k.module, driver().compiled(10 * major + minor).data());
    TORCH_CHECK(code == 0, "kernels for the GPU: the driver refuses them, error ", code);
  } catch (const std::exception &e) {
    k.failure = e.what();
    TORCH_WARN(k.failure);
  }
  return k;
}

// launch runs a kernel on the current stream of x's GPU. Its name ends with x's type.
template <class... Args> void launch(const std::string &name, const Tensor &x, int64_t blocks, int width, int height, Args... args) {
  const std::string full = name + (x.scalar_type() == torch::kFloat ? "_f32" : "_bf16");
  CUfunction f;
  {
    std::lock_guard<std::mutex> l(lock);
    Kernels &k = kernels_of(x.get_device());
    CUfunction &kept = k.functions[full];
    const int code = kept ? 0 : driver().function(&kept, k.module, full.c_str());
    TORCH_CHECK(code == 0, full, ": no such kernel, error ", code);
    f = kept;
  }
  void *list[] = {(void *)&args...};
  const int code = driver().launch(f, (unsigned)blocks, 1, 1, width, height, 1, 0, c10::cuda::getCurrentCUDAStream(x.get_device()).stream(), list, nullptr);
  TORCH_CHECK(code == 0, full, ": CUDA's error ", code);
}

int64_t blocks(int64_t n, int64_t each) { return (n + each - 1) / each; }

const int warps = 4, threads = 256; // of a block

struct RmsAdd : Function<RmsAdd> {
  static Tensor forward(AutogradContext *ctx, Tensor x, Tensor y, double eps) {
    c10::cuda::CUDAGuard on(x.device());
    const int64_t d = x.size(-1), n = x.numel() / d;
    Tensor out = torch::empty_like(x), inv = torch::empty({n}, x.options().dtype(torch::kFloat));
    launch("rms_add", x, blocks(n, warps), 32, warps, x.data_ptr(), y.data_ptr(), out.data_ptr(), inv.data_ptr(), (long long)n, (int)d, (float)eps);
    ctx->save_for_backward({out, inv});
    return out;
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    Tensor out = saved[0], inv = saved[1], g = grads[0].contiguous(), dz = torch::empty_like(out);
    c10::cuda::CUDAGuard on(out.device());
    const int64_t d = out.size(-1), n = out.numel() / d;
    launch("rms_add_backward", out, blocks(n, warps), 32, warps, g.data_ptr(), out.data_ptr(), inv.data_ptr(), dz.data_ptr(), (long long)n, (int)d);
    return {dz, dz, Tensor()};
  }
};

struct Swiglu : Function<Swiglu> {
  static Tensor forward(AutogradContext *ctx, Tensor gu) {
    c10::cuda::CUDAGuard on(gu.device());
    auto shape = gu.sizes().vec();
    const int64_t f = shape.back() /= 2;
    Tensor out = torch::empty(shape, gu.options());
    launch("swiglu", gu, blocks(out.numel() / 4, threads), threads, 1, gu.data_ptr(), out.data_ptr(), (long long)(out.numel() / 4), (int)f);
    ctx->save_for_backward({gu});
    return out;
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    Tensor gu = ctx->get_saved_variables()[0], g = grads[0].contiguous(), dgu = torch::empty_like(gu);
    c10::cuda::CUDAGuard on(gu.device());
    launch("swiglu_backward", gu, blocks(g.numel() / 4, threads), threads, 1, g.data_ptr(), gu.data_ptr(), dgu.data_ptr(), (long long)(g.numel() / 4), (int)g.size(-1));
    return {dgu};
  }
};

struct Strides { long long b[3], h[3], p[3]; };

struct Rotate : Function<Rotate> {
  static variable_list forward(AutogradContext *ctx, Tensor qkv, int64_t heads, Tensor cos, Tensor sin) {
    c10::cuda::CUDAGuard on(qkv.device());
    const int64_t batch = qkv.size(0), n = qkv.size(1), hd = qkv.size(2) / 3 / heads;
    Tensor out = torch::empty({3, batch, heads, n, hd}, qkv.options());
    launch("rotate", qkv, blocks(qkv.numel() / 8, threads), threads, 1, qkv.data_ptr(), cos.data_ptr(), sin.data_ptr(), out.data_ptr(), (int)batch, (int)n, (int)heads, (int)hd);
    ctx->save_for_backward({cos, sin});
    ctx->saved_data["heads"] = heads;
    return {out[0], out[1], out[2]};
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    Tensor cos = saved[0], sin = saved[1];
    const int64_t heads = ctx->saved_data["heads"].toInt();
    const int64_t batch = grads[0].size(0), n = grads[0].size(2), hd = grads[0].size(3);
    Strides s;
    for (int i = 0; i < 3; i++) {
      Tensor &g = grads[i];
      if (g.stride(3) != 1 || (g.stride(0) | g.stride(1) | g.stride(2)) % 4 || (uintptr_t)g.data_ptr() % 16) g = g.contiguous();
      s.b[i] = g.stride(0), s.h[i] = g.stride(1), s.p[i] = g.stride(2);
    }
    c10::cuda::CUDAGuard on(cos.device());
    Tensor dqkv = torch::empty({batch, n, 3 * heads * hd}, grads[0].options());
    launch("rotate_backward", dqkv, blocks(dqkv.numel() / 8, threads), threads, 1, grads[0].data_ptr(), grads[1].data_ptr(), grads[2].data_ptr(), s, cos.data_ptr(), sin.data_ptr(), dqkv.data_ptr(), (int)batch, (int)n, (int)heads, (int)hd);
    return {dqkv, Tensor(), Tensor(), Tensor()};
  }
};

// A Recording is operations that run again as one.
struct Recording {
  at::cuda::CUDAGraph graph;
  c10::cuda::CUDAStream own, before;
  bool capturing = false;
  explicit Recording(int device) : own(c10::cuda::getStreamFromPool(false, (c10::DeviceIndex)device)), before(c10::cuda::getCurrentCUDAStream((c10::DeviceIndex)device)) {}
  void leave() { c10::cuda::setCurrentCUDAStream(before); }
};

} // namespace

bool gpu_kernels(std::initializer_list<Tensor> ts) {
  const Tensor &first = *ts.begin();
  if (!first.is_cuda() || first.numel() == 0 || (first.scalar_type() != torch::kFloat && first.scalar_type() != torch::kBFloat16)) return false;
  for (const Tensor &t : ts)
    if (t.device() != first.device() || t.scalar_type() != first.scalar_type() || t.size(-1) % 4 || !t.is_contiguous() || (uintptr_t)t.data_ptr() % 16) return false;
  c10::cuda::CUDAGuard on(first.device());
  std::lock_guard<std::mutex> l(lock);
  return kernels_of(first.get_device()).failure.empty();
}

Tensor gpu_rms_add(const Tensor &x, const Tensor &y, double eps) { return RmsAdd::apply(x, y, eps); }
Tensor gpu_swiglu(const Tensor &gu) { return Swiglu::apply(gu); }
variable_list gpu_rotate(const Tensor &qkv, int64_t heads, const Tensor &cos, const Tensor &sin) { return Rotate::apply(qkv, heads, cos, sin); }

int ponder_cuda_compiled(void) { return 1; }

void *ponder_recording_begin(int device) {
  return guarded((void *)nullptr, [&]() -> void * {
    c10::cuda::CUDAGuard on((c10::DeviceIndex)device);
    auto r = std::make_unique<Recording>(device);
    torch::cuda::synchronize(device); // what is to be read is there
    c10::cuda::setCurrentCUDAStream(r->own);
    return r.release();
  });
}
int ponder_recording_capture(void *p) {
  auto *r = (Recording *)p;
  return guarded(-1, [&] {
    torch::cuda::synchronize(r->own.device_index());
    r->graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    r->capturing = true;
    return 0;
  });
}
int ponder_recording_end(void *p) {
  auto *r = (Recording *)p;
  const int failed = guarded(-1, [&] {
    if (r->capturing) {
      r->capturing = false;
      r->graph.capture_end();
    }
    torch::cuda::synchronize(r->own.device_index());
    return 0;
  });
  r->leave();
  return failed;
}
int ponder_recording_replay(void *p) {
  return guarded(-1, [&] {
    ((Recording *)p)->graph.replay();
    return 0;
  });
}
void ponder_recording_free(void *p) {
  guarded(-1, [&] {
    delete (Recording *)p;
    return 0;
  });
}

#else

bool gpu_kernels(std::initializer_list<torch::Tensor>) { return false; }
torch::Tensor gpu_rms_add(const torch::Tensor &, const torch::Tensor &, double) { return {}; }
torch::Tensor gpu_swiglu(const torch::Tensor &) { return {}; }
std::vector<torch::Tensor> gpu_rotate(const torch::Tensor &, int64_t, const torch::Tensor &, const torch::Tensor &) { return {}; }

int ponder_cuda_compiled(void) { return 0; }
void *ponder_recording_begin(int) {
  ponder_remember("libtch was compiled without CUDA's headers");
  return nullptr;
}
int ponder_recording_capture(void *) { return -1; }
int ponder_recording_end(void *) { return -1; }
int ponder_recording_replay(void *) { return -1; }
void ponder_recording_free(void *) {}

#endif
