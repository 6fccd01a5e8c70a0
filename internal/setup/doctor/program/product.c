/* Multiplies two matrices through libtch and prints how fast. */
#include "torch_api.h"
#include "torch_api_generated.h"

#include <stdio.h>
#include <time.h>

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static int failed(void) {
  char *message = get_and_reset_last_err();
  if (message)
    fprintf(stderr, "%s\n", message);
  return message != 0;
}

int main(void) {
  enum { n = 1024, float32 = 6, cpu = -1 };
  int64_t shape[2] = {n, n};
  tensor a = 0, b = 0;
  at_grad_set_enabled(0);
  atg_ones(&a, shape, 2, float32, cpu);
  atg_ones(&b, shape, 2, float32, cpu);
  if (failed())
    return 1;
  double best = 0, start = seconds();
  for (int i = 0; i < 3 || (i < 50 && seconds() - start < 0.5); i++) {
    tensor c = 0;
    double t = seconds();
    atg_matmul(&c, a, b);
    t = seconds() - t;
    if (failed())
      return 1;
    at_free(c);
    double rate = 2.0 * n * n * n / t * 1e-9;
    if (rate > best)
      best = rate;
  }
  printf("{\"threads\": %d, \"gflops\": %.3f, \"cuda\": %d}\n", at_get_num_threads(), best, atc_cuda_device_count());
  return 0;
}
