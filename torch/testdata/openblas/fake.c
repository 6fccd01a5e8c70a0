/* Stands for an OpenBLAS that knows no processor, so that it chooses "Prescott" for each: preloaded, it
   hides the real one. FAKE_SKYLAKEX and FAKE_HASWELL say how the kernels of these cores are: "wrong"
   in the last column, "slow", "crash"; right and fast otherwise. */
#include <stdlib.h>
#include <string.h>

static const char *core = "Prescott";

const char *openblas_get_corename(void) { return core; }
int openblas_get_num_threads(void) { return 1; }
void openblas_set_num_threads(int n) { (void)n; }
void gotoblas_dynamic_quit(void) { core = ""; }
void gotoblas_dynamic_init(void) {
  const char *asked = getenv("OPENBLAS_CORETYPE");
  core = !asked ? "Prescott" : !strcmp(asked, "SkylakeX") ? "SkylakeX" : !strcmp(asked, "Haswell") ? "Haswell" : "Prescott";
}

static int is(const char *fault) {
  const char *how = getenv(!strcmp(core, "SkylakeX") ? "FAKE_SKYLAKEX" : !strcmp(core, "Haswell") ? "FAKE_HASWELL" : "FAKE_PRESCOTT");
  return how && !strcmp(how, fault);
}

/* C = alpha op(A) op(B) + beta C, by columns. */
#define GEMM(NAME, T)                                                                                                 \
  void NAME(const char *ta, const char *tb, const int *m, const int *n, const int *k, const T *alpha, const T *a,     \
            const int *lda, const T *b, const int *ldb, const T *beta, T *c, const int *ldc) {                        \
    if (is("crash")) __builtin_trap();                                                                                \
    int times = !strcmp(core, "Prescott") ? 2 : is("slow") ? 4 : 1;                                                   \
    for (int j = 0; j < *n; j++)                                                                                      \
      for (int i = 0; i < *m; i++) {                                                                                  \
        T s = 0;                                                                                                      \
        for (volatile int t = 0; t < times; t++) {                                                                    \
          s = 0;                                                                                                      \
          for (int p = 0; p < *k; p++)                                                                                \
            s += (*ta == 'N' ? a[p * *lda + i] : a[i * *lda + p]) * (*tb == 'N' ? b[j * *ldb + p] : b[p * *ldb + j]); \
        }                                                                                                             \
        c[j * *ldc + i] = *alpha * s + (*beta ? *beta * c[j * *ldc + i] : 0) + (is("wrong") && j == *n - 1);          \
      }                                                                                                               \
  }
GEMM(sgemm_, float)
GEMM(dgemm_, double)

void sgemv_(const char *t, const int *m, const int *n, const float *alpha, const float *a, const int *lda, const float *x,
            const int *incx, const float *beta, float *y, const int *incy) {
  int rows = *t == 'N' ? *m : *n, terms = *t == 'N' ? *n : *m;
  for (int i = 0; i < rows; i++) {
    float s = 0;
    for (int p = 0; p < terms; p++) s += (*t == 'N' ? a[p * *lda + i] : a[i * *lda + p]) * x[p * *incx];
    y[i * *incy] = *alpha * s + (*beta ? *beta * y[i * *incy] : 0);
  }
}
