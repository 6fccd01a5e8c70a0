package env_test

import (
	"fmt"

	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/maze"
)

// A world is made by its id, and an episode is drawn from a seed.
func ExampleMake() {
	e, err := env.Make("maze/9x9-v0", "view=fog")
	if err != nil {
		fmt.Println(err)
		return
	}
	obs := make([]byte, e.Spec().ObsLen)
	e.Seed(7)
	e.Reset(obs)
	out := e.Step(3, obs) // to the right
	fmt.Println(e.Spec().Actions[3], out.Reward > 0, out.Done())
	_, err = env.Make("maze/9x9-v0", "veiw=fog")
	fmt.Println(err)
	// Output:
	// right false false
	// maze/9x9-v0: unknown option "veiw": did you mean view?
}

// Many worlds share one slab of observations; each begins again by itself.
func ExampleMakeVec() {
	v, err := env.MakeVec("maze/9x9-v0", 4, env.VecConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()
	v.Reset(1)
	for range 100 {
		v.Step([]int32{0, 1, 2, 3})
	}
	fmt.Println(v.Len(), len(v.Obs) == 4*v.Spec().ObsLen)
	// Output: 4 true
}
