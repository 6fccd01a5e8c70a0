package libtorch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// DefaultPip is the version of PyPI's torch that is installed where none is asked for.
const DefaultPip = "2.15.0"

// wheels are the requirements of the versions we know, with their hashes. libtorch is the same in
// the wheels of all Python versions, so that one is enough; of the CUDA packages those that
// libtorch_cpu names.
var wheels = map[string][]string{
	"2.15.0 linux/amd64": {
		"torch==2.15.0 --hash=sha256:48c2d861134c0b5697c7602cb5ffa68f62a2989fdcd1717e593356f67996ca1e",
		"nvidia-cuda-runtime==13.2.86 --hash=sha256:3498247680dfddce31bad102af7e3e26fc795342a3cac64722bb0fa95e7f60f0",
		"nvidia-cuda-cupti==13.2.86 --hash=sha256:8fa29f15dd8336181f961764d9d95236fc6b931dd0c8fcf8cd70aab0c310b586",
	},
	"2.6.0 linux/amd64": {
		"torch==2.6.0 --hash=sha256:7979834102cd5b7a43cc64e87f2f3b14bd0e1458f06e9f88ffa386d07c7446e1",
		"nvidia-cuda-runtime-cu12==12.4.127 --hash=sha256:64403288fa2136ee8e467cdc9c9427e0434110899d07c779f25b5c068934faa5",
		"nvidia-cuda-cupti-cu12==12.4.127 --hash=sha256:9dec60f5ac126f7bb551c055072b69d85392b13311fcc1bcda2202d172df30fb",
	},
}

// wheelPython is the Python whose wheels are taken, and platforms the tags that they have.
const wheelPython = "3.11"

func platforms() []string {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	var args []string
	for _, tag := range []string{"manylinux1", "manylinux2014", "manylinux_2_17", "manylinux_2_25", "manylinux_2_27", "manylinux_2_28"} {
		args = append(args, "--platform", tag+"_"+arch)
	}
	return append(args, "--python-version", wheelPython, "--implementation", "cp")
}

// Pip installs PyPI's torch of a version into a folder of its own below cache, or finds it there.
func Pip(ctx context.Context, version, cache string, dryRun bool, log Log) (*Lib, error) {
	var major, minor int
	if n, _ := fmt.Sscanf(version, "%d.%d", &major, &minor); n < 2 || major < 1 || major == 1 && minor < 13 {
		return nil, fmt.Errorf("torch %s: want a version from 1.13 on, as 2.6.0", version)
	}
	dir := filepath.Join(cache, "libtorch", "pip-"+version)
	source := "torch " + version + " of PyPI, installed by set-up"
	if l, err := At(filepath.Join(dir, "torch"), source); err == nil {
		return l, nil
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		return nil, errors.New("torch of PyPI: no python3 to run pip with")
	}
	if err := exec.CommandContext(ctx, python, "-m", "pip", "--version").Run(); err != nil {
		return nil, fmt.Errorf("torch of PyPI: %s has no pip (Debian: apt-get install python3-pip)", python)
	}
	requirements, known := wheels[version+" "+runtime.GOOS+"/"+runtime.GOARCH]
	if !known {
		requirements = []string{"torch==" + version}
	}
	if dryRun {
		log("would install torch %s of PyPI and what its libtorch_cpu needs (0.8 GB and more) in %s", version, dir)
		return nil, nil
	}
	tmp := dir + ".part"
	if err := os.RemoveAll(tmp); err != nil { // of an installation that was killed
		return nil, err
	}
	if err := os.MkdirAll(tmp, 0o777); err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	log("installing torch %s of PyPI and what its libtorch_cpu needs (0.8 GB and more) in %s", version, dir)
	if !known {
		log("its hash is not among those that set-up knows: the index is trusted")
	}
	if err := pipInstall(ctx, python, tmp, requirements, known); err != nil {
		return nil, err
	}
	// A version that is not in the table names CUDA libraries in packages that are guessed from them.
	var lacks *LacksError
	if _, err := At(filepath.Join(tmp, "torch"), source); errors.As(err, &lacks) && !known {
		if err := pipInstall(ctx, python, tmp, cudaPackages(lacks.Libraries), false); err != nil {
			return nil, err
		}
	}
	if _, err := At(filepath.Join(tmp, "torch"), source); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return nil, err
	}
	return At(filepath.Join(dir, "torch"), source)
}

// cudaPackages names the packages on PyPI that have the libraries, such as libcudart.so.13.
func cudaPackages(libraries []string) []string {
	names := map[string]string{"cudart": "nvidia-cuda-runtime", "cupti": "nvidia-cuda-cupti"}
	var list []string
	for _, l := range libraries {
		stem, major, _ := strings.Cut(strings.TrimPrefix(l, "lib"), ".so.")
		name, ok := names[stem]
		if !ok {
			continue
		}
		if major < "13" {
			list = append(list, name+"-cu"+major)
		} else {
			list = append(list, name+"=="+major+".*")
		}
	}
	return list
}

func pipInstall(ctx context.Context, python, dir string, requirements []string, hashes bool) error {
	file := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(file, []byte(strings.Join(requirements, "\n")+"\n"), 0o666); err != nil {
		return err
	}
	args := []string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-deps", "--only-binary=:all:", "--target", dir, "-r", file}
	if runtime.GOOS == "linux" {
		args = append(args, platforms()...)
	}
	if hashes {
		args = append(args, "--require-hashes")
	}
	cmd := exec.CommandContext(ctx, python, args...)
	cmd.Env = append(os.Environ(), "PIP_ROOT_USER_ACTION=ignore")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	for line := range strings.Lines(string(out)) {
		if m, ok := strings.CutPrefix(line, "ERROR: "); ok {
			return fmt.Errorf("pip: %s", strings.TrimSpace(m))
		}
	}
	return fmt.Errorf("pip: %w: %s", err, strings.TrimSpace(string(out)))
}
