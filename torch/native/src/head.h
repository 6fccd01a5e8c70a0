// One head of one sequence: a view into packed rows [q | k | v] and what attention adds to them.
#ifndef PONDER_HEAD_H
#define PONDER_HEAD_H
#include <stdint.h>

struct Head {
  const float *qkv;       // first row of this sequence
  int64_t stride;         // from a row to the next
  int64_t n, hd, d, head; // positions, head width, D = heads hd, which head
  const float *cos, *sin; // [n, hd] or null
  const float *bias;      // [n, n] of this head or null
};
#endif
