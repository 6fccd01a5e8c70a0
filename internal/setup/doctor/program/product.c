/* Multiplies matrices through libtch and prints how fast, as JSON: on all threads by the clock; then on
   one thread in its own CPU time, so that a busy neighbour hides little, with every choice of kernels,
   and beside them the rate of multiply-adds in registers, which no product can exceed. */
#include "ponder.h"
#include "torch_api.h"
#include "torch_api_generated.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static int failed(void) {
  char *message = get_and_reset_last_err();
  if (message)
    fprintf(stderr, "%s\n", message);
  return message != 0;
}

/* GFLOP/s of a product of two n x n matrices: the best of at least 3 within the given seconds. 0 after a failure. */
static double product(int64_t n, double within, clockid_t clock) {
  enum { float32 = 6, cpu = -1 };
  int64_t shape[2] = {n, n};
  tensor a = 0, b = 0;
  atg_ones(&a, shape, 2, float32, cpu);
  atg_ones(&b, shape, 2, float32, cpu);
  if (failed())
    return 0;
  double best = 0, start = seconds(CLOCK_MONOTONIC);
  for (int i = 0; i < 3 || (i < 50 && seconds(CLOCK_MONOTONIC) - start < within); i++) {
    tensor c = 0;
    double t = seconds(clock);
    atg_matmul(&c, a, b);
    t = seconds(clock) - t;
    if (failed())
      return 0;
    at_free(c);
    double rate = 2.0 * n * n * n / t * 1e-9;
    if (rate > best)
      best = rate;
  }
  at_free(a);
  at_free(b);
  return best;
}

/* NAME does n rounds of twelve independent multiply-adds of vectors with so many floats: enough to fill
   two units of four cycles' latency, in the registers that every instruction set has. */
#define MULTIPLY_ADDS(NAME, FLOATS, TARGET)                                                                          \
  TARGET static float NAME(long n) {                                                                                 \
    typedef float vec __attribute__((vector_size(4 * FLOATS)));                                                      \
    vec x = {0.5f}, y = {0.25f}, a = x, b = a + x, c = b + x, d = c + x, e = d + x, f = e + x;                         \
    vec g = f + x, h = g + x, i = h + x, j = i + x, k = j + x, l = k + x;                                            \
    for (; n > 0; n--) {                                                                                             \
      a = a * x + y, b = b * x + y, c = c * x + y, d = d * x + y, e = e * x + y, f = f * x + y;                       \
      g = g * x + y, h = h * x + y, i = i * x + y, j = j * x + y, k = k * x + y, l = l * x + y;                       \
      __asm__ volatile("" ::: "memory");                                                                             \
    }                                                                                                                \
    return (a + b + c + d + e + f + g + h + i + j + k + l)[0];                                                       \
  }
MULTIPLY_ADDS(adds4, 4, )
#ifdef __x86_64__
MULTIPLY_ADDS(adds8, 8, __attribute__((target("avx2,fma"))))
MULTIPLY_ADDS(adds16, 16, __attribute__((target("avx512f"))))
#endif

/* The widest instruction set of this processor that ponder has kernels for. */
static const char *widest(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
    return "avx512";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return "avx2";
#endif
  return "base";
}

/* GFLOP/s that an instruction set allows on one thread. */
static double peak(const char *isa) {
  enum { rounds = 200000 };
  float (*adds)(long) = adds4;
  int floats = 4;
#ifdef __x86_64__
  if (!strcmp(isa, "avx2"))
    adds = adds8, floats = 8;
  if (!strcmp(isa, "avx512"))
    adds = adds16, floats = 16;
#endif
  double best = 0;
  static volatile float sink;
  for (int i = 0; i < 10; i++) {
    double t = seconds(CLOCK_THREAD_CPUTIME_ID);
    sink = adds(rounds);
    t = seconds(CLOCK_THREAD_CPUTIME_ID) - t;
    double rate = 2.0 * 12 * floats * rounds / t * 1e-9;
    if (rate > best)
      best = rate;
  }
  return best;
}

/* GFLOP/s of ponder's attention with the kernels in use: sudoku's 82 positions, 8 heads 64 wide. */
static double attention(void) {
  enum { float32 = 6, cpu = -1, batch = 4, heads = 8, n = 82, width = 64 };
  int64_t shape[3] = {batch, n, 3 * heads * width};
  tensor qkv = 0;
  atg_ones(&qkv, shape, 3, float32, cpu);
  if (failed())
    return 0;
  double best = 0;
  for (int i = 0; i < 10; i++) {
    double t = seconds(CLOCK_THREAD_CPUTIME_ID);
    ponder_tensor out = ponder_attention(qkv, heads, 0, 0, 0);
    t = seconds(CLOCK_THREAD_CPUTIME_ID) - t;
    if (!out) {
      fprintf(stderr, "%s\n", ponder_error());
      return 0;
    }
    ponder_free(out);
    double rate = 4.0 * batch * heads * n * n * width / t * 1e-9;
    if (rate > best)
      best = rate;
  }
  at_free(qkv);
  return best;
}

int main(void) {
  at_grad_set_enabled(0);
  int threads = at_get_num_threads();
  double all = product(1024, 0.5, CLOCK_MONOTONIC);
  ponder_set_threads(1);
  double one = product(512, 0.3, CLOCK_THREAD_CPUTIME_ID);
  if (!all || !one)
    return 1;
  printf("{\"threads\": %d, \"gflops\": %.3f, \"cuda\": %d, \"isa\": \"%s\", \"peak\": %.3f, \"one_thread\": %.3f", threads, all, atc_cuda_device_count(),
         widest(), peak(widest()), one);

  /* What lies above AVX-512 has kernels of its own for bf16 and int8 alone. */
  const char *sets[] = {"base", "avx2", "avx512"}, *narrow = ponder_isa(), *comma = "";
  const char *wide = !strcmp(narrow, "amx") || !strcmp(narrow, "avx512-dots") ? "avx512" : narrow;
  printf(", \"kernels\": {\"used\": \"%s\", \"narrow\": \"%s\", \"rates\": {", wide, narrow);
  for (int i = 0; i < 3; i++)
    if (ponder_use_isa(sets[i]) == 0) {
      double rate = attention();
      if (!rate)
        return 1;
      printf("%s\"%s\": %.3f", comma, sets[i], rate);
      comma = ", ";
    }
  printf("}}");

  char used[32];
  snprintf(used, sizeof used, "%s", ponder_openblas());
  if (*used) {
    printf(", \"openblas\": {\"used\": \"%s\", \"own\": \"%s\", \"wrong\": %s, \"rates\": {\"%s\": %.3f", used, ponder_openblas_own(),
           ponder_openblas_right() == 0 ? "true" : "false", used, one);
    const char *others[] = {"SkylakeX", "Haswell", ponder_openblas_own()};
    for (int i = 0; i < 3; i++)
      if (strcmp(others[i], used) && (i < 2 || (strcmp(others[i], "SkylakeX") && strcmp(others[i], "Haswell"))) && ponder_openblas_use(others[i]) == 0)
        printf(", \"%s\": %.3f", others[i], product(512, 0.3, CLOCK_THREAD_CPUTIME_ID));
    printf("}}");
  }
  printf("}\n");
  return 0;
}
