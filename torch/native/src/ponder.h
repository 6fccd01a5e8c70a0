// The C functions that ponder adds to libtch: operations of the networks fused into one call, the
// optimisers, and what gotch lacks. Each returns NULL (or -1) on failure; ponder_error then has the
// message of this thread. Tensors are handles of torch::Tensor*, as gotch's; a returned one is the
// caller's to free.
#ifndef PONDER_H
#define PONDER_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void *ponder_tensor;

const char *ponder_error(void);

// The kernels in use: "avx512", "avx2" or "base". Others can be asked for, in tests and comparisons while
// nothing computes; -1 if this processor cannot run them.
const char *ponder_isa(void);
int ponder_use_isa(const char *isa);
// The kernels in use of the OpenBLAS below libtorch ("Haswell"), and those that it took by itself when
// it was loaded; "" if there is no OpenBLAS. See openblas.cpp.
const char *ponder_openblas(void);
const char *ponder_openblas_own(void);
// Makes OpenBLAS take those of another core, or choose and be corrected again; -1 if it cannot.
// Nothing may compute meanwhile: for tests and comparisons.
int ponder_openblas_use(const char *core);
int ponder_openblas_choose(void);
// Whether products of whole numbers are exact with the kernels in use; -1 if that is not known.
int ponder_openblas_right(void);
const char *ponder_torch_version(void);
const char *ponder_build(void); // libtorch's own description of BLAS, threads, instruction set
int ponder_cuda_available(void);
void ponder_set_threads(int n);
int ponder_threads(void);
int ponder_synchronize(int device);
int ponder_cuda_compiled(void);      // whether there are kernels and recordings of ours, see gpu.h
void ponder_allow_tf32(int on);      // products of float32 on a GPU may round what they multiply to 10 bits; for the process

// A recording is what the calling thread does on a GPU, to run again as one (a CUDA graph). After begin its operations run on
// a stream apart, so that libtorch makes what it keeps; after capture they are noted and not run; after end both is over. What
// they read and wrote keeps its place in memory.
void *ponder_recording_begin(int device);
int ponder_recording_capture(void *r);
int ponder_recording_end(void *r); // in any case, before free
int ponder_recording_replay(void *r);
void ponder_recording_free(void *r);

int ponder_grad_enabled(void);
void ponder_set_grad_enabled(int on);

void ponder_free(ponder_tensor t);
void ponder_free_all(ponder_tensor *ts, int n);

// dtype is libtorch's ScalarType; device is -1 for the CPU or a CUDA index.
ponder_tensor ponder_from(const void *data, int dtype, const int64_t *shape, int dims, int device);
int ponder_read(ponder_tensor t, void *dst, int dtype, int64_t numel); // converts; dst holds numel
ponder_tensor ponder_clone(ponder_tensor t, int device); // a copy without history
int64_t ponder_version(ponder_tensor *ts, int n); // a number that grows whenever one of them is written to; -1 on failure
int ponder_copy(ponder_tensor dst, ponder_tensor src); // in place
int ponder_write(ponder_tensor t, const void *src, int dtype, int64_t numel); // into t, in place

// rms(x + y) over the last axis.
ponder_tensor ponder_rms_add(ponder_tensor x, ponder_tensor y, double eps);
// softmax(q k^T / sqrt(hd) + bias) v of qkv [batch, n, 3 heads hd] -> [batch, n, heads hd];
// cos, sin [n, hd] and bias [heads, n, n] may be NULL.
ponder_tensor ponder_attention(ponder_tensor qkv, int heads, ponder_tensor cos, ponder_tensor sin, ponder_tensor bias);
// The attention weights of the same, averaged over heads: [batch, n, n].
ponder_tensor ponder_attention_map(ponder_tensor qkv, int heads, ponder_tensor cos, ponder_tensor sin, ponder_tensor bias);
// silu(g) u of gu [..., 2f].
ponder_tensor ponder_swiglu(ponder_tensor gu);
// Depthwise 3x3 convolution, zero border, of x [batch, skip + rows cols, f] with w [9, f].
ponder_tensor ponder_conv3x3(ponder_tensor x, ponder_tensor w, int64_t rows, int64_t cols, int64_t skip);
// x [..., in] w^T + b, w [out, in], b [out] or NULL. With bf16, all float32 on the CPU, the factors of the products there and
// back are rounded to it, and summed in float32.
ponder_tensor ponder_linear(ponder_tensor x, ponder_tensor w, ponder_tensor b, int bf16);
// The weights of a block of grouped mixing (hrm/groups_torch.go has the formula) as ponder_group_block reads them, until
// another instruction set is asked for: message [k, h], self [2f, h], down [h, f], cell [2f, k], one [2f, k] for each
// kind of group, and [2, k] what settled cells say; float32 on the CPU. Sums over a group are multiplied by sums, what
// the gate gets by all. h, k and f are multiples of 16.
ponder_tensor ponder_group_pack(ponder_tensor *weights, int n, double sums, double all);
// The state z [batch, symbols cells, h] after the block. packed is what ponder_group_pack made of weights, which are
// for their gradient. plus and too are added to the state of open cells first; too or both may be NULL. index is
// int64: cells, kinds, groups, members, then [kinds+1] groups before each kind, [groups+1] members before each group,
// the members, [cells+1] groups before each cell, those groups. settled is int64 [batch, cells]: the symbol that a cell
// holds, -1 if it is open; a settled cell's state stays, without gradient.
ponder_tensor ponder_group_block(ponder_tensor packed, ponder_tensor z, ponder_tensor plus, ponder_tensor too, ponder_tensor *weights, int n, ponder_tensor index, ponder_tensor settled, double sums, double all, double eps);

// The weights of the blocks of a stack as ponder_stack takes them, until another instruction set is asked for. mixing
// is 0 for attention, 1 for matrices in its place, 2 for a feed-forward over positions, 3 for nothing. Each block gives, in this
// order: qkv [3d, d], out [d, d]; or v [d, d], out [d, d], matrices [heads, positions, positions]; or up [2t,
// positions], down [positions, t]; then of the feed-forward gate and up [2f, d], down [d, f]; and if it has a
// convolution, its kernel [9, f]. format is what products take: 0 float32, 1 bf16, 2 int8 (narrow.h).
ponder_tensor ponder_stack_pack(ponder_tensor *weights, int n, int blocks, int mixing, int heads, int format);
int ponder_stack_unpack(ponder_tensor packed, ponder_tensor *weights, int n); // the n weights again
// What the blocks make of z + plus + too [batch, positions, d], of which plus and too may be NULL, without gradient; float32
// on the CPU. cos, sin [positions, d/heads] may be NULL, biases is 0 or the number of blocks, bias [heads, positions,
// positions] each. The convolution sees a grid of rows x cols after the first positions.
ponder_tensor ponder_stack(ponder_tensor packed, ponder_tensor z, ponder_tensor plus, ponder_tensor too, ponder_tensor cos, ponder_tensor sin, ponder_tensor *bias, int biases, int64_t rows, int64_t cols, int64_t skip, double eps);

// Sums [bags, width] of rows of table [entries, width], those of ids from begins[i] on; begins NULL, bags 0: row ids[i] alone.
ponder_tensor ponder_bag(ponder_tensor table, const int64_t *ids, int64_t n, const int64_t *begins, int64_t bags);

// Gradients of the scalar loss with respect to n parameters; zeros where it does not depend on one.
int ponder_gradients(ponder_tensor loss, ponder_tensor *params, int n, ponder_tensor *grads);
double ponder_norm(ponder_tensor *ts, int n); // root of the sum of all squares; -1 on failure

// A step of n parameters p by scale times the gradients g; m and v are the moments.
int ponder_step_atan2(ponder_tensor *p, ponder_tensor *g, ponder_tensor *m, ponder_tensor *v, int n, int64_t t, double lr, double scale, double b1, double b2, double decay);
int ponder_step_adamw(ponder_tensor *p, ponder_tensor *g, ponder_tensor *m, ponder_tensor *v, int n, int64_t t, double lr, double scale, double b1, double b2, double eps, double decay);
int ponder_sign_sgd(ponder_tensor table, ponder_tensor rows, ponder_tensor ids, double lr, double decay);
int ponder_ema(ponder_tensor *shadow, ponder_tensor *p, int n, double mu);

// A CPU generator (Mersenne twister, as torch.manual_seed).
void *ponder_generator(uint64_t seed);
void ponder_generator_free(void *g);
ponder_tensor ponder_uniform(void *g, const int64_t *shape, int dims, double lo, double hi);
ponder_tensor ponder_trunc_normal(void *g, const int64_t *shape, int dims, double std);

#ifdef __cplusplus
}
#endif
#endif
