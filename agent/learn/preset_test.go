package learn

import _ "github.com/ponder-agents/ponder/agent/task/families"

// preset is a recipe that is there.
func preset(name string) Recipe {
	r, err := Preset(name)
	if err != nil {
		panic(err)
	}
	return r
}
