//go:build unix

package host

import (
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ponder-agents/ponder/cli"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// An outputCase is a way to make a command write.
type outputCase struct {
	args []string
	ext  string // of the file
	note string // why only what must be refused is tried; empty if all is
}

// outputCases are those of every flag that names an output, and of import's argument. They run in a
// folder that has what is in outputFiles.
var outputCases = map[string][]outputCase{
	"ponder env show --out": {{args: []string{"env", "show", "maze", "--tile", "4"}, ext: ".png"}},
	"ponder data build sudoku --out": {
		{args: []string{"data", "build", "sudoku", "--side", "4", "--generate", "2", "--augment", "0"}},
		{args: []string{"data", "build", "sudoku", "--side", "4", "--generate", "2", "--augment", "0", "--replace"}},
		{args: []string{"data", "build", "sudoku", "--side", "4", "--generate", "2"}, ext: ".csv"},
	},
	"ponder data build maze --out": {
		{args: []string{"data", "build", "maze", "--size", "9", "--generate", "2", "--replace"}},
		{args: []string{"data", "build", "maze", "--size", "9", "--generate", "2"}, ext: ".csv"},
	},
	"ponder data build arc --out": {{args: []string{"data", "build", "arc", "task.json", "--augment", "0", "--evaluate", "none", "--replace"}}},
	"ponder data get --out":       {{args: []string{"data", "get", "maze-30x30-hard-1k", "--mirror"}}}, // the server is added
	"ponder data show --png":      {{args: []string{"data", "show", "task.json", "--kind", "arc", "--tile", "4"}, ext: ".png"}},
	"ponder record --out": {
		{args: []string{"record", "--trace", "in.trace"}, ext: ".trace"},
		{args: []string{"record", "--trace", "in.trace", "--size", "160x120"}, ext: ".png"},
		{args: []string{"record", "--trace", "in.trace", "--size", "160x120"}, ext: ".gif"},
		{args: []string{"record", "--trace", "in.trace", "--size", "160x120"}, ext: ".mp4"},
	},
	"ponder demo --out":            {{args: []string{"demo", "--seed", "3"}, ext: ".gif", note: "the network thinks a sudoku through; record writes the same way"}},
	"ponder play --dir":            {{args: []string{"play", "maze"}, note: "opens a window"}},
	"ponder train --out":           {{args: []string{"train", "tiny.toml", "--threads", "1", "--eval-count", "1"}}},
	"ponder train ppo --out":       {{args: []string{"train", "ppo", "--env", "maze/5x5-v0", "--frames", "64", "--horizon", "4", "--hidden", "8", "--threads", "1", "--eval-count", "1"}}},
	"ponder train dqn --out":       {{args: []string{"train", "dqn", "--env", "maze/5x5-v0", "--frames", "64", "--horizon", "4", "--hidden", "8", "--threads", "1", "--eval-count", "1"}}},
	"ponder train imitate --out":   {{args: []string{"train", "imitate", "--env", "maze/5x5-v0", "--frames", "64", "--horizon", "4", "--hidden", "8", "--threads", "1", "--eval-count", "1"}}},
	"ponder train halt --out":      {{args: []string{"train", "halt", "--begin", "doorkey-5x5", "--env", "MiniGrid-DoorKey-5x5-v0", "--frames", "64", "--horizon", "4", "--threads", "1", "--eval-count", "1"}}},
	"ponder bench halting --plot":  {{args: []string{"bench", "halting", "--model", "sudoku-static", "--count", "4", "--segments", "3"}, ext: ".png"}},
	"ponder report --out":          {{args: []string{"report", "done"}, ext: ".html", note: "a run is not at hand; the script report.txtar makes one"}},
	"ponder sweep --out":           {{args: []string{"sweep", "grid.toml"}, note: "starts processes that train"}},
	"ponder mean --out":            {{args: []string{"mean", "maze", "maze"}}},
	"ponder import OUT":            {{args: []string{"import", "nothing"}, note: "a checkpoint of the reference is not at hand"}},
	"ponder solve sudoku --trace":  {{args: []string{"solve", "sudoku", "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"}, ext: ".trace"}},
	"ponder solve maze --trace":    {{args: []string{"solve", "maze", "level.txt"}, ext: ".trace"}},
	"ponder solve arc --trace":     {{args: []string{"solve", "arc", "task.json", "--model", "none"}, ext: ".trace", note: "needs a model of ARC"}},
	"ponder eval arc --submission": {{args: []string{"eval", "arc", "--data", "task.json", "--model", "none"}, ext: ".json", note: "needs a model of ARC"}},
}

var outputFiles = map[string]string{
	"task.json": taskJSON,
	"level.txt": "#######\n#S   G#\n# ### #\n#     #\n#######\n",
	"grid.toml": "train = \"maze\"\n[fields]\nlr = [0.001]\n",
	"tiny.toml": "preset = \"sudoku\"\nsteps = 1\nbatch = 2\n[model]\nhidden = 16\ninner = 32\n[halting]\nmax_segments = 1\n",
}

// outputs are the flags that name what a command writes, and what kind it is of.
func outputs(t *testing.T) map[string]string {
	found := map[string]string{}
	says := regexp.MustCompile(`(?i)\bwrite a|\bto write\b|\bto this file\b|\binto this\b|\bfolder for\b|\bfolder of the dataset\b|\bthe run's folder\b`)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		if strings.Contains(c.Use, " OUT") {
			found[c.CommandPath()+" OUT"] = cli.Folder
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			name := c.CommandPath() + " --" + f.Name
			if kind := cli.Written(f); kind != "" {
				found[name] = kind
			} else if f.Name == "out" || f.Value.Type() == "string" && says.MatchString(f.Usage) {
				t.Errorf("%s seems to name an output (%s) and is not marked by writes", name, f.Usage)
			}
		})
	}
	walk(Root())
	return found
}

// TestOutputs tries every output of every command: what is somebody else's stays as it is, links and
// what is no regular file too.
func TestOutputs(t *testing.T) {
	found := outputs(t)
	if len(found) < 9 {
		t.Errorf("only %d outputs found: %v", len(found), found)
	}
	const csv = "source,question,answer,rating\nx,S G      ,SoG      ,2\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(csv)) }))
	defer server.Close()
	for name, kind := range found {
		if len(outputCases[name]) == 0 {
			t.Errorf("%s has no case here", name)
		}
		for _, c := range outputCases[name] {
			if c.ext == ".mp4" {
				if _, err := exec.LookPath("ffmpeg"); err != nil {
					continue
				}
			}
			t.Run(name+c.ext, func(t *testing.T) {
				inOutputFolder(t)
				if c.args[len(c.args)-1] == "--mirror" {
					c.args = append(c.args[:len(c.args):len(c.args)], server.URL)
				}
				if flag := name[strings.LastIndex(name, " ")+1:]; flag != "OUT" {
					c.args = append(c.args[:len(c.args):len(c.args)], flag)
				}
				refusals(t, c, kind)
				switch {
				case c.note != "":
					t.Logf("only what must be refused: %s", c.note)
				case c.ext != "":
					tryFile(t, c)
				default:
					tryFolder(t, c)
				}
			})
		}
	}
}

// inOutputFolder makes a new folder with outputFiles and a trace, and stands in it.
func inOutputFolder(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range outputFiles {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want(t, cli.ExitOK, "record", "maze/9x9-v0", "--agent", "oracle", "--steps", "2", "--out", "in.trace", "-q")
}

// snapshot is the type and content of all that is in the current folder.
func snapshot(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		text := ""
		switch {
		case d.Type().IsRegular():
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = string(b)
		case d.Type()&fs.ModeSymlink != 0:
			text, err = os.Readlink(path)
		}
		all[path] = d.Type().String() + text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// must ends the test on an error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func (c outputCase) run(t *testing.T, out string) (string, int) {
	t.Helper()
	return ponder(t, append(c.args[:len(c.args):len(c.args)], out)...)
}

// refusals gives the command what it must leave alone.
func refusals(t *testing.T, c outputCase, kind string) {
	t.Helper()
	must(t, os.MkdirAll("theirs"+c.ext+"/deep", 0o777), os.WriteFile("theirs"+c.ext+"/thesis.tex", []byte("thesis"), 0o666),
		os.Symlink("theirs"+c.ext, "link"+c.ext), os.Symlink("loop"+c.ext, "loop"+c.ext), os.WriteFile("file"+c.ext, []byte("mine"), 0o600))
	bad := []string{"file" + c.ext + "/below" + c.ext, "loop" + c.ext}
	if kind != cli.IntoFolder {
		bad = append(bad, "theirs"+c.ext, "link"+c.ext, "/", ".")
	}
	if c.ext != "" {
		bad = append(bad, "no/such/folder"+c.ext)
	} else {
		bad = append(bad, "file", os.DevNull)
	}
	if c.ext == ".trace" && strings.Contains(c.args[0], "record") {
		bad = append(bad, "in.trace")
	}
	before := snapshot(t)
	for _, out := range bad {
		text, code := c.run(t, out)
		if code != cli.ExitFailure && code != cli.ExitUsage {
			t.Errorf("%s: exit code %d, want %d or %d: %s", out, code, cli.ExitFailure, cli.ExitUsage, text)
		}
		if strings.Contains(strings.TrimSpace(text), "\n") || !strings.Contains(text, out) {
			t.Errorf("%s: %q, want one line that names it", out, text)
		}
		if diff := cmp.Diff(before, snapshot(t)); diff != "" {
			t.Errorf("%s: changed:\n%s", out, diff)
		}
	}
	must(t, os.RemoveAll("theirs"+c.ext), os.Remove("link"+c.ext), os.Remove("loop"+c.ext), os.Remove("file"+c.ext))
}

// tryFile writes files, through links, and to a FIFO and a device.
func tryFile(t *testing.T, c outputCase) {
	t.Helper()
	ok := func(out string) {
		t.Helper()
		if text, code := c.run(t, out); code != cli.ExitOK {
			t.Fatalf("%s: exit code %d: %s", out, code, text)
		}
	}
	before := snapshot(t)
	ok("new" + c.ext)
	content, err := os.ReadFile("new" + c.ext)
	must(t, err)
	if len(content) == 0 {
		t.Fatal("an empty file")
	}
	must(t, os.Mkdir("far", 0o777), os.WriteFile("far/old"+c.ext, []byte("old"), 0o666),
		os.Symlink("far/old"+c.ext, "link"+c.ext), os.Symlink("far/none"+c.ext, "dangling"+c.ext))
	ok("link" + c.ext)
	ok("dangling" + c.ext)
	must(t, syscall.Mkfifo("fifo"+c.ext, 0o666))
	read := make(chan []byte)
	go func() {
		b, _ := os.ReadFile("fifo" + c.ext)
		read <- b
	}()
	ok("fifo" + c.ext)
	if got := <-read; len(got) == 0 || got[0] != content[0] {
		t.Errorf("the FIFO's reader got %d bytes", len(got))
	}
	wanted := maps.Clone(before)
	maps.Copy(wanted, map[string]string{
		"far": fs.ModeDir.String(), "link" + c.ext: fs.ModeSymlink.String() + "far/old" + c.ext, "dangling" + c.ext: fs.ModeSymlink.String() + "far/none" + c.ext,
		"fifo" + c.ext: fs.ModeNamedPipe.String(),
	})
	// A device of our own, as os.DevNull would be lost if this failed.
	if syscall.Mknod("null"+c.ext, syscall.S_IFCHR|0o666, 1<<8|3) == nil {
		if f, err := os.OpenFile("null"+c.ext, os.O_WRONLY, 0); err == nil {
			f.Close()
			ok("null" + c.ext)
		}
		wanted["null"+c.ext] = (fs.ModeDevice | fs.ModeCharDevice).String()
	}
	got := snapshot(t)
	for _, name := range []string{"new", "far/old", "far/none"} {
		if text := got[name+c.ext]; !strings.HasPrefix(text, fs.FileMode(0).String()) || len(text) < len(fs.FileMode(0).String())+1 || text[len(fs.FileMode(0).String())] != content[0] {
			t.Errorf("%s holds %.40q", name+c.ext, text)
		}
		delete(got, name+c.ext)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

// tryFolder makes folders: new, in an empty one, and where links lead.
func tryFolder(t *testing.T, c outputCase) {
	t.Helper()
	must(t, os.Mkdir("empty", 0o777), os.Mkdir("far", 0o777), os.Symlink("far", "link"), os.Symlink("nowhere", "dangling"))
	for out, place := range map[string]string{"new": "new", "a/b": "a/b", "empty": "empty", "link": "far", "dangling": "nowhere"} {
		if text, code := c.run(t, out); code != cli.ExitOK {
			t.Errorf("%s: exit code %d: %s", out, code, text)
		}
		if entries, err := os.ReadDir(place); err != nil || len(entries) == 0 {
			t.Errorf("%s: %s holds nothing (%v)", out, place, err)
		}
	}
	for _, link := range []string{"link", "dangling"} {
		if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is a link no more (%v)", link, err)
		}
	}
	if hidden, _ := filepath.Glob(".*.tmp-*"); len(hidden) > 0 {
		t.Errorf("left over: %q", hidden)
	}
}

// TestOutputIsRead: a command does not write over what it reads, nor into a dataset that it reads.
func TestOutputIsRead(t *testing.T) {
	inOutputFolder(t)
	want(t, cli.ExitOK, "data", "build", "sudoku", "--side", "4", "--generate", "2", "--augment", "0", "--out", "set")
	must(t, os.Symlink("in.trace", "again.trace"), os.Rename("task.json", "set/../tasks.json"), os.MkdirAll("tasks", 0o777), os.Rename("tasks.json", "tasks/a.json"))
	before := snapshot(t)
	for _, args := range [][]string{
		{"record", "--trace", "in.trace", "--out", "in.trace"},
		{"record", "--trace", "in.trace", "--out", "again.trace"},
		{"record", "--trace", "again.trace", "--out", "./in.trace"},
		{"env", "show", "maze", "--level", "level.txt", "--out", "level.txt"},
		{"data", "show", "set", "--png", "set/picture.png"},
		{"data", "show", "set", "--png", "set/train/all__inputs.npy"},
		{"data", "build", "arc", "tasks", "--out", "tasks"},
		{"data", "build", "arc", "tasks", "--out", "tasks/built"},
		{"data", "build", "sudoku", "--from", "set", "--out", "set", "--replace"},
	} {
		if text := want(t, cli.ExitUsage, args...); !strings.Contains(text, "read") {
			t.Errorf("ponder %s: %s", strings.Join(args, " "), text)
		}
		if diff := cmp.Diff(before, snapshot(t)); diff != "" {
			t.Errorf("ponder %s: changed:\n%s", strings.Join(args, " "), diff)
		}
	}
}
