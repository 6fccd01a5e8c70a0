package host

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ponder-agents/ponder/cli"
)

func TestMain(m *testing.M) {
	programs := map[string]func(){"ponder": func() { os.Exit(cli.Execute(Root(), asked(os.Args[1:]))) }}
	if library != nil {
		programs["library"] = library
	}
	testscript.Main(m, programs)
}

// library is a program of someone who trains with the packages and not by the command; see
// resume_test.go. A build without libtorch has none.
var library func()

// TestScript runs testdata/script/*.txtar, each a session with the command line.
func TestScript(t *testing.T) { scripts(t, "testdata/script") }

// scripts runs the *.txtar of a folder. Besides the commands of testscript there are
//
//	code N ponder ...         runs ponder and asks for exit code N; stdout and stderr follow as after exec
//	fails N REGEXP ponder ... asks besides that nothing is on stdout, and of stderr that its last line
//	                          alone begins with "ponder: " and that what follows there matches
//	poke FILE OFFSET BYTE...  overwrites bytes; a negative offset counts from the end
//	cut FILE BYTES            takes so many bytes from the end
//	await FILE                waits until there is one, for a minute at most
func scripts(t *testing.T, dir string) {
	runs := func(ts *testscript.TestScript, code string, command []string) {
		want, err := strconv.Atoi(code)
		ts.Check(err)
		got := 0
		if err := ts.Exec(command[0], command[1:]...); err != nil {
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				ts.Fatalf("%v", err)
			}
			got = exit.ExitCode()
		}
		if got != want {
			ts.Fatalf("exit code %d, want %d", got, want)
		}
	}
	usage := func(ts *testscript.TestScript, ok bool, text string) {
		if !ok {
			ts.Fatalf("usage: %s", text)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, !neg && len(args) >= 2, "code N COMMAND [ARG...]")
				runs(ts, args[0], args[1:])
			},
			"fails": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, !neg && len(args) >= 3, "fails N REGEXP COMMAND [ARG...]")
				runs(ts, args[0], args[2:])
				re, err := regexp.Compile("^(?:" + args[1] + ")$")
				ts.Check(err)
				all := "\n" + ts.ReadFile("stderr")
				before, message, _ := strings.Cut(strings.TrimSuffix(all, "\n"), "\nponder: ")
				if strings.Contains(message, "\n") || !re.MatchString(message) {
					ts.Fatalf("error %q after %q, want one line that matches %s", message, before, re)
				}
				if out := ts.ReadFile("stdout"); out != "" {
					ts.Fatalf("stdout: %s", out)
				}
			},
			"poke": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, !neg && len(args) >= 3, "poke FILE OFFSET BYTE...")
				path := ts.MkAbs(args[0])
				data, err := os.ReadFile(path)
				ts.Check(err)
				at, err := strconv.Atoi(args[1])
				ts.Check(err)
				if at < 0 {
					at += len(data)
				}
				for i, arg := range args[2:] {
					b, err := strconv.ParseUint(arg, 0, 8)
					ts.Check(err)
					data[at+i] = byte(b)
				}
				ts.Check(os.WriteFile(path, data, 0o666))
			},
			"cut": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, !neg && len(args) == 2, "cut FILE BYTES")
				path := ts.MkAbs(args[0])
				info, err := os.Stat(path)
				ts.Check(err)
				n, err := strconv.ParseInt(args[1], 10, 64)
				ts.Check(err)
				ts.Check(os.Truncate(path, info.Size()-n))
			},
			"await": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, !neg && len(args) == 1, "await FILE")
				path := ts.MkAbs(args[0])
				for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
					if _, err := os.Stat(path); err == nil {
						return
					}
					if time.Now().After(end) {
						ts.Fatalf("%s does not come", args[0])
					}
				}
			},
		},
	})
}

// TestTree asks of every command one line of description, an example that calls it, and a word about
// each of its flags.
func TestTree(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if sub.Name() != "completion" && sub.Name() != "help" {
				walk(sub)
			}
		}
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: description %q, want one line without a full stop", c.CommandPath(), c.Short)
		}
		if !c.HasSubCommands() && !c.DisableFlagParsing && !strings.Contains(c.Example, "  "+c.CommandPath()) {
			t.Errorf("%s: no example that begins with it", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: flag --%s without a word", c.CommandPath(), f.Name)
			}
		})
	}
	walk(Root())
}
