//go:build unix

package gotch

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ponder-agents/ponder/internal/setup/libtorch"
)

// fakeCXX stands for the compiler: it writes a line to log for each call and something to what -o
// names; it refuses the function on line 9 of generated1.cpp once, and stops for good at the unit
// that the file hang names.
const fakeCXX = `#!/bin/sh
dir=$(dirname "$0")
while [ $# -gt 0 ]; do
	case $1 in
	-o) out=$2; shift ;;
	-c) unit=$2; shift ;;
	esac
	shift
done
echo "${unit:-link}" >> "$dir/log"
if [ "$unit" = generated1.cpp ] && grep -q 'atg_[a-z_]* is not available' generated1.cpp; then :
elif [ "$unit" = generated1.cpp ]; then
	echo "generated1.cpp:9:29: error: no such member" >&2
	exit 1
fi
if [ -n "$unit" ] && [ "$unit" = "$(cat "$dir/hang" 2>/dev/null)" ]; then
	touch "$dir/hanging"
	sleep 60
fi
echo object > "$out"
`

// fake is a configuration with that compiler and gotch from the module cache.
func fake(t *testing.T) Config {
	t.Helper()
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", Path)
	cmd.Env = append(os.Environ(), "GOWORK=off") // not the prepared copy
	out, err := cmd.Output()
	module := strings.TrimSpace(string(out))
	if err != nil || module == "" {
		t.Skip("gotch is not in the module cache (go mod download " + Path + ")")
	}
	dir := t.TempDir()
	cxx := filepath.Join(dir, "c++")
	if err := os.WriteFile(cxx, []byte(fakeCXX), 0o777); err != nil {
		t.Fatal(err)
	}
	return Config{
		Module: module,
		Lib:    &libtorch.Lib{Version: "9.9.9", CXX11ABI: true, Dir: dir, Include: []string{dir}},
		Cache:  filepath.Join(dir, "cache"),
		CXX:    cxx,
		Log:    t.Logf,
	}
}

// calls returns how often the compiler was called for each unit.
func calls(t *testing.T, cfg Config) map[string]int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(filepath.Dir(cfg.CXX), "log"))
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, unit := range strings.Fields(string(data)) {
		n[unit]++
	}
	return n
}

func TestPrepare(t *testing.T) {
	cfg := fake(t)
	dir, err := Prepare(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	stamp, err := ReadStamp(dir)
	if err != nil {
		t.Fatal(err)
	}
	if stamp.Missing != 1 || stamp.Libtorch != "9.9.9" || stamp.ABI != "abi1" {
		t.Errorf("stamp %+v, want one missing function of libtorch 9.9.9, abi1", stamp)
	}
	for _, name := range []string{"go.mod", "LICENSE", "ts/ponder.go", "libtch/c-generated-00.go", "libtch/torch_api.h", "lib/" + libtorch.Library("linux", "tch")} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"ts/tensor_test.go", "libtch/torch_api.cpp", "example"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was copied", name)
		}
	}
	before := calls(t, cfg)
	if before["generated1.cpp"] != 2 || before["core.cpp"] != 1 || before["ponder.cpp"] != 1 || before["link"] != 1 {
		t.Errorf("compiler calls %v", before)
	}

	// The second time nothing is compiled.
	again, err := Prepare(context.Background(), cfg)
	if err != nil || again != dir {
		t.Fatalf("again: %s, %v, want %s", again, err, dir)
	}
	if n := calls(t, cfg); n["link"] != 1 {
		t.Errorf("compiler calls after the second time: %v", n)
	}

	// Without the stamp, as after a kill at the end, the copy is made again from the same objects.
	if err := os.Remove(filepath.Join(dir, stampName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	if n := calls(t, cfg); n["core.cpp"] != 1 || n["generated1.cpp"] != 2 || n["link"] != 2 {
		t.Errorf("compiler calls after the stamp was lost: %v", n)
	}
	if stamp, err = ReadStamp(dir); err != nil || stamp.Missing != 1 {
		t.Errorf("stamp %+v, %v, want the missing function counted again", stamp, err)
	}

	// Another libtorch lies beside it.
	other := cfg
	lib := *cfg.Lib
	lib.CXX11ABI = false
	other.Lib = &lib
	if second, err := Prepare(context.Background(), other); err != nil || second == dir {
		t.Errorf("the old ABI: %s, %v, want another folder than %s", second, err, dir)
	}
	if _, err := ReadStamp(dir); err != nil {
		t.Error(err)
	}
}

// A preparation that is killed leaves nothing that looks complete, and the next one goes on with the
// objects that were compiled.
func TestPrepareAfterKill(t *testing.T) {
	if os.Getenv("PONDER_TEST_PREPARE") != "" {
		cfg := fake(t)
		cfg.CXX = os.Getenv("PONDER_TEST_PREPARE")
		cfg.Cache = filepath.Join(filepath.Dir(cfg.CXX), "cache")
		cfg.Lib.Dir, cfg.Lib.Include = filepath.Dir(cfg.CXX), []string{filepath.Dir(cfg.CXX)}
		Prepare(context.Background(), cfg)
		return
	}
	cfg := fake(t)
	here := filepath.Dir(cfg.CXX)
	if err := os.WriteFile(filepath.Join(here, "hang"), []byte("generated2.cpp"), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestPrepareAfterKill$")
	cmd.Env = append(os.Environ(), "PONDER_TEST_PREPARE="+cfg.CXX)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ours, err := nativeUnits(&libtorch.Lib{})
	if err != nil {
		t.Fatal(err)
	}
	others := len(ours) + 1 + generatedParts - 1 // all but the one that hangs
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		_, err := os.Stat(filepath.Join(here, "hanging"))
		done, _ := filepath.Glob(filepath.Join(cfg.Cache, "objects/*.o"))
		if err == nil && len(done) == others {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("%d objects after a minute, want %d", len(done), others)
			break
		}
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	dir, err := Dir(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Fatalf("%s is there", dir)
	}
	os.Remove(filepath.Join(here, "hang"))
	if _, err := Prepare(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	if n := calls(t, cfg); n["core.cpp"] != 1 || n["generated2.cpp"] != 2 {
		t.Errorf("compiler calls %v: the objects before the kill were not kept", n)
	}
	if left, _ := filepath.Glob(filepath.Join(cfg.Cache, "objects/tmp-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestPrepareAtOnce(t *testing.T) {
	cfg := fake(t)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := Prepare(context.Background(), cfg); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := calls(t, cfg); n["core.cpp"] != 1 || n["link"] != 1 {
		t.Errorf("compiler calls %v, want one each", n)
	}
}

func TestPrepareWithoutCompiler(t *testing.T) {
	cfg := fake(t)
	cfg.CXX = filepath.Join(cfg.Cache, "none")
	_, err := Prepare(context.Background(), cfg)
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("error %v, want that the compiler is not there", err)
	}
	if dir, err := Dir(cfg); err != nil {
		t.Error(err)
	} else if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is there", dir)
	}
}
