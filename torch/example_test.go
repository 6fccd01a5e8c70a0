//go:build cgo && !notorch

package torch_test

import (
	"fmt"

	"github.com/ponder-agents/ponder/torch"
)

// A failure of libtorch ends Do with an error; everything made inside is freed either way.
func ExampleDo() {
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		x := s.Floats([]float32{1, 2, 3, 4}, 2, 2)
		fmt.Println(s.ReadFloats(nil, s.Own(x.Matmul(x, false))))
		s.RMSAdd(x, s.Floats([]float32{1, 2}, 1, 2), 1e-5)
		fmt.Println("not reached")
	})
	fmt.Println(err)
	// Output:
	// [7 10 15 22]
	// libtorch: rms_add: rms_add: shapes [2, 2] and [1, 2]
}

// The derivative of x0² + x1² is 2x.
func ExampleScope_Gradients() {
	p := torch.NewParams(torch.CPU)
	defer p.Close()
	err := torch.Do(torch.Grad, func(s *torch.Scope) {
		x := p.Add(s, "x", s.Floats([]float32{3, -1}, 2))
		g := s.Gradients(s.Sum(s.Mul(x, x)), []*torch.Tensor{x})
		fmt.Println(s.ReadFloats(nil, g[0]))
	})
	fmt.Println(err)
	// Output:
	// [6 -2]
	// <nil>
}
