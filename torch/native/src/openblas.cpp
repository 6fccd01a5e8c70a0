// OpenBLAS has kernels for every processor it knew when it was released, and takes them by the model
// number. For a model that is newer it may take those of an old one: 0.3.21 takes "Prescott", SSE3, for
// Intel's Emerald Rapids, a fifth of the speed of its AVX-512 kernels, which are in the same file.
// This corrects the choice once, when the library is loaded: before main, so nothing computes yet and
// nobody else reads the environment. A choice that the user made (OPENBLAS_CORETYPE) is left alone.
//
// Which kernels are taken must not depend on chance, or a resumed run would differ from an
// uninterrupted one in its last bits. So the widest vectors that the processor has go first; products
// must be exact with them, and the time is only a veto against what nobody would expect.
#include "ponder.h"

#if defined(__x86_64__) && defined(__GNUC__) && __has_include(<dlfcn.h>)
#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <memory>
#include <pthread.h>
#include <string>
#include <time.h>
#include <vector>
#ifdef _OPENMP
#include <omp.h>
#endif

namespace {

// Fortran's interface, which libtorch calls: matrices by columns, arguments by address.
template <class T> using Gemm = void (*)(const char *, const char *, const int *, const int *, const int *, const T *, const T *, const int *, const T *, const int *, const T *, T *, const int *);
template <class T> using Gemv = void (*)(const char *, const int *, const int *, const T *, const T *, const int *, const T *, const int *, const T *, T *, const int *);

template <class F> F function(const char *name) { return (F)dlsym(RTLD_DEFAULT, name); }

struct OpenBlas {
  const char *(*core)() = function<const char *(*)()>("openblas_get_corename");
  // Exported, though not part of its interface: forget the choice, and choose again.
  void (*quit)() = function<void (*)()>("gotoblas_dynamic_quit");
  void (*init)() = function<void (*)()>("gotoblas_dynamic_init");
  int (*threads)() = function<int (*)()>("openblas_get_num_threads");
  void (*set_threads)(int) = function<void (*)(int)>("openblas_set_num_threads");
  Gemm<float> sgemm = function<Gemm<float>>("sgemm_");
  Gemm<double> dgemm = function<Gemm<double>>("dgemm_");
  Gemv<float> sgemv = function<Gemv<float>>("sgemv_");

  bool can_choose() const { return core && quit && init && threads && set_threads && sgemm && dgemm && sgemv; }
};

const OpenBlas &openblas() {
  static const OpenBlas lib;
  return lib;
}

// use makes OpenBLAS take the kernels of core, and returns whether it has them. Whether the processor
// can run them is not looked at.
bool use(const std::string &core) {
  const char *user = getenv("OPENBLAS_CORETYPE");
  std::string before = user ? user : "";
  setenv("OPENBLAS_CORETYPE", core.c_str(), 1);
  openblas().quit();
  openblas().init();
  if (user)
    setenv("OPENBLAS_CORETYPE", before.c_str(), 1);
  else
    unsetenv("OPENBLAS_CORETYPE");
  return core == openblas().core();
}

// A Core is a set of kernels that a choice may fall on.
struct Core {
  const char *name;
  int width; // floats of a vector
  bool runs; // this processor has the instructions
};

std::vector<Core> candidates() { // the widest first
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return {{"SkylakeX", 16, avx512}, {"Haswell", 8, avx2}};
}

// width_of is for how wide vectors the kernels of a core are, as far as that says whether a wider
// choice is to be tried: those named after processors without AVX2, and the two with it. OpenBLAS knew
// what it did where it took any other.
int width_of(const std::string &core) {
  for (const char *name : {"Prescott", "Core2", "Penryn", "Dunnington", "Nehalem", "Atom", "Nano", "Opteron", "Opteron_SSE3", "Barcelona", "Bobcat", "Sandybridge"})
    if (core == name) return 4;
  return core == "Haswell" || core == "Zen" ? 8 : 16;
}

// One holds OpenBLAS to the calling thread, so that the time is its and a fault can be survived.
struct OneThread {
  int own = openblas().threads();
#ifdef _OPENMP
  int openmp = omp_get_max_threads(); // an OpenBLAS on OpenMP sets it too
#endif
  OneThread() { openblas().set_threads(1); }
  ~OneThread() {
    openblas().set_threads(own);
#ifdef _OPENMP
    omp_set_num_threads(openmp);
#endif
  }
};

// Surviving a fault: kernels of some builds crash on some processors.
const int faults[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE};
struct sigaction earlier[4];
sigjmp_buf before_fault;
pthread_t guarded_thread;

void on_fault(int sig, siginfo_t *, void *) {
  if (pthread_equal(pthread_self(), guarded_thread)) siglongjmp(before_fault, 1);
  // Another thread's: it faults again, and finds the earlier handler.
  for (int i = 0; i < 4; i++)
    if (faults[i] == sig) sigaction(sig, &earlier[i], nullptr);
}

// survives calls f, which must own nothing, and returns false where f does or where it faults.
template <class F> bool survives(F f) {
  struct sigaction act = {};
  act.sa_sigaction = on_fault;
  act.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&act.sa_mask);
  guarded_thread = pthread_self();
  for (int i = 0; i < 4; i++) sigaction(faults[i], &act, &earlier[i]);
  volatile bool ok = false;
  if (sigsetjmp(before_fault, 1) == 0) ok = f();
  for (int i = 0; i < 4; i++) sigaction(faults[i], &earlier[i], nullptr);
  return ok;
}

// An Example is a product C = A B of whole numbers so small that every order of summing gives the same
// floats: |a| < 512 and |b| < 128 leave k <= 256 terms below 2^24. a has nine bits, so that a product
// in bfloat16 would differ.
template <class T> struct Example {
  int m, n, k;
  std::vector<T> a, at, b, bt, c, got; // A [m, k], B [k, n], C [m, n] by columns, t: transposed

  Example(int m, int n, int k) : m(m), n(n), k(k), a(m * k), at(m * k), b(k * n), bt(k * n), c(m * n), got(m * n) {
    uint32_t s = 1;
    auto next = [&](int bound) {
      s = s * 1664525u + 1013904223u;
      return (T)((int)((s >> 8) % (2 * bound - 1)) - bound + 1);
    };
    for (int p = 0; p < k; p++)
      for (int i = 0; i < m; i++) at[i * k + p] = a[p * m + i] = next(512);
    for (int j = 0; j < n; j++)
      for (int p = 0; p < k; p++) bt[p * n + j] = b[j * k + p] = next(128);
    for (int j = 0; j < n; j++)
      for (int p = 0; p < k; p++)
        for (int i = 0; i < m; i++) c[j * m + i] += a[p * m + i] * b[j * k + p];
  }

  // The same in another type.
  template <class U> explicit Example(const Example<U> &e)
      : m(e.m), n(e.n), k(e.k), a(e.a.begin(), e.a.end()), at(e.at.begin(), e.at.end()), b(e.b.begin(), e.b.end()), bt(e.bt.begin(), e.bt.end()),
        c(e.c.begin(), e.c.end()), got(m * n) {}

  // right compares gemm with C: plain, and 2 A B + C, which is 3 C.
  bool right(Gemm<T> gemm) {
    T zero = 0, one = 1, two = 2;
    for (int variant = 0; variant < 8; variant++) {
      bool ta = variant & 1, tb = variant & 2, add = variant & 4;
      for (int i = 0; i < m * n; i++) got[i] = add ? c[i] : (T)NAN;
      gemm(ta ? "T" : "N", tb ? "T" : "N", &m, &n, &k, add ? &two : &one, (ta ? at : a).data(), ta ? &k : &m, (tb ? bt : b).data(), tb ? &n : &k, add ? &one : &zero, got.data(), &m);
      for (int i = 0; i < m * n; i++)
        if (got[i] != (add ? 3 * c[i] : c[i])) return false;
    }
    return true;
  }

  // right compares gemv with the first column of C.
  bool right(Gemv<T> gemv) {
    T zero = 0, one = 1;
    int step = 1;
    for (bool t : {false, true}) {
      for (int i = 0; i < m; i++) got[i] = NAN;
      gemv(t ? "T" : "N", t ? &k : &m, t ? &m : &k, &one, (t ? at : a).data(), t ? &k : &m, b.data(), &step, &zero, got.data(), &step);
      for (int i = 0; i < m; i++)
        if (got[i] != c[i]) return false;
    }
    return true;
  }
};

// Examples are of the sizes that OpenBLAS treats apart: smaller than a tile, whole tiles, and beyond
// the 10^6 multiplications up to which newer kernels do not pack.
struct Examples {
  Example<float> tiny{17, 9, 33}, small{96, 64, 64}, large{67, 130, 256};
  Example<double> tiny64{tiny}, large64{large};

  bool right() {
    const OpenBlas &lib = openblas();
    return survives([&] {
      return tiny.right(lib.sgemm) && small.right(lib.sgemm) && large.right(lib.sgemm) && tiny.right(lib.sgemv) && large.right(lib.sgemv) &&
             tiny64.right(lib.dgemm) && large64.right(lib.dgemm);
    });
  }

  // seconds is how long a product takes the kernels in use.
  double seconds() {
    Example<float> &e = large;
    float zero = 0, one = 1;
    timespec from, to;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    openblas().sgemm("T", "N", &e.m, &e.n, &e.k, &one, e.at.data(), &e.k, e.b.data(), &e.k, &zero, e.got.data(), &e.m);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return (to.tv_sec - from.tv_sec) + 1e-9 * (to.tv_nsec - from.tv_nsec);
  }
};

// faster reports whether the kernels of core take a tenth less time than those of the other, or more:
// least of three.
bool faster(Examples &examples, const std::string &core, const std::string &other) {
  double best[2] = {HUGE_VAL, HUGE_VAL};
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < 2; i++) {
      use(i ? other : core);
      best[i] = std::min(best[i], examples.seconds());
    }
  return best[0] < 0.9 * best[1];
}

// choose corrects the choice that OpenBLAS made.
void choose() {
  const std::string own = openblas().core();
  OneThread held;
  std::unique_ptr<Examples> examples;
  for (const Core &c : candidates()) {
    if (!c.runs || c.width <= width_of(own)) continue;
    if (!examples) examples = std::make_unique<Examples>();
    const bool better = use(c.name) && examples->right() && faster(*examples, c.name, own);
    use(better ? c.name : own);
    if (better) return;
  }
}

// own_core is what OpenBLAS took by itself; its initialisation is what runs at load.
const std::string own_core = [] {
  std::string own = openblas().core ? openblas().core() : "";
  if (openblas().can_choose() && !getenv("OPENBLAS_CORETYPE")) choose();
  return own;
}();

} // namespace

const char *ponder_openblas(void) { return openblas().core ? openblas().core() : ""; }
const char *ponder_openblas_own(void) { return own_core.c_str(); }
int ponder_openblas_use(const char *core) {
  if (!openblas().can_choose()) return -1;
  for (const Core &c : candidates())
    if (!c.runs && !strcmp(c.name, core)) return -1;
  std::string before = openblas().core();
  if (use(core)) return 0;
  use(before);
  return -1;
}
int ponder_openblas_choose(void) {
  if (!openblas().can_choose()) return -1;
  choose();
  return 0;
}
int ponder_openblas_right(void) {
  if (!openblas().can_choose()) return -1;
  OneThread held;
  return Examples().right();
}

#else

const char *ponder_openblas(void) { return ""; }
const char *ponder_openblas_own(void) { return ""; }
int ponder_openblas_use(const char *) { return -1; }
int ponder_openblas_choose(void) { return -1; }
int ponder_openblas_right(void) { return -1; }

#endif
