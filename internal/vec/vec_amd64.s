#include "textflag.h"

// The kernels for AVX2 and FMA. All lengths are multiples of 16, so nothing is left over; a product is
// held in 12 registers, 6 rows of 16 columns.

// STEP adds to the tile row p of the panel times column p of the rows; o is 4p, q 64p.
#define STEP(o, q) \
	VMOVUPS      q(BX), Y12                \
	VMOVUPS      q+32(BX), Y13             \
	VBROADCASTSS o(R8), Y14                \
	VFMADD231PS  Y12, Y14, Y0              \
	VFMADD231PS  Y13, Y14, Y1              \
	VBROADCASTSS o(R8)(R10*1), Y15         \
	VFMADD231PS  Y12, Y15, Y2              \
	VFMADD231PS  Y13, Y15, Y3              \
	VBROADCASTSS o(R8)(R10*2), Y14         \
	VFMADD231PS  Y12, Y14, Y4              \
	VFMADD231PS  Y13, Y14, Y5              \
	VBROADCASTSS o(R9), Y15                \
	VFMADD231PS  Y12, Y15, Y6              \
	VFMADD231PS  Y13, Y15, Y7              \
	VBROADCASTSS o(R9)(R10*1), Y14         \
	VFMADD231PS  Y12, Y14, Y8              \
	VFMADD231PS  Y13, Y14, Y9              \
	VBROADCASTSS o(R9)(R10*2), Y15         \
	VFMADD231PS  Y12, Y15, Y10             \
	VFMADD231PS  Y13, Y15, Y11

// func productAVX2(c, a, b *float32, ldc, lda, k, tiles int)
TEXT ·productAVX2(SB), NOSPLIT, $0-56
	MOVQ c+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ ldc+24(FP), R11
	MOVQ lda+32(FP), R10
	MOVQ k+40(FP), R12
	MOVQ tiles+48(FP), R13
	SHLQ $2, R11
	SHLQ $2, R10

tile:
	TESTQ  R13, R13
	JZ     done
	MOVQ   SI, R8
	LEAQ   (SI)(R10*2), R9
	ADDQ   R10, R9
	MOVQ   DX, BX
	MOVQ   R12, CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11
	SUBQ   $4, CX
	JLT    rest

four:
	STEP(0, 0)
	STEP(4, 64)
	STEP(8, 128)
	STEP(12, 192)
	ADDQ $16, R8
	ADDQ $16, R9
	ADDQ $256, BX
	SUBQ $4, CX
	JGE  four

rest:
	ADDQ $4, CX
	JZ   store

one:
	STEP(0, 0)
	ADDQ $4, R8
	ADDQ $4, R9
	ADDQ $64, BX
	DECQ CX
	JNZ  one

store:
	LEAQ    (DI)(R11*2), AX
	ADDQ    R11, AX
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, (DI)(R11*1)
	VMOVUPS Y3, 32(DI)(R11*1)
	VMOVUPS Y4, (DI)(R11*2)
	VMOVUPS Y5, 32(DI)(R11*2)
	VMOVUPS Y6, (AX)
	VMOVUPS Y7, 32(AX)
	VMOVUPS Y8, (AX)(R11*1)
	VMOVUPS Y9, 32(AX)(R11*1)
	VMOVUPS Y10, (AX)(R11*2)
	VMOVUPS Y11, 32(AX)(R11*2)
	LEAQ    (AX)(R11*2), DI
	ADDQ    R11, DI
	LEAQ    (R10)(R10*2), AX
	LEAQ    (SI)(AX*2), SI
	DECQ    R13
	JMP     tile

done:
	VZEROUPPER
	RET

// func addAVX2(dst, a, b *float32, n int)
TEXT ·addAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX

addLoop:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VADDPS  (DX), Y0, Y0
	VADDPS  32(DX), Y1, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ    $64, SI
	ADDQ    $64, DX
	ADDQ    $64, DI
	SUBQ    $16, CX
	JGT     addLoop
	VZEROUPPER
	RET

// SUM adds up the eight numbers of y into each number of x; x and y are the same register, t another.
#define SUM(y, x, ty, tx) \
	VEXTRACTF128 $1, y, tx \
	VADDPS       tx, x, x  \
	VHADDPS      x, x, x   \
	VHADDPS      x, x, x

// func rmsAddAVX2(out, x, y *float32, rows, width int, inv, eps float32)
TEXT ·rmsAddAVX2(SB), NOSPLIT, $0-48
	MOVQ   out+0(FP), DI
	MOVQ   x+8(FP), SI
	MOVQ   y+16(FP), DX
	MOVQ   rows+24(FP), R8
	MOVQ   width+32(FP), R9
	VMOVSS inv+40(FP), X8
	VMOVSS eps+44(FP), X9
	MOVL   $0x3f800000, AX // 1
	VMOVD  AX, X10

rmsRow:
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	XORQ   CX, CX

rmsSquares:
	VMOVUPS     (SI)(CX*4), Y2
	VMOVUPS     32(SI)(CX*4), Y3
	VADDPS      (DX)(CX*4), Y2, Y2
	VADDPS      32(DX)(CX*4), Y3, Y3
	VMOVUPS     Y2, (DI)(CX*4)
	VMOVUPS     Y3, 32(DI)(CX*4)
	VFMADD231PS Y2, Y2, Y0
	VFMADD231PS Y3, Y3, Y1
	ADDQ        $16, CX
	CMPQ        CX, R9
	JLT         rmsSquares

	VADDPS       Y1, Y0, Y0
	SUM(Y0, X0, Y1, X1)
	VFMADD213SS  X9, X8, X0 // sum·inv + eps
	VSQRTSS      X0, X0, X0
	VDIVSS       X0, X10, X0
	VBROADCASTSS X0, Y0
	XORQ         CX, CX

rmsScale:
	VMULPS  (DI)(CX*4), Y0, Y2
	VMULPS  32(DI)(CX*4), Y0, Y3
	VMOVUPS Y2, (DI)(CX*4)
	VMOVUPS Y3, 32(DI)(CX*4)
	ADDQ    $16, CX
	CMPQ    CX, R9
	JLT     rmsScale

	LEAQ (SI)(R9*4), SI
	LEAQ (DX)(R9*4), DX
	LEAQ (DI)(R9*4), DI
	DECQ R8
	JNZ  rmsRow
	VZEROUPPER
	RET

// The constants of exp in plain.go, and 1.
DATA constants<>+0(SB)/4, $0xc2ae0000  // -87
DATA constants<>+4(SB)/4, $0x42b00000  // 88
DATA constants<>+8(SB)/4, $0x3fb8aa3b  // log2e
DATA constants<>+12(SB)/4, $0x3f318000 // ln2High
DATA constants<>+16(SB)/4, $0xb95e8083 // ln2Low
DATA constants<>+20(SB)/4, $0x39506967 // exp0
DATA constants<>+24(SB)/4, $0x3ab743ce // exp1
DATA constants<>+28(SB)/4, $0x3c088908 // exp2
DATA constants<>+32(SB)/4, $0x3d2aa9c1 // exp3
DATA constants<>+36(SB)/4, $0x3e2aaaaa // exp4
DATA constants<>+40(SB)/4, $0x3f000000 // exp5
DATA constants<>+44(SB)/4, $0x3f800000 // 1
DATA constants<>+48(SB)/4, $0x4b40007f // round
GLOBL constants<>(SB), RODATA|NOPTR, $52

// CONSTANTS loads them into Y4 to Y15; -87 goes into Y3.
#define CONSTANTS \
	VBROADCASTSS constants<>+0(SB), Y3   \
	VBROADCASTSS constants<>+4(SB), Y4   \
	VBROADCASTSS constants<>+8(SB), Y5   \
	VBROADCASTSS constants<>+12(SB), Y6  \
	VBROADCASTSS constants<>+16(SB), Y7  \
	VBROADCASTSS constants<>+20(SB), Y8  \
	VBROADCASTSS constants<>+24(SB), Y9  \
	VBROADCASTSS constants<>+28(SB), Y10 \
	VBROADCASTSS constants<>+32(SB), Y11 \
	VBROADCASTSS constants<>+36(SB), Y12 \
	VBROADCASTSS constants<>+40(SB), Y13 \
	VBROADCASTSS constants<>+44(SB), Y14 \
	VBROADCASTSS constants<>+48(SB), Y15

// EXP replaces x by e^x; n and p are other registers. Of VMAXPS and VMINPS the first operand is the result
// where one is not a number: it stays so.
#define EXP(x, n, p) \
	VMAXPS       x, Y3, x      \
	VMINPS       x, Y4, x      \
	VMOVAPS      Y15, n        \
	VFMADD231PS  Y5, x, n      \
	VSUBPS       Y15, n, p     \
	VFNMADD231PS Y6, p, x      \
	VFNMADD231PS Y7, p, x      \
	VMOVAPS      Y8, p         \
	VFMADD213PS  Y9, x, p      \
	VFMADD213PS  Y10, x, p     \
	VFMADD213PS  Y11, x, p     \
	VFMADD213PS  Y12, x, p     \
	VFMADD213PS  Y13, x, p     \
	VPSLLD       $23, n, n     \
	VMULPS       x, p, p       \
	VFMADD213PS  x, x, p       \
	VADDPS       Y14, p, x     \
	VMULPS       n, x, x

// func swiGLUAVX2(out, in *float32, rows, width int)
TEXT ·swiGLUAVX2(SB), NOSPLIT, $0-32
	MOVQ out+0(FP), DI
	MOVQ in+8(FP), SI
	MOVQ rows+16(FP), R8
	MOVQ width+24(FP), R9
	CONSTANTS

swiRow:
	LEAQ (SI)(R9*4), DX
	XORQ CX, CX

swiLoop:
	VXORPS  Y0, Y0, Y0
	VSUBPS  (SI)(CX*4), Y0, Y0
	EXP(Y0, Y1, Y2)
	VADDPS  Y14, Y0, Y0
	VMOVUPS (SI)(CX*4), Y1
	VMULPS  (DX)(CX*4), Y1, Y1
	VDIVPS  Y0, Y1, Y0
	VMOVUPS Y0, (DI)(CX*4)
	ADDQ    $8, CX
	CMPQ    CX, R9
	JLT     swiLoop

	LEAQ (DX)(R9*4), SI
	LEAQ (DI)(R9*4), DI
	DECQ R8
	JNZ  swiRow
	VZEROUPPER
	RET

// func softmaxAVX2(s *float32, rows, width int)
TEXT ·softmaxAVX2(SB), NOSPLIT, $64-24
	MOVQ s+0(FP), DI
	MOVQ rows+8(FP), R8
	MOVQ width+16(FP), R9
	CONSTANTS

softRow:
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	MOVQ    $16, CX

softTop:
	CMPQ   CX, R9
	JGE    softTopped
	VMAXPS (DI)(CX*4), Y0, Y0
	VMAXPS 32(DI)(CX*4), Y1, Y1
	ADDQ   $16, CX
	JMP    softTop

softTopped:
	VMAXPS       Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0x4e, X0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0xb1, X0, X1
	VMAXPS       X1, X0, X0
	VBROADCASTSS X0, Y0
	VMOVUPS      Y0, top-32(SP)
	VXORPS       Y0, Y0, Y0
	VMOVUPS      Y0, sum-64(SP)
	XORQ         CX, CX

softExp:
	VMOVUPS (DI)(CX*4), Y0
	VSUBPS  top-32(SP), Y0, Y0
	EXP(Y0, Y1, Y2)
	VMOVUPS Y0, (DI)(CX*4)
	VADDPS  sum-64(SP), Y0, Y0
	VMOVUPS Y0, sum-64(SP)
	ADDQ    $8, CX
	CMPQ    CX, R9
	JLT     softExp

	VMOVUPS      sum-64(SP), Y0
	SUM(Y0, X0, Y1, X1)
	VDIVSS       X0, X14, X0
	VBROADCASTSS X0, Y0
	XORQ         CX, CX

softScale:
	VMULPS  (DI)(CX*4), Y0, Y1
	VMULPS  32(DI)(CX*4), Y0, Y2
	VMOVUPS Y1, (DI)(CX*4)
	VMOVUPS Y2, 32(DI)(CX*4)
	ADDQ    $16, CX
	CMPQ    CX, R9
	JLT     softScale

	LEAQ (DI)(R9*4), DI
	DECQ R8
	JNZ  softRow
	VZEROUPPER
	RET

// func convolve3x3AVX2(out, in, w *float32, cols, width, stride int)
TEXT ·convolve3x3AVX2(SB), NOSPLIT, $0-48
	MOVQ out+0(FP), DI
	MOVQ in+8(FP), SI
	MOVQ w+16(FP), DX
	MOVQ cols+24(FP), R8
	MOVQ width+32(FP), R9
	MOVQ stride+40(FP), R10
	MOVQ R9, R13            // channels to go
	SHLQ $2, R9
	SHLQ $2, R10
	LEAQ (R9)(R9*2), R12    // three cells, or three rows of w

convChannels: // eight channels of the whole row of cells, their weights in Y1 to Y9
	LEAQ    (DX)(R12*1), AX
	LEAQ    (AX)(R12*1), BX
	VMOVUPS (DX), Y1
	VMOVUPS (DX)(R9*1), Y2
	VMOVUPS (DX)(R9*2), Y3
	VMOVUPS (AX), Y4
	VMOVUPS (AX)(R9*1), Y5
	VMOVUPS (AX)(R9*2), Y6
	VMOVUPS (BX), Y7
	VMOVUPS (BX)(R9*1), Y8
	VMOVUPS (BX)(R9*2), Y9
	MOVQ    SI, AX
	LEAQ    (SI)(R10*1), BX
	LEAQ    (SI)(R10*2), R11
	MOVQ    DI, R14
	MOVQ    R8, CX

convCell:
	VMULPS      (AX), Y1, Y0
	VMULPS      (BX), Y4, Y10
	VMULPS      (R11), Y7, Y11
	VFMADD231PS (AX)(R9*1), Y2, Y0
	VFMADD231PS (BX)(R9*1), Y5, Y10
	VFMADD231PS (R11)(R9*1), Y8, Y11
	VFMADD231PS (AX)(R9*2), Y3, Y0
	VFMADD231PS (BX)(R9*2), Y6, Y10
	VFMADD231PS (R11)(R9*2), Y9, Y11
	VADDPS      Y10, Y0, Y0
	VADDPS      Y11, Y0, Y0
	VMOVUPS     Y0, (R14)
	ADDQ        R9, AX
	ADDQ        R9, BX
	ADDQ        R9, R11
	ADDQ        R9, R14
	DECQ        CX
	JNZ         convCell

	ADDQ $32, DI
	ADDQ $32, SI
	ADDQ $32, DX
	SUBQ $8, R13
	JGT  convChannels
	VZEROUPPER
	RET
