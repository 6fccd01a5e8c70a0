package host

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ponder-agents/ponder/cli"
)

// TestNumberFlags: every flag of every command that is a number has a range, its default lies in it, and what
// lies outside is refused before anything is begun, by name and with the range.
func TestNumberFlags(t *testing.T) {
	found := 0
	var walk func(path []string, c *cobra.Command)
	walk = func(path []string, c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(append(path[:len(path):len(path)], sub.Name()), sub)
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			r, number, ok := cli.RangeOf(f)
			if !number {
				return
			}
			if found++; !ok {
				t.Errorf("%s --%s has no range: add one to ranges", c.CommandPath(), f.Name)
				return
			}
			var def float64
			if _, err := fmt.Sscan(f.DefValue, &def); err != nil || def != 0 && !(def >= r.Least && def <= r.Most) {
				t.Errorf("%s --%s: its default %s is not in %v", c.CommandPath(), f.Name, f.DefValue, r)
			}
			values := []string{fmt.Sprintf("%.0f", math.Floor(r.Least-1)), fmt.Sprintf("%.0f", 2*r.Most+1), "NaN", "1e300"}
			if !strings.HasPrefix(f.Value.Type(), "float") {
				values = append(values[:2], fmt.Sprint(math.MaxInt64))
			}
			for _, v := range values {
				args := append(path[:len(path):len(path)], "--"+f.Name+"="+v)
				for range 3 { // what the command is about comes first
					if c.Args == nil || c.Args(c, args[len(path)+1:]) == nil {
						break
					}
					args = append(args, "x")
				}
				root := Root()
				root.SetArgs(args)
				root.SetOut(io.Discard)
				_, err := root.ExecuteContextC(context.Background())
				if err == nil || cli.ExitCode(err) != cli.ExitUsage || !strings.Contains(err.Error(), f.Name) {
					t.Errorf("ponder %v: error %v, want one of the flag", args, err)
				}
			}
		})
	}
	walk(nil, Root())
	if found < 50 {
		t.Errorf("only %d numbers found", found)
	}
}
