package arc_test

import (
	"fmt"

	"github.com/ponder-agents/ponder/env/arc"
)

func ExampleParse() {
	_, err := arc.Parse("mine", []byte(`{
  "train": [{"input": [[1, 2]], "output": [[2, 1]]},
            {"input": [[3, 4], [5]], "output": [[4, 3]]}],
  "test":  [{"input": [[6, 7]]}]
}`))
	fmt.Println(err)
	// Output: arc: train[1].input row 2: 1 cells, want 2 as in row 1
}

func ExampleNewWorld() {
	task, err := arc.Parse("mine", []byte(`{"train": [{"input": [[1, 2]], "output": [[2, 1]]}],
"test": [{"input": [[6, 7]], "output": [[7, 6]]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	w, err := arc.NewWorld("arc/mine-v0", arc.WorldConfig{Task: task})
	if err != nil {
		fmt.Println(err)
		return
	}
	obs := make([]byte, w.Spec().ObsLen)
	w.Reset(obs)
	for _, action := range []int{arc.Input, arc.Paint + 7, arc.Right, arc.Paint + 6, arc.Submit} {
		out := w.Step(action, obs)
		fmt.Printf("%-7s %s", w.Spec().Actions[action], w.Canvas().AppendText(nil))
		if out.Done() {
			fmt.Println("reward", out.Reward)
		}
	}
	// Output:
	// input   67
	// paint 7 77
	// right   77
	// paint 6 76
	// submit  76
	// reward 1
}
