//go:build cgo && !notorch

package host

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/cli"
)

// TestBenchHRM: what cannot be measured is refused in a line, and a case is a line of JSON.
func TestBenchHRM(t *testing.T) {
	run := func(args ...string) (string, error) {
		root := Root()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&bytes.Buffer{})
		root.SetArgs(append([]string{"bench", "hrm"}, args...))
		err := root.ExecuteContext(t.Context())
		return out.String(), err
	}
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"--case: error parsing regexp", []string{"--case", "("}},
		{`--case: no such case: "chess" matches none`, []string{"--case", "chess", "--against-python", ""}},
		{`--precision "int4" is unknown`, []string{"--precision", "int4"}},
		{"--seconds 0: want 0.001 to 3600", []string{"--seconds", "0"}},
		{"--precision auto: each number format is measured by itself", []string{"--precision", "auto"}},
		{"--against-python: no Python with torch: ", []string{"--against-python", "no-such-python"}},
	} {
		out, err := run(tt.args...)
		if err == nil || cli.ExitCode(err) != cli.ExitUsage || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") || out != "" {
			t.Errorf("%q: %q, error %v, want a line with %q", tt.args, out, err, tt.want)
		}
	}
	out, err := run("--case", "^model sudoku, batch 1$", "--against-python", "", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Case   string
		MS     float64
		GFLOPS float64
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || strings.Count(out, "\n") != 1 || r.Case != "model sudoku, batch 1" || r.MS <= 0 || r.GFLOPS <= 0 {
		t.Errorf("%q, error %v", out, err)
	}
}
