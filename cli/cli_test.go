package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/cli"
)

// tool is a program with a command that copies a file, and one that fails as it is told to.
func tool(fails error) *cobra.Command {
	root := &cobra.Command{Use: "tool", Short: "A tool", SilenceErrors: true, SilenceUsage: true}
	var out, dir string
	copies := &cobra.Command{Use: "copy FILE", Short: "Copy a file", Args: cli.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		b, err := os.ReadFile(args[0])
		if err == nil {
			err = os.WriteFile(out, b, 0o666)
		}
		return err
	}}
	copies.Flags().StringVar(&out, "out", "", "the copy")
	copies.Flags().StringVar(&dir, "data", "", "a folder beside")
	cli.Writes(copies.Flags(), "out", cli.File)
	cli.ReadsFolder(copies.Flags(), "data")
	root.AddCommand(copies, &cobra.Command{Use: "fail", Short: "Fail", RunE: func(*cobra.Command, []string) error { return fails }}, cli.NewManCmd("tool"))
	cli.Polish(root)
	return root
}

// run executes the tool and returns the code and the error that Execute would print.
func run(fails error, args ...string) (int, string) {
	root := tool(fails)
	root.SetArgs(args)
	root.SetOut(new(bytes.Buffer))
	err := root.Execute()
	if err == nil {
		return cli.ExitOK, ""
	}
	return cli.ExitCode(err), err.Error()
}

func TestExitCodes(t *testing.T) {
	wrapped := fmt.Errorf("outside: %w", cli.WithCode(cli.ExitUnsolved, errors.New("no")))
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, cli.ExitOK},
		{errors.New("x"), cli.ExitFailure},
		{wrapped, cli.ExitUnsolved},
		{cli.Usagef("--n %d", 3), cli.ExitUsage},
		{context.Canceled, cli.ExitInterrupted},
		{cli.WithCode(cli.ExitUsage, nil), cli.ExitOK},
	} {
		if got, text := run(tt.err, "fail"); got != tt.want {
			t.Errorf("%v: exit code %d (%s), want %d", tt.err, got, text, tt.want)
		}
	}
}

func TestWhatWasMeant(t *testing.T) {
	for args, want := range map[string]string{
		"cpoy":           `unknown command "cpoy" of "tool"; did you mean copy?`,
		"copy a --uot b": "unknown flag: --uot; did you mean --out?",
		"copy":           "accepts 1 arg(s), received 0; usage: tool copy FILE",
	} {
		if code, got := run(nil, strings.Fields(args)...); code != cli.ExitUsage || !strings.HasPrefix(got, want) {
			t.Errorf("tool %s: %d, %q, want %q", args, code, got, want)
		}
	}
}

// TestOutputs: what is read is not written over, and nothing is written into a folder that is read.
func TestOutputs(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(os.WriteFile("a", []byte("text"), 0o666), os.Symlink("a", "link"), os.Mkdir("set", 0o777)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"a", "--out", "link"}, "it is read"},
		{[]string{"a", "--out", "no/such"}, "--out"},
		{[]string{"a", "--out", "set/b", "--data", "set"}, "it is in set, which is read"},
		{[]string{"a", "--out", "set/b", "--data", "dataset:set"}, "it is in set, which is read"},
	} {
		if code, got := run(nil, append([]string{"copy"}, tt.args...)...); code == cli.ExitOK || !strings.Contains(got, tt.want) {
			t.Errorf("copy %v: %d, %q, want %q", tt.args, code, got, tt.want)
		}
	}
	if code, text := run(nil, "copy", "a", "--out", "b"); code != cli.ExitOK {
		t.Error(text)
	}
	if b, _ := os.ReadFile(filepath.Join(".", "b")); string(b) != "text" {
		t.Errorf("the copy holds %q", b)
	}
}

func TestMan(t *testing.T) {
	root := tool(nil)
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"man"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{".TH TOOL 1\n", ".SS tool copy FILE", ".B \\-\\-out string\n", ".SH EXIT STATUS\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the page has no %q:\n%s", want, out.String())
		}
	}
}

func TestBuild(t *testing.T) {
	v := cli.Build{Version: "v1.2.3", Revision: "0123456789abcdef", Modified: true, Go: "go1.26", Platform: "linux/amd64"}
	if got, want := v.String(), "v1.2.3 0123456789ab+changes, go1.26, linux/amd64"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := cli.ReadBuild(); got.Go != runtime.Version() {
		t.Errorf("%+v", got)
	}
}
