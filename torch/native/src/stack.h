// What the kernels of a stack of blocks (hrm/level.go has the formula) are given.
#ifndef PONDER_STACK_H
#define PONDER_STACK_H
#include "narrow.h"

#include <stdint.h>

// How the positions of a sequence are mixed.
enum class Mixing { attention, matrices, tokens, none };

// The shapes of all blocks, and where positions lie.
struct StackShape {
  Mixing mixing;
  Format format;            // of the weights of products
  int64_t n;                // positions of a sequence
  int64_t d, heads;         // width; heads of attention or matrices
  int64_t inner;            // of the feed-forward: gate and up are twice as wide
  int64_t tokens;           // inner width over positions, of Mixing::tokens
  int64_t strip;            // rows worked on together
  int64_t rows, cols, skip; // of the grid of a convolution, after the first positions
  float eps;
  const float *cos, *sin;   // [n, d/heads] or null

  int64_t values() const { return mixing == Mixing::attention ? 3 * d : d; }
};

// The weights of a block, those of products packed into panels; null where it has none.
struct StackBlock {
  const float *qkv, *out; // [d, values]; [d, d]
  const float *mix;       // [heads, n, n], plain
  const float *up_t, *down_t; // [n, 2 tokens], gated; [tokens, n]
  const float *gate, *down;   // [d, 2 inner], gated; [inner, d]
  const float *conv;          // [9, inner], plain
  const float *bias;          // [heads, n, n], plain, of attention
};

// apart is how far rows of n floats lie from each other in scratch: whole panels of every instruction set, and
// not a multiple of 1 KB, of which few fit the first level of the cache.
inline int64_t apart(int64_t n) {
  int64_t p = (n + 31) / 32 * 32;
  return p % 256 ? p : p + 32;
}
#endif
