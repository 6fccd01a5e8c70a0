package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// unusedKey annotates flags that a command shares with its kind and has no use for.
const unusedKey = "cli-unused"

// Unused takes flags that all of a kind have out of the help of one that has no use for them; Polish's commands
// refuse them.
func Unused(f *pflag.FlagSet, flags ...string) {
	for _, name := range flags {
		if err := f.SetAnnotation(name, unusedKey, nil); err != nil {
			panic(err) // no such flag
		}
		f.Lookup(name).Hidden = true
	}
}

// checkUnused refuses flags that cmd has no use for.
func checkUnused(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if _, unused := f.Annotations[unusedKey]; unused && err == nil {
			err = Usagef("%s has no use for --%s", strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" "), f.Name)
		}
	})
	return err
}
