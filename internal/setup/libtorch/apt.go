package libtorch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Packages are Debian's libtorch and the BLAS without which its float32 products are ten times
// slower.
var Packages = []string{"libtorch-dev", "libopenblas0-pthread"}

// ErrNoApt is returned where packages cannot be installed: another system, or no rights.
var ErrNoApt = errors.New("cannot install system packages")

// A Log prints what is about to be done, one line a call.
type Log func(format string, args ...any)

// MissingPackages returns those of the Debian packages that are not installed.
func MissingPackages(ctx context.Context, packages []string) []string {
	var missing []string
	for _, p := range packages {
		out, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${db:Status-Status}", p).Output()
		if err != nil || string(out) != "installed" {
			missing = append(missing, p)
		}
	}
	return missing
}

// Apt installs the Debian packages that are missing. It never asks: it needs root or a sudo that
// wants no password.
func Apt(ctx context.Context, packages []string, dryRun bool, log Log) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%w: no apt-get", ErrNoApt)
	}
	missing := MissingPackages(ctx, packages)
	if len(missing) == 0 {
		return nil
	}
	command := append([]string{"apt-get", "install", "-y", "--no-install-recommends"}, missing...)
	if dryRun {
		log("would run: %s", strings.Join(command, " "))
		return nil
	}
	var sudo []string
	if os.Geteuid() != 0 {
		if exec.CommandContext(ctx, "sudo", "-n", "true").Run() != nil {
			return fmt.Errorf("%w: not root and no sudo without a password; run: sudo %s", ErrNoApt, strings.Join(command, " "))
		}
		sudo = []string{"sudo", "-n"}
	}
	if !candidates(ctx, missing) {
		log("running: apt-get update")
		if err := runApt(ctx, sudo, "apt-get", "update"); err != nil {
			return err
		}
	}
	log("running: %s", strings.Join(command, " "))
	return runApt(ctx, sudo, command...)
}

// candidates reports whether apt knows a version of every package.
func candidates(ctx context.Context, packages []string) bool {
	for _, p := range packages {
		out, err := exec.CommandContext(ctx, "apt-cache", "show", "--no-all-versions", p).Output()
		if err != nil || len(out) == 0 {
			return false
		}
	}
	return true
}

// aptVersion returns the version of the package that apt would install, "" if it knows none.
func aptVersion(ctx context.Context, name string) string {
	out, err := exec.CommandContext(ctx, "apt-cache", "show", "--no-all-versions", name).Output()
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(out)) {
		if v, ok := strings.CutPrefix(line, "Version: "); ok {
			return versionNumber.FindString(v)
		}
	}
	return ""
}

func runApt(ctx context.Context, sudo []string, command ...string) error {
	command = append(append(sudo[:len(sudo):len(sudo)], "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"), command...)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(lines[i], "E: ") {
			return fmt.Errorf("apt-get: %s", lines[i][3:])
		}
	}
	return fmt.Errorf("apt-get: %w: %s", err, lines[len(lines)-1])
}
