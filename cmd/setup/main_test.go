package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/internal/setup/libtorch"
)

// setup runs the command with a cache and configuration of its own.
func setup(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	isolate(t)
	var out, messages bytes.Buffer
	code = run(context.Background(), args, &out, &messages)
	return code, out.String(), messages.String()
}

func isolate(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("LIBTORCH", "")
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
}

// bare runs the command as on a machine without libtorch.
func bare(t *testing.T, o options) (stdout, stderr string, err error) {
	t.Helper()
	isolate(t)
	o.prefix = t.TempDir()
	var out, messages bytes.Buffer
	err = o.run(context.Background(), &out, &messages)
	return out.String(), messages.String(), err
}

// only makes the programs named the only ones on the path; each is a shell script.
func only(t *testing.T, programs map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go", "sh", "env", "git"} {
		if path, err := exec.LookPath(name); err == nil {
			os.Symlink(path, filepath.Join(dir, name))
		}
	}
	for name, script := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv("CXX", "")
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		text string
	}{
		{[]string{"--help"}, exitOK, "-libtorch-archive"},
		{[]string{"--no-such-flag"}, exitUsage, "not defined: -no-such-flag"},
		{[]string{"extra"}, exitUsage, `unexpected argument "extra"`},
		{[]string{"--libtorch", "/nowhere", "--dry-run"}, exitEnvironment, "no libtorch there"},
		{[]string{"--libtorch", "/nowhere", "--check"}, exitEnvironment, "no libtorch there"},
	} {
		code, _, stderr := setup(t, tt.args...)
		if code != tt.code || !strings.Contains(stderr, tt.text) {
			t.Errorf("%q: exit code %d, want %d, with %q in\n%s", tt.args, code, tt.code, tt.text, stderr)
		}
	}
}

func TestNoCompiler(t *testing.T) {
	only(t, nil)
	code, _, stderr := setup(t)
	if code != exitEnvironment || !strings.Contains(stderr, "no C++ compiler") {
		t.Errorf("exit code %d, want %d for want of a compiler:\n%s", code, exitEnvironment, stderr)
	}
}

// The dry run on a machine without libtorch says what would be installed, by whom, and installs
// nothing.
func TestDryRunOfInstallation(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("apt")
	}
	only(t, map[string]string{"g++": "", "apt-get": "echo $@ >> $(dirname $0)/ran", "dpkg-query": "exit 1", "apt-cache": "echo Version: 1.13.1"})
	_, stderr, err := bare(t, options{dryRun: true})
	if err != nil || !strings.Contains(stderr, "would run: apt-get install -y --no-install-recommends libtorch-dev libopenblas0-pthread") {
		t.Errorf("error %v:\n%s", err, stderr)
	}

	// Too old a package is passed over for the archive.
	only(t, map[string]string{"g++": "", "apt-get": "", "dpkg-query": "exit 1", "apt-cache": "echo Version: 1.8.1"})
	if _, stderr, err = bare(t, options{dryRun: true}); err != nil || !strings.Contains(stderr, "older than 1.13; trying the official archive instead") || runtime.GOARCH == "amd64" && !strings.Contains(stderr, "would download "+libtorch.DefaultURL) {
		t.Errorf("error %v:\n%s", err, stderr)
	}
}

// Packages are installed without a question, or the command to run is named.
func TestPackages(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("apt")
	}
	installed := map[string]string{"apt-get": "exit 9", "dpkg-query": "printf installed"}
	only(t, installed)
	if code, _, stderr := setup(t, "--packages", "xvfb,xauth"); code != exitOK {
		t.Errorf("all are installed: exit code %d\n%s", code, stderr)
	}

	only(t, map[string]string{"apt-get": "exit 9", "dpkg-query": "exit 1"})
	if code, _, stderr := setup(t, "--packages", "xvfb,xauth", "--dry-run"); code != exitOK || !strings.Contains(stderr, "would run: apt-get install -y --no-install-recommends xvfb xauth") {
		t.Errorf("dry run: exit code %d\n%s", code, stderr)
	}

	only(t, map[string]string{"apt-get": "echo 'E: Unable to locate package xvfb' >&2; exit 100", "dpkg-query": "exit 1", "apt-cache": "echo Version: 1", "sudo": "exit 1"})
	code, _, stderr := setup(t, "--packages", "xvfb")
	want := "Unable to locate package xvfb"
	if os.Geteuid() != 0 {
		want = "run: sudo apt-get install"
	}
	if code != exitEnvironment || !strings.Contains(stderr, want) {
		t.Errorf("apt-get fails: exit code %d, want %d with %q in\n%s", code, exitEnvironment, want, stderr)
	}
}

// The report names what is missing and the command for it, also for scripts.
func TestCheckWithoutAnything(t *testing.T) {
	only(t, nil)
	stdout, _, err := bare(t, options{check: true, json: true})
	var report struct {
		OK       bool `json:"ok"`
		Findings []struct{ Name, Level, Text, Fix string }
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	var code codeError
	if !errors.As(err, &code) || code.code != exitEnvironment || report.OK {
		t.Errorf("error %v, ok %v, want exit code %d", err, report.OK, exitEnvironment)
	}
	for _, f := range report.Findings {
		if f.Name == "libtorch" && (f.Level != "fail" || f.Fix == "") {
			t.Errorf("libtorch: %+v, want a failure and what mends it", f)
		}
	}
}
