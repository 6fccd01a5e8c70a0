//go:build cgo && !notorch

package host

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/reference"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// TestImport: what the task and the flags say must fit the weights, and these must be numbers.
func TestImport(t *testing.T) {
	const own = "../reference/testdata/checkpoint" // 6 tokens of 5 kinds, learned positions
	dir := t.TempDir()
	config, err := os.ReadFile(filepath.Join(own, reference.ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	c, err := reference.Read(own, reference.Length{})
	if err != nil {
		t.Fatal(err)
	}
	// put writes the weights as another folder.
	put := func(name string, config string, tensors map[string]safetensors.Tensor) string {
		t.Helper()
		to := filepath.Join(dir, name)
		if err := os.Mkdir(to, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, reference.ConfigFile), []byte(config), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := safetensors.Write(filepath.Join(to, "model.safetensors"), nil, tensors); err != nil {
			t.Fatal(err)
		}
		return to
	}
	good := put("good", string(config), c.Tensors)
	rope := map[string]safetensors.Tensor{}
	for name, x := range c.Tensors {
		if name != "inner.embed_pos.embedding_weight" {
			rope[name] = x
		}
	}
	unsaid := put("rope", strings.ReplaceAll(string(config), "pos_encodings: learned", "pos_encodings: rope"), rope)
	bias := c.Tensors["inner.q_head.bias"]
	c.Tensors["inner.q_head.bias"] = safetensors.OfFloat32s(bias.Shape, []float32{0, float32(math.NaN())})
	broken := put("broken", string(config), c.Tensors)

	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{good, cli.ExitOK, "HRM of "},
		{good + " --seq 6", cli.ExitOK, "6 tokens"},
		{good + " --seq 7", cli.ExitUsage, "--seq: "},
		{good + " --task bogus", cli.ExitUsage, `want one of ["arc" "maze-path" "sudoku"]`},
		{good + " --task maze-directions", cli.ExitUsage, "none of the published networks'"},
		{good + " --task sudoku", cli.ExitUsage, "6 tokens of 5 kinds are no row of sudoku, whose published rows have 81 of 11 kinds"},
		{unsaid, cli.ExitUsage, "--seq: "},
		{unsaid + " --seq 4", cli.ExitOK, "4 tokens"},
		{unsaid + " --task maze-path", cli.ExitUsage, "900 tokens of 5 kinds"},
		{broken, cli.ExitFailure, `tensor "inner.q_head.bias": number 1 is NaN`},
	} {
		args := strings.Fields("import " + tt.args)
		out := filepath.Join(dir, "out")
		cmd := process(t, append([]string{"ponder"}, append(args, out)...)...)
		text, _ := cmd.CombinedOutput() // the exit code tells
		if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(string(text), tt.want) {
			t.Errorf("%s: exit code %d, want %d with %q:\n%s", args, code, tt.code, tt.want, text)
		}
		if _, err := os.Stat(out); (err == nil) != (tt.code == cli.ExitOK) {
			t.Errorf("%s leaves %v", args, err)
		}
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
	}
}
