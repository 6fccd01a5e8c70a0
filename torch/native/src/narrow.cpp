#include "narrow.h"
#include "head.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define KERNELS "narrow.inc"
#include "each_isa.h"

namespace {

const int64_t wide = 32, tile_bytes = 16 * 64; // columns of a panel; a tile of AMX

int64_t bytes_of(Format f) { return f == Format::bf16 ? 2 : 1; }

// A Panels is how a weight lies.
struct Panels {
  int64_t n, k, each, steps, panels, bytes; // steps of 64 bytes of k
  bool gated;

  Panels(Format f, int64_t n, int64_t k, bool gated) : n(n), k(k), each(bytes_of(f)), steps((k * each + 63) / 64), panels(((gated ? n / 2 : n) + (gated ? 15 : 31)) / (gated ? 16 : 32)), gated(gated) {
    bytes = steps * 2 * tile_bytes + (f == Format::int8 ? 2 * wide * 4 : 0);
  }

  // column is which of the n outputs column c of panel j is, -1 for none.
  int64_t column(int64_t j, int64_t c) const {
    const int64_t in = gated ? j * 16 + c % 16 : j * wide + c, there = gated ? n / 2 : n;
    return in >= there ? -1 : gated && c >= 16 ? n / 2 + in : in;
  }
  // place is where byte b of k of column c is, in its panel.
  static int64_t place(int64_t b, int64_t c) { return ((b / 64 * 2 + c / 16) * 16 + b % 64 / 4) * 64 + c % 16 * 4 + b % 4; }
};

// A Scratch is bytes of this thread, aligned to lines of the cache, that stay until it needs more.
char *scratch(int64_t n) {
  static thread_local std::unique_ptr<char, void (*)(void *)> kept(nullptr, std::free);
  static thread_local int64_t have = 0;
  if (n > have) {
    void *p = nullptr;
    if (posix_memalign(&p, 4096, n)) throw std::bad_alloc();
    kept.reset((char *)p), have = n;
  }
  return kept.get();
}

#ifdef PONDER_X86
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx512bf16,avx512vnni,avx2,fma")

// lay_row writes k numbers in 64 bytes a step, `apart` bytes from each other; of int8 it returns the scale, as round_int8.
template <Format f> float lay_row(const float *x, int64_t k, int64_t steps, char *out, int64_t apart) {
  auto some = [&](int64_t p) { return _mm512_maskz_loadu_ps(p >= k ? 0 : k - p >= 16 ? 0xffff : (1 << (k - p)) - 1, x + p); };
  if (f == Format::bf16) {
    for (int64_t s = 0; s < steps; s++, out += apart) _mm512_storeu_si512(out, (__m512i)_mm512_cvtne2ps_pbh(some(32 * s + 16), some(32 * s)));
    return 1;
  }
  __m512i top = _mm512_setzero_si512(); // the bits of the largest magnitude: as whole numbers they have its order
  for (int64_t p = 0; p < k; p += 16) top = _mm512_max_epu32(top, _mm512_and_si512(_mm512_castps_si512(some(p)), _mm512_set1_epi32(0x7fffffff)));
  const avx512::Scale scale((uint32_t)_mm512_reduce_max_epu32(top));
  for (int64_t s = 0; s < steps; s++, out += apart)
    for (int i = 0; i < 4; i++) _mm_storeu_si128((__m128i *)(out + 16 * i), _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(some(64 * s + 16 * i), _mm512_set1_ps(scale.to)))));
  return scale.from;
}

// pairs_of is, for 16 columns, the pairs of bf16 of two rows of numbers.
inline __m512i pairs_of(const float *even, const float *odd, __mmask16 in) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const __m512 e = even ? _mm512_maskz_loadu_ps(in, even) : _mm512_setzero_ps(), o = odd ? _mm512_maskz_loadu_ps(in, odd) : _mm512_setzero_ps();
  return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(o, e));
}

// turned_tile lays 16 by 16 words out the other way.
inline void turned_tile(const uint32_t *from, uint32_t *to) {
  for (int r = 0; r < 16; r++)
    for (int p = 0; p < 16; p++) to[p * 16 + r] = from[r * 16 + p];
}

// pair_tile is a tile of 16 words of k from `at`, each of 16 columns in a row, of numbers [k, columns].
inline void pair_tile(const float *x, int64_t xs, int64_t at, int64_t k, __mmask16 in, uint32_t *to) {
  for (int p = 0; p < 16; p++) {
    const int64_t i = at + 2 * p;
    _mm512_storeu_si512(to + 16 * p, pairs_of(i < k ? x + i * xs : nullptr, i + 1 < k ? x + (i + 1) * xs : nullptr, in));
  }
}

inline __mmask16 first(int64_t n) { return n <= 0 ? 0 : n >= 16 ? 0xffff : (1 << n) - 1; }

void lay_bf16(const float *a, int64_t as, bool turned, int64_t m, int64_t k, char *out) {
  const int64_t steps = (k + 31) / 32, rows = (m + 31) / 32 * 32;
  alignas(64) uint32_t words[256];
  for (int64_t r = 0; r < rows; r += turned ? 16 : 1) {
    char *to = out + r / 16 * steps * tile_bytes + r % 16 * 64;
    if (!turned) {
      lay_row<Format::bf16>(a + r * as, r < m ? k : 0, steps, to, tile_bytes);
      continue;
    }
    for (int64_t s = 0; s < steps; s++, to += tile_bytes) {
      pair_tile(a + r, as, 32 * s, k, first(m - r), words);
      turned_tile(words, (uint32_t *)to);
    }
  }
}

void panels_bf16(const float *w, int64_t ws, bool turned, int64_t n, int64_t k, char *out) {
  const int64_t steps = (k + 31) / 32, columns = (n + wide - 1) / wide * wide;
  alignas(64) uint32_t words[256];
  for (int64_t c = 0; c < columns; c += 16) {
    char *to = out + c / wide * steps * 2 * tile_bytes + c % wide / 16 * tile_bytes;
    for (int64_t s = 0; s < steps; s++, to += 2 * tile_bytes) {
      if (turned) {
        pair_tile(w + c, ws, 32 * s, k, first(n - c), (uint32_t *)to);
        continue;
      }
      for (int64_t i = 0; i < 16; i++) lay_row<Format::bf16>(w + (c + i) * ws + 32 * s, c + i < n ? std::min<int64_t>(32, k - 32 * s) : 0, 1, (char *)(words + 16 * i), 64);
      turned_tile(words, (uint32_t *)to);
    }
  }
}

// What becomes of R rows by 32 sums.
template <int R, bool gated> inline __attribute__((always_inline)) void finish(__m512 (&acc)[R][2], float *c, int64_t cs) {
#pragma GCC unroll 14
  for (int r = 0; r < R; r++) {
    if (gated) {
      const avx512::vec g = (avx512::vec)acc[r][0];
      *(avx512::vecu *)(c + r * cs) = g * (avx512::vec)acc[r][1] / (avx512::all(1) + avx512::e_to(-g));
    } else {
      _mm512_storeu_ps(c + r * cs, acc[r][0]), _mm512_storeu_ps(c + r * cs + 16, acc[r][1]);
    }
  }
}

// dots_bf16 is R rows of a panel; a has `words` pairs a row.
template <int R, bool gated> void dots_bf16(const int *a, int64_t as, const float *, const char *w, int64_t words, float *c, int64_t cs) {
  __m512 acc[R][2];
#pragma GCC unroll 14
  for (int r = 0; r < R; r++) acc[r][0] = acc[r][1] = _mm512_setzero_ps();
  for (int64_t p = 0; p < words; p++) {
    const __m512bh b0 = (__m512bh)_mm512_load_si512(avx512::word(w, p, 0)), b1 = (__m512bh)_mm512_load_si512(avx512::word(w, p, 1));
#pragma GCC unroll 14
    for (int r = 0; r < R; r++) {
      const __m512bh x = (__m512bh)_mm512_set1_epi32(a[r * as + p]);
      acc[r][0] = _mm512_dpbf16_ps(acc[r][0], x, b0), acc[r][1] = _mm512_dpbf16_ps(acc[r][1], x, b1);
    }
  }
  finish<R, gated>(acc, c, cs);
}

// dots_int8 is the same of int8: the instruction takes rows without sign, to which 128 was added.
template <int R, bool gated> void dots_int8(const int *a, int64_t as, const float *sa, const char *w, int64_t words, float *c, int64_t cs) {
  __m512i sum[R][2];
  const float *scales = (const float *)(w + words / 16 * 2 * tile_bytes);
  const int *sums = (const int *)(scales + wide);
#pragma GCC unroll 14
  for (int r = 0; r < R; r++)
    for (int t = 0; t < 2; t++) sum[r][t] = _mm512_mullo_epi32(_mm512_loadu_si512(sums + 16 * t), _mm512_set1_epi32(-128));
  for (int64_t p = 0; p < words; p++) {
    const __m512i b0 = _mm512_load_si512(avx512::word(w, p, 0)), b1 = _mm512_load_si512(avx512::word(w, p, 1));
#pragma GCC unroll 14
    for (int r = 0; r < R; r++) {
      const __m512i x = _mm512_set1_epi32(a[r * as + p]);
      sum[r][0] = _mm512_dpbusd_epi32(sum[r][0], x, b0), sum[r][1] = _mm512_dpbusd_epi32(sum[r][1], x, b1);
    }
  }
  __m512 acc[R][2];
#pragma GCC unroll 14
  for (int r = 0; r < R; r++)
    for (int t = 0; t < 2; t++) acc[r][t] = _mm512_mul_ps(_mm512_cvtepi32_ps(sum[r][t]), _mm512_mul_ps(_mm512_set1_ps(sa[r]), _mm512_loadu_ps(scales + 16 * t)));
  finish<R, gated>(acc, c, cs);
}

// dots is m rows of a panel.
template <Format f, bool gated> void dots(const int *a, int64_t as, const float *sa, const char *w, int64_t words, float *c, int64_t cs, int64_t m) {
  const int tall = 14;
  for (int64_t r = 0; r < m; r += tall) switch (std::min<int64_t>(tall, m - r)) {
#define TILE(n) case n: (f == Format::bf16 ? dots_bf16<n, gated> : dots_int8<n, gated>)(a + r * as, as, sa + r, w, words, c + r * cs, cs); break;
    TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#undef TILE
  }
}
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,amx-tile,amx-bf16,amx-int8")

// tiles_begin sets this thread's tiles, all of 16 rows of 64 bytes; tiles_end gives them back, so that the kernel need not save them.
inline void tiles_begin() {
  alignas(64) struct { uint8_t palette, start, reserved[14]; uint16_t bytes[16]; uint8_t rows[16]; } config = {};
  config.palette = 1;
  for (int i = 0; i < 8; i++) config.bytes[i] = 64, config.rows[i] = 16;
  _tile_loadconfig(&config);
}
inline void tiles_end() { _tile_release(); }

// tiles is 32 rows, or 16 where not both, of a panel: sums [32, 32] of rows that lie as tiles, `steps` one after the other, 16
// rows after the other. Meanwhile it fetches `lines` lines a step from ahead.
template <Format f, bool both> void tiles(const char *a, const char *w, int64_t steps, float *sums, const char *ahead, int64_t lines) {
  const char *below = a + steps * tile_bytes;
  asm volatile("" ::: "memory"); // GCC 12 does not know that loads of tiles read memory
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t s = 0; s < steps; s++) {
#define DOT(to, x, y)             \
  if (f == Format::bf16) {        \
    _tile_dpbf16ps(to, x, y);     \
  } else {                        \
    _tile_dpbssd(to, x, y);       \
  }
    for (int64_t i = 0; i < lines; i++, ahead += 64) __builtin_prefetch(ahead, 0, 2);
    _tile_loadd(4, a + s * tile_bytes, 64);
    _tile_loadd(6, w + 2 * s * tile_bytes, 64);
    DOT(0, 4, 6)
    _tile_loadd(7, w + (2 * s + 1) * tile_bytes, 64);
    DOT(1, 4, 7)
    if (!both) continue;
    _tile_loadd(5, below + s * tile_bytes, 64);
    DOT(2, 5, 6)
    DOT(3, 5, 7)
#undef DOT
  }
  _tile_stored(0, sums, 4 * wide);
  _tile_stored(1, sums + 16, 4 * wide);
  if (both) {
    _tile_stored(2, sums + 16 * wide, 4 * wide);
    _tile_stored(3, sums + 16 * wide + 16, 4 * wide);
  }
  asm volatile("" ::: "memory");
}

// tiles_out is m rows of what becomes of the sums, of n columns.
template <Format f, bool gated> void tiles_out(const float *sums, const float *sa, const float *scales, float *c, int64_t cs, int64_t m, int64_t n, bool add) {
  const uint32_t there = n >= wide ? ~0u : (1u << n) - 1;
  for (int64_t r = 0; r < m; r++) {
    __m512 x[2];
    for (int t = 0; t < 2; t++) {
      x[t] = _mm512_load_ps(sums + r * wide + 16 * t);
      if (f == Format::int8) x[t] = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_castps_si512(x[t])), _mm512_mul_ps(_mm512_set1_ps(sa[r]), _mm512_loadu_ps(scales + 16 * t)));
    }
    if (gated) {
      const avx512::vec g = (avx512::vec)x[0];
      *(avx512::vecu *)(c + r * cs) = g * (avx512::vec)x[1] / (avx512::all(1) + avx512::e_to(-g));
    } else {
      for (int t = 0; t < 2; t++) {
        float *to = c + r * cs + 16 * t;
        const __mmask16 in = (__mmask16)(there >> (16 * t));
        if (add) x[t] = _mm512_add_ps(x[t], _mm512_maskz_loadu_ps(in, to));
        _mm512_mask_storeu_ps(to, in, x[t]);
      }
    }
  }
}

// amx is the product of rows that lie as tiles.
template <Format f, bool gated> void amx(const Panels &p, const char *a, const float *sa, const char *w, float *c, int64_t cs, int64_t m, bool add) {
  alignas(64) float sums[32 * wide];
  const int64_t blocks = (m + 31) / 32, lines = (2 * 16 + blocks - 1) / blocks;
  tiles_begin();
  for (int64_t j = 0; j < p.panels; j++, w += p.bytes) {
    const char *next = j + 1 < p.panels ? w + p.bytes : w;
    for (int64_t i = 0; i < blocks; i++) {
      const int64_t r = 32 * i, rows = std::min<int64_t>(32, m - r);
      const char *from = a + r / 16 * p.steps * tile_bytes, *ahead = next + i * p.steps * lines * 64;
      (rows > 16 ? tiles<f, true> : tiles<f, false>)(from, w, p.steps, sums, ahead, lines);
      tiles_out<f, gated>(sums, sa + r, (const float *)(w + p.steps * 2 * tile_bytes), c + r * cs + j * (gated ? 16 : 32), cs, rows, gated ? wide : p.n - j * wide, add);
    }
  }
  tiles_end();
}
#pragma GCC pop_options
#endif

template <Format f, bool gated> void product_of(const float *a, int64_t as, const char *w, int64_t n, int64_t k, float *c, int64_t cs, int64_t m) {
  const Panels p(f, n, k, gated);
  const int64_t line = p.steps * 64, rows = (m + 31) / 32 * 32, words = p.steps * 16, each = gated ? 16 : 32;
  char *row = scratch(line + rows * (line * 2 + 4)), *bytes = row + line;
  float *sa = (float *)(bytes + rows * line * 2);
#ifdef PONDER_X86
  if (ponder_isa_used() == Isa::amx) {
    for (int64_t r = 0; r < rows; r++) sa[r] = lay_row<f>(a + r * as, r < m ? k : 0, p.steps, bytes + r / 16 * p.steps * tile_bytes + r % 16 * 64, tile_bytes);
    return amx<f, gated>(p, bytes, sa, w, c, cs, m, false);
  }
  if (ponder_isa_used() == Isa::dots) {
    for (int64_t r = 0; r < m; r++) sa[r] = lay_row<f>(a + r * as, k, p.steps, bytes + r * line, 64);
    if (f == Format::int8)
      for (int64_t i = 0; i < m * words; i++) ((uint32_t *)bytes)[i] ^= 0x80808080;
    for (int64_t j = 0; j < p.panels; j++) dots<f, gated>((const int *)bytes, words, sa, w + j * p.bytes, words, c + j * each, cs, m);
    return;
  }
#endif
  if (f == Format::bf16) {
    float *x = (float *)bytes;
    for (int64_t r = 0; r < m; r++) {
      KERNEL(round_floats(a + r * as, k, x + r * words * 2));
      std::fill(x + r * words * 2 + k, x + (r + 1) * words * 2, 0.0f);
    }
    for (int64_t j = 0; j < p.panels; j++) KERNEL(panel_bf16<gated>(x, words * 2, w + j * p.bytes, words, c + j * each, cs, m));
    return;
  }
  int *x = (int *)bytes; // even and odd bytes of a word as 16 bits each
  memset(row, 0, line);
  for (int64_t r = 0; r < m; r++) {
    sa[r] = KERNEL_OF(round_int8(a + r * as, k, (int8_t *)row));
    for (int64_t i = 0; i < words; i++) {
      const int8_t *b = (const int8_t *)row + 4 * i;
      x[r * words * 2 + 2 * i] = (int)((uint32_t)(uint16_t)b[0] | (uint32_t)b[2] << 16);
      x[r * words * 2 + 2 * i + 1] = (int)((uint32_t)(uint16_t)b[1] | (uint32_t)b[3] << 16);
    }
  }
  for (int64_t j = 0; j < p.panels; j++) KERNEL(panel_int8<gated>(x, words * 2, sa, w + j * p.bytes, words, c + j * each, cs, m));
}

// weight_scale is what column w of k weights is divided by.
float weight_scale(const float *w, int64_t k) {
  float most = 0;
  for (int64_t i = 0; i < k; i++) most = std::max(most, std::abs(w[i]));
  return most / 127;
}

} // namespace

int64_t narrow_floats(Format f, int64_t n, int64_t k, bool gated) {
  const Panels p(f, n, k, gated);
  return p.panels * p.bytes / 4;
}

void narrow_pack(Format f, const float *w, int64_t n, int64_t k, bool gated, float *out) {
  const Panels p(f, n, k, gated);
  char *to = (char *)out;
  memset(to, 0, p.panels * p.bytes);
  for (int64_t j = 0; j < p.panels; j++, to += p.bytes)
    for (int64_t c = 0; c < wide; c++) {
      const int64_t col = p.column(j, c);
      if (col < 0) continue;
      const float *from = w + col * k;
      if (f == Format::bf16) {
        for (int64_t i = 0; i < k; i++) {
          const uint16_t b = (uint16_t)base::rounded(from[i]);
          memcpy(to + p.place(2 * i, c), &b, 2);
        }
        continue;
      }
      const float scale = weight_scale(from, k);
      int sum = 0;
      for (int64_t i = 0; i < k; i++) {
        const int8_t b = scale > 0 ? (int8_t)std::lrint(from[i] / scale) : 0;
        to[p.place(i, c)] = (char)b;
        sum += b;
      }
      float *scales = (float *)(to + p.steps * 2 * tile_bytes);
      scales[c] = scale;
      ((int *)(scales + wide))[c] = sum;
    }
}

void narrow_unpack(Format f, const float *packed, int64_t n, int64_t k, bool gated, float *w) {
  const Panels p(f, n, k, gated);
  const char *from = (const char *)packed;
  for (int64_t j = 0; j < p.panels; j++, from += p.bytes)
    for (int64_t c = 0; c < wide; c++) {
      const int64_t col = p.column(j, c);
      if (col < 0) continue;
      for (int64_t i = 0; i < k; i++) {
        if (f == Format::int8) {
          w[col * k + i] = (float)(int8_t)from[p.place(i, c)] * ((const float *)(from + p.steps * 2 * tile_bytes))[c];
          continue;
        }
        uint16_t b;
        memcpy(&b, from + p.place(2 * i, c), 2);
        const uint32_t u = (uint32_t)b << 16;
        memcpy(w + col * k + i, &u, 4);
      }
    }
}

void narrow_product(Format f, bool gated, const float *a, int64_t as, const float *packed, int64_t n, int64_t k, float *c, int64_t cs, int64_t m) {
  const char *w = (const char *)packed;
  if (m <= 0) return;
  if (f == Format::bf16) {
    gated ? product_of<Format::bf16, true>(a, as, w, n, k, c, cs, m) : product_of<Format::bf16, false>(a, as, w, n, k, c, cs, m);
  } else {
    gated ? product_of<Format::int8, true>(a, as, w, n, k, c, cs, m) : product_of<Format::int8, false>(a, as, w, n, k, c, cs, m);
  }
}

int64_t narrow_laid(int64_t m, int64_t k) { return (m + 31) / 32 * 32 * ((k + 31) / 32) * 16; }

#ifdef PONDER_X86
bool narrow_amx() { return ponder_isa_used() == Isa::amx; }

void narrow_lay(const float *a, int64_t as, bool turned, int64_t m, int64_t k, float *out) { lay_bf16(a, as, turned, m, k, (char *)out); }

void narrow_panels(const float *w, int64_t ws, bool turned, int64_t n, int64_t k, float *out) { panels_bf16(w, ws, turned, n, k, (char *)out); }

void narrow_times(const float *laid, const float *panels, int64_t m, int64_t n, int64_t k, float *c, int64_t cs, bool add) {
  amx<Format::bf16, false>(Panels(Format::bf16, n, k, false), (const char *)laid, nullptr, (const char *)panels, c, cs, m, add);
}
#else
bool narrow_amx() { return false; }
void narrow_lay(const float *, int64_t, bool, int64_t, int64_t, float *) {}
void narrow_panels(const float *, int64_t, bool, int64_t, int64_t, float *) {}
void narrow_times(const float *, const float *, int64_t, int64_t, int64_t, float *, int64_t, bool) {}
#endif
