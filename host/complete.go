package host

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/published"
	"github.com/ponder-agents/ponder/models"
)

// complete makes the shell's completion offer names: of environments, models, recipes and data, by the names of
// the flags and by what the first argument of a command is. Files are offered too.
func complete(root *cobra.Command) {
	offer := func(names func() []string) cobra.CompletionFunc {
		return func(_ *cobra.Command, _ []string, begin string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var fit []cobra.Completion
			for _, name := range names() {
				if strings.HasPrefix(name, begin) {
					fit = append(fit, name)
				}
			}
			return fit, cobra.ShellCompDirectiveDefault
		}
	}
	flags := map[string]func() []string{
		"env": env.Names, "model": models.Names, "begin": models.Names, "agent": agentNames, "data": dataKinds,
	}
	arguments := map[string]func() []string{
		"play": env.Names, "record": env.Names, "env show": env.Names, "env play": env.Names, "env check": env.Names, "env list": env.Names, "env solve": env.Names,
		"train": recipeNames, "models": models.Names, "eval data": dataKinds, "data get": setNames,
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		for name, names := range flags {
			if c.LocalFlags().Lookup(name) != nil {
				c.RegisterFlagCompletionFunc(name, offer(names)) // its only error is a flag that is not there
			}
		}
		if names := arguments[strings.TrimPrefix(c.CommandPath(), root.Name()+" ")]; names != nil {
			c.ValidArgsFunction = offer(names)
		}
	}
	walk(root)
}

func agentNames() (names []string) {
	for _, a := range trace.Agents() {
		names = append(names, string(a))
	}
	return names
}

func recipeNames() (names []string) {
	all, err := task.Recipes()
	if err != nil {
		return nil
	}
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// dataKinds are the beginnings of the names of data.
func dataKinds() (names []string) {
	for line := range strings.Lines(task.Usage()) {
		if kind, _, ok := strings.Cut(line, ":"); ok && !slices.Contains(names, kind+":") {
			names = append(names, kind+":")
		}
	}
	return names
}

func setNames() (names []string) {
	for _, s := range published.Sets() {
		names = append(names, s.Name)
	}
	return names
}
