// Includes the file KERNELS once for each instruction set, each time in another namespace, with VL floats
// in a vector: 16 for AVX-512, 8 for AVX2, 4 for SSE2 and NEON. (GCC 12 lowers vectors wider than the
// target's through memory: AVX2 took four to nine times as long with 16.) KERNEL(call) then calls what was
// compiled for the instruction set in use, KERNEL_OF(call) is its value.
#include "guard.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define PONDER_X86 1
#endif

namespace {
#define VL 4
namespace base {
#include KERNELS
}
#undef VL
#ifdef PONDER_X86
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define VL 8
namespace avx2 {
#include KERNELS
}
#undef VL
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")
#define VL 16
namespace avx512 {
#include KERNELS
}
#undef VL
#pragma GCC pop_options
#endif
} // namespace

#ifdef PONDER_X86
#define KERNEL(call)                       \
  switch (ponder_isa_used()) {             \
  case Isa::base: base::call; break;       \
  case Isa::avx2: avx2::call; break;       \
  default: avx512::call;                   \
  }
#define KERNEL_OF(call) (ponder_isa_used() >= Isa::avx512 ? avx512::call : ponder_isa_used() == Isa::avx2 ? avx2::call : base::call)
#else
#define KERNEL(call) base::call
#define KERNEL_OF(call) base::call
#endif
