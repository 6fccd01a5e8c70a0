// What the C++ files of this folder share.
#ifndef PONDER_GUARD_H
#define PONDER_GUARD_H

// ponder_remember keeps the first line of what went wrong on this thread, for ponder_error.
void ponder_remember(const char *what);

// ponder_use_threads makes libtorch use, on this OS thread, the number of threads that
// ponder_set_threads last said anywhere: libtorch keeps it by OS thread, and Go moves between them.
void ponder_use_threads();

// Isa is an instruction set that kernels are compiled for, the last the widest: dots is AVX-512 with its dot products of bf16
// and int8, amx has AMX's too. What computes in float32 alone has nothing for those two.
enum class Isa { base, avx2, avx512, dots, amx };

// ponder_isa_used is whose kernels are used: the widest that the processor has, unless ponder_use_isa changed it.
Isa ponder_isa_used();

#endif
