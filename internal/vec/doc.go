// Package vec computes with matrices of float32: what the networks without libtorch spend their time in.
// On amd64 with AVX2 and FMA it is assembly, elsewhere plain Go; the choice is made at run time, and
// tests compare the two.
//
// To do without cases for what is left over, matrices are padded: rows to a multiple of [RowStep], widths
// to a multiple of [Lanes]. What lies in the padding is computed as if it were numbers, so it must be
// finite; where a function says that it is 0, it must be and stays so.
//
// Every number of a result depends on its own row alone and is computed in the same order whatever the
// number of rows, so a sequence has the same answer, bit for bit, by itself and in company.
package vec
