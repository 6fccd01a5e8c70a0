// Products whose factors are rounded to few bits: weights once, when they are packed, rows as they come. Sums are float32 of
// bf16, and whole numbers of int8.
#ifndef PONDER_NARROW_H
#define PONDER_NARROW_H
#include <stdint.h>

// A Format is how the weights of a stack's products are kept: bf16, or int8 with a scale for each output and one for each row.
enum class Format { float32, bf16, int8 };

// narrow_floats is the length of a weight [n, k] in either of the narrow formats, counted in floats.
int64_t narrow_floats(Format f, int64_t n, int64_t k, bool gated);

// narrow_pack lays out w [n, k]: 32 columns after each other, gated 16 of the gate and as many of what it lets through; in each
// four bytes of k together, 64 bytes of k a tile of AMX. It is the same for every instruction set.
void narrow_pack(Format f, const float *w, int64_t n, int64_t k, bool gated, float *out);

// narrow_unpack is what the products see of w.
void narrow_unpack(Format f, const float *packed, int64_t n, int64_t k, bool gated, float *w);

// narrow_product is c [m, n] = a [m, k] wᵀ, or gated c [m, n/2]; rows of c have room for whole panels. A row's bits do not
// depend on the others; those of int8 not on the instruction set either.
void narrow_product(Format f, bool gated, const float *a, int64_t as, const float *packed, int64_t n, int64_t k, float *c, int64_t cs, int64_t m);

// Products of bf16 by tiles of AMX, which narrow_amx says are here; all sums are float32, in the order of k by parts of it that
// do not depend on m, n or threads.
bool narrow_amx();

// narrow_lay lays out m rows of k numbers, a[r as + p] or turned a[p as + r], in narrow_laid(m, k) floats, as the first factor;
// narrow_panels n columns, w[c ws + p] or turned w[p ws + c], in narrow_floats(Format::bf16, n, k, false), as the second.
int64_t narrow_laid(int64_t m, int64_t k);
void narrow_lay(const float *a, int64_t as, bool turned, int64_t m, int64_t k, float *out);
void narrow_panels(const float *w, int64_t ws, bool turned, int64_t n, int64_t k, float *out);

// narrow_times is c [m, n] of both, added to what is there if add.
void narrow_times(const float *laid, const float *panels, int64_t m, int64_t n, int64_t k, float *c, int64_t cs, bool add);
#endif
