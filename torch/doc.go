// Package torch is the fence around libtorch: everything that ponder, or a network of your own, does
// with tensors goes through it.
//
// libtorch reaches Go through github.com/sugarme/gotch, whose functions may be used freely inside of
// [Do]; Do gives what they lack. A failure of libtorch comes back as an [Error] instead of ending
// the process; tensors die with the [Scope] that owns them unless kept; the goroutine is bound to
// its thread, since libtorch's grad mode and last error are per thread; the grad mode is restored
// however the function ends.
//
//	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
//		x := s.Floats([]float32{1, 2, 3, 4}, 2, 2)
//		y := s.Own(x.Matmul(x, false)) // any operation of gotch
//		fmt.Println(s.ReadFloats(nil, y))
//	})
//
// The operations of this package that networks are made of ([Scope.RMSAdd], [Scope.Attention],
// [Scope.SwiGLU], …) are fused: one call, own kernels on the CPU, libtorch's on CUDA.
//
// Files that need libtorch are built with cgo and without the tag notorch; run `make build` or
// `go run github.com/ponder-agents/ponder/cmd/setup` once before.
package torch
