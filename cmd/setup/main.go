// Command setup makes ponder's networks build on this machine: it finds libtorch or installs it,
// prepares gotch for it (a C++ library, compiled once), and makes the Go command use that by go.work.
// It is pure Go, asks nothing, and says what it installs before it does.
//
//	go run ./cmd/setup                                      # in a clone
//	go run github.com/ponder-agents/ponder/cmd/setup        # in a module of your own
//	go run ./cmd/setup --check                              # what is missing, and what mends it
//
// Without --libtorch or $LIBTORCH it takes the torch of the Python on the path or of the active
// virtual environment, else the system's libtorch, else one that it installed before. Where there is
// none it installs one: Debian's package by apt, else the official archive, else PyPI's torch in a
// folder of its own.
//
// Exit codes: 0 ok, 1 failure, 2 usage, 4 no libtorch, no compiler, or --check found something broken.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/ponder-agents/ponder/internal/output"
	"github.com/ponder-agents/ponder/internal/setup/doctor"
	"github.com/ponder-agents/ponder/internal/setup/gotch"
	"github.com/ponder-agents/ponder/internal/setup/libtorch"
	"github.com/ponder-agents/ponder/internal/setup/workspace"
)

// The exit codes, as those of ponder.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitEnvironment = 4
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends at once
	stdout := output.NewStdout(os.Stdout)
	code := run(ctx, os.Args[1:], stdout, os.Stderr)
	if err := stdout.Close(); err != nil && code == exitOK {
		fmt.Fprintln(os.Stderr, "setup:", err)
		code = exitFailure
	}
	os.Exit(code)
}

// options are the flags.
type options struct {
	prefix   string // of the system's packages; not a flag
	libtorch string
	pip      string
	archive  string
	url      string
	sha256   string
	cache    string
	work     string
	packages string
	dryRun   bool
	check    bool
	json     bool
}

// flags are the standard library's: a module that uses ponder may have no go.sum entry for what only
// this command needs, and then could not run it.
func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet("setup", flag.ContinueOnError)
	f.StringVar(&o.libtorch, "libtorch", os.Getenv("LIBTORCH"), "`folder` of a libtorch: an unpacked archive, Python's torch, or a prefix (default $LIBTORCH)")
	f.StringVar(&o.pip, "pip", "", "install this `version` of PyPI's torch privately and use it")
	f.StringVar(&o.archive, "libtorch-archive", "", "unpack this zip `file` of libtorch and use it")
	f.StringVar(&o.url, "url", "", "download this zip file of libtorch and use it")
	f.StringVar(&o.sha256, "sha256", "", "what the archive must have (default: what it had the first time)")
	f.StringVar(&o.cache, "cache", "", "`folder` of what set-up makes (default ponder in the user's cache)")
	f.StringVar(&o.work, "go-work", "", "write this go.work `file`, for $GOWORK to name, and leave the module's alone")
	f.StringVar(&o.packages, "packages", "", "only install these Debian packages, a comma between, if they are missing")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be done")
	f.BoolVar(&o.check, "check", false, "look at this machine; exit code 4 if networks cannot run")
	f.BoolVar(&o.json, "json", false, "print the result as JSON on stdout")
	return f
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	f := o.flags()
	f.SetOutput(io.Discard)
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(stderr, "Set up libtorch and gotch for ponder.\n\nUsage: go run github.com/ponder-agents/ponder/cmd/setup [flags]\n\n")
		f.SetOutput(stderr)
		f.PrintDefaults()
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "setup: %v (--help lists the flags)\n", err)
		return exitUsage
	case f.NArg() > 0:
		fmt.Fprintf(stderr, "setup: unexpected argument %q\n", f.Arg(0))
		return exitUsage
	}
	err := o.run(ctx, stdout, stderr)
	var code codeError
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "setup: interrupted; run it again to go on")
		return exitInterrupted
	case errors.As(err, &code):
		fmt.Fprintln(stderr, "setup:", err)
		return int(code.code)
	}
	fmt.Fprintln(stderr, "setup:", err)
	return exitFailure
}

// A codeError asks for an exit code.
type codeError struct {
	code int
	error
}

func (e codeError) Unwrap() error { return e.error }

// A report is what --json prints.
type report struct {
	Libtorch *libtorch.Lib `json:"libtorch"`
	Gotch    string        `json:"gotch"`   // the prepared folder
	File     string        `json:"go_work"` // the file that names it
}

func (o *options) run(ctx context.Context, stdout, stderr io.Writer) error {
	log := func(format string, args ...any) { fmt.Fprintf(stderr, "setup: "+format+"\n", args...) }
	if o.packages != "" {
		return o.installPackages(ctx, log)
	}
	if o.cache == "" {
		var err error
		if o.cache, err = libtorch.DefaultCache(); err != nil {
			return err
		}
	}
	search, err := o.search(log)
	if err != nil {
		return err
	}
	if o.check {
		return o.doctor(ctx, search, stdout)
	}
	cxx := compiler()
	if cxx == "" {
		return codeError{exitEnvironment, errors.New("no C++ compiler (Debian: sudo apt-get install g++; macOS: xcode-select --install)")}
	}
	lib, err := search.Find(ctx)
	if err != nil {
		return codeError{exitEnvironment, err}
	}
	if lib == nil { // a dry run that would install one
		log("would prepare gotch %s for it and name it in go.work", gotch.Version)
		return nil
	}
	log("%v", lib)
	if len(lib.CUDALacks) > 0 {
		log("its CUDA part is left out: it needs %s", strings.Join(lib.CUDALacks, ", "))
	}
	if err := o.fastBLAS(ctx, lib, log); err != nil {
		log("float32 products will be slow: %v", err)
	}
	module, err := workspace.ModuleDir(ctx, gotch.Path, gotch.Version)
	if err != nil {
		return err
	}
	cfg := gotch.Config{Module: module, Lib: lib, Cache: o.cache, CXX: cxx, Log: log}
	if o.dryRun {
		dir, err := gotch.Dir(cfg)
		if err == nil {
			log("would prepare gotch in %s and name it in go.work", dir)
		}
		return err
	}
	dir, err := gotch.Prepare(ctx, cfg)
	if err != nil {
		return err
	}
	result, err := workspace.Replace(ctx, gotch.Path, gotch.Version, dir, o.work)
	if err != nil {
		return err
	}
	log("gotch is prepared in %s", dir)
	log("%s: %s", result.File, result.Did)
	if flag, rest, err := workspace.Refused(ctx); err == nil && flag != "" {
		log("GOFLAGS has %s, with which go refuses a go.work: %s", flag, doctor.MendFlags(rest))
	}
	if o.json {
		return json.NewEncoder(stdout).Encode(report{lib, dir, result.File})
	}
	return nil
}

// search turns the flags into where to look.
func (o *options) search(log libtorch.Log) (*libtorch.Search, error) {
	s := &libtorch.Search{Dir: o.libtorch, Pip: o.pip, Prefix: o.prefix, Cache: o.cache, DryRun: o.dryRun, Log: log}
	if s.Pip != "" || o.archive != "" || o.url != "" {
		s.Dir = "" // a flag wins over $LIBTORCH
	}
	config, err := os.UserConfigDir()
	if err != nil {
		config = o.cache
	}
	s.Archive = libtorch.Archive{
		URL: o.url, File: o.archive, SHA256: o.sha256,
		Cache: o.cache, Sums: filepath.Join(config, "ponder", "sha256sums"), Log: log,
	}
	return s, nil
}

// fastBLAS installs OpenBLAS for Debian's libtorch, which otherwise gets the slow reference.
func (o *options) fastBLAS(ctx context.Context, lib *libtorch.Lib, log libtorch.Log) error {
	if runtime.GOOS != "linux" || !lib.System || lib.FastBLAS() {
		return nil
	}
	return libtorch.Apt(ctx, libtorch.Packages[1:], o.dryRun, log)
}

// installPackages is what the Makefile asks for before tests that need a window.
func (o *options) installPackages(ctx context.Context, log libtorch.Log) error {
	if err := libtorch.Apt(ctx, strings.Split(o.packages, ","), o.dryRun, log); err != nil {
		return codeError{exitEnvironment, err}
	}
	return nil
}

// compiler returns $CXX or the first C++ compiler on the path, "" if there is none.
func compiler() string {
	for _, name := range append(strings.Fields(os.Getenv("CXX")), "g++", "clang++", "c++") {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// doctor prints what is found and what is missing.
func (o *options) doctor(ctx context.Context, search *libtorch.Search, stdout io.Writer) error {
	var lib *libtorch.Lib
	if search.Dir != "" {
		var err error
		if lib, err = libtorch.At(search.Dir, "as asked for"); err != nil {
			return codeError{exitEnvironment, err}
		}
	} else {
		lib = search.Present(ctx)
	}
	module, err := workspace.ModuleDir(ctx, gotch.Path, gotch.Version)
	if err != nil {
		module = ""
	}
	list := doctor.Check(ctx, doctor.Config{Lib: lib, Cache: o.cache, CXX: compiler(), Module: module})
	broken := doctor.Broken(list)
	if o.json {
		err = json.NewEncoder(stdout).Encode(map[string]any{"ok": !broken, "findings": list})
	} else {
		err = printFindings(stdout, list)
	}
	if err == nil && broken {
		err = codeError{exitEnvironment, errors.New("networks cannot run on this machine yet")}
	}
	return err
}

func printFindings(w io.Writer, list []doctor.Finding) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\n", strings.ToUpper(string(f.Level)), f.Name, f.Text)
		if f.Fix != "" {
			fmt.Fprintf(t, "\t\tmend: %s\n", f.Fix)
		}
	}
	return t.Flush()
}
