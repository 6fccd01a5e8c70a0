package libtorch

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// plant writes files below dir, and makes every libc10.so a copy of a real library, so that its
// symbols can be read.
func plant(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// c10 is some shared library of this machine; it has no symbol of libtorch.
func c10(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("ELF libraries")
	}
	found, err := filepath.Glob("/lib/*/libc.so.6")
	if err != nil || len(found) == 0 {
		t.Skip("no libc.so.6 to stand for libc10")
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const torchHeader = "torch/csrc/api/include/torch/torch.h"

func TestAt(t *testing.T) {
	c10 := c10(t)
	const macros = "#define TORCH_VERSION_MAJOR 2\n# define TORCH_VERSION_MINOR 1\n#define TORCH_VERSION_PATCH 0\n"
	tests := []struct {
		name  string
		files map[string]string
		want  Lib
		err   string
	}{
		{
			name:  "a wheel",
			files: map[string]string{"lib/libtorch_cpu.so": "", "lib/libc10.so": c10, "include/" + torchHeader: "", "version.py": "from typing import Optional\n__version__ = '2.15.0+cu132'\n"},
			want:  Lib{Version: "2.15.0"},
		},
		{
			name:  "an archive",
			files: map[string]string{"lib/libtorch_cpu.so": "", "lib/libtorch_cuda.so": "", "lib/libc10.so": c10, "include/" + torchHeader: "", "build-version": "2.6.0+cpu\n"},
			want:  Lib{Version: "2.6.0", CUDA: true},
		},
		{
			name:  "a prefix",
			files: map[string]string{"lib/x86_64-linux-gnu/libtorch_cpu.so": "", "lib/x86_64-linux-gnu/libc10.so": c10, "include/" + torchHeader: "", "include/torch/csrc/api/include/torch/version.h": macros},
			want:  Lib{Version: "2.1.0"},
		},
		{name: "nothing", err: "no libtorch"},
		{name: "no headers", files: map[string]string{"lib/libtorch_cpu.so": ""}, err: "without its headers"},
		{name: "no version", files: map[string]string{"lib/libtorch_cpu.so": "", "lib/libc10.so": c10, "include/" + torchHeader: ""}, err: "unknown version"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			plant(t, dir, tt.files)
			l, err := At(dir, "here")
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if l.Version != tt.want.Version || l.CUDA != tt.want.CUDA || l.CXX11ABI || l.Source != "here" {
				t.Errorf("got %+v, want version %s, CUDA %v, the old ABI", l, tt.want.Version, tt.want.CUDA)
			}
		})
	}
}

// The system's and the wheels' libc10, where they are, tell their ABI.
func TestABIOfSystem(t *testing.T) {
	l, err := System(context.Background(), "")
	if err != nil {
		t.Skip(err)
	}
	if runtime.GOOS == "linux" && !l.CXX11ABI {
		t.Errorf("%v: a distribution's libtorch has the new ABI", l)
	}
}

func TestStandard(t *testing.T) {
	for version, want := range map[string]string{"1.13.1": "c++14", "2.0.1": "c++14", "2.6.0": "c++17", "2.15.0": "c++20"} {
		if got := (&Lib{Version: version}).Standard(); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
	if !(&Lib{Version: "2.15.0"}).newer(&Lib{Version: "2.6.0"}) || (&Lib{Version: "2.6.0"}).newer(&Lib{Version: "2.6.0"}) {
		t.Error("versions are not compared by number")
	}
}

func TestCUDAPackages(t *testing.T) {
	got := cudaPackages([]string{"libcudart.so.12", "libcupti.so.13", "libother.so.1"})
	if diff := cmp.Diff([]string{"nvidia-cuda-runtime-cu12", "nvidia-cuda-cupti==13.*"}, got); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
}

// fakeArchive is a zip file as libtorch's, with padding that does not compress.
func fakeArchive(t *testing.T, version string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	noise := make([]byte, 1<<20)
	sum := sha256.Sum256([]byte(version))
	for i := range noise {
		noise[i] = sum[i%32] ^ byte(i*i>>5)
	}
	for _, f := range [][2]string{
		{"libtorch/lib/libtorch_cpu.so", string(noise)},
		{"libtorch/lib/libc10.so", c10(t)},
		{"libtorch/include/" + torchHeader, ""},
		{"libtorch/build-version", version + "+cpu\n"},
	} {
		w, err := z.Create(f[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// A server of one archive that cuts the first cut responses off half-way.
type server struct {
	data   []byte
	cut    int
	ranges []string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.ranges = append(s.ranges, r.Header.Get("Range"))
	if s.cut > 0 {
		s.cut--
		w.Header().Set("Content-Length", fmt.Sprint(len(s.data)))
		w.Write(s.data[:len(s.data)/2])
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, "libtorch.zip", time.Time{}, bytes.NewReader(s.data))
}

func testArchive(t *testing.T, url string) *Archive {
	dir := t.TempDir()
	return &Archive{URL: url, Cache: dir, Sums: filepath.Join(dir, "config/sha256sums"), Log: t.Logf}
}

func TestArchiveResumes(t *testing.T) {
	s := &server{data: fakeArchive(t, "2.6.0"), cut: 1}
	ts := httptest.NewServer(s)
	defer ts.Close()
	a := testArchive(t, ts.URL+"/libtorch.zip")
	if _, err := a.Install(context.Background()); err == nil {
		t.Fatal("half an archive was accepted")
	}
	l, err := a.Install(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if l.Version != "2.6.0" {
		t.Errorf("version %s, want 2.6.0", l.Version)
	}
	if want := fmt.Sprintf("bytes=%d-", len(s.data)/2); len(s.ranges) != 2 || s.ranges[1] != want {
		t.Errorf("ranges asked for: %q, want the second to be %q", s.ranges, want)
	}
	// What is there is found again without the net.
	ts.Close()
	found, err := Installed(a.Cache)
	if err != nil {
		t.Fatal(err)
	}
	if found.Dir != l.Dir {
		t.Errorf("found %s, want %s", found.Dir, l.Dir)
	}
}

func TestArchiveChecksum(t *testing.T) {
	s := &server{data: fakeArchive(t, "2.6.0")}
	ts := httptest.NewServer(s)
	defer ts.Close()
	sum := sha256.Sum256(s.data)

	a := testArchive(t, ts.URL+"/libtorch.zip")
	a.SHA256 = strings.Repeat("0", 64)
	if _, err := a.Install(context.Background()); !errors.Is(err, ErrChecksum) {
		t.Fatalf("a wrong --sha256: %v", err)
	}
	a.SHA256 = hex.EncodeToString(sum[:])
	if _, err := a.Install(context.Background()); err != nil {
		t.Fatalf("the right --sha256: %v", err)
	}

	// Trust on first use: the second download must be the first.
	a = testArchive(t, ts.URL+"/libtorch.zip")
	if _, err := a.Install(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.data = fakeArchive(t, "2.6.1")
	if _, err := a.Install(context.Background()); !errors.Is(err, ErrChecksum) {
		t.Fatalf("another archive under the same address: %v", err)
	}
	s.data = fakeArchive(t, "2.6.0")
	if _, err := a.Install(context.Background()); err != nil {
		t.Fatalf("the first archive again: %v", err)
	}
}

func TestArchiveHostile(t *testing.T) {
	for name, entry := range map[string]string{"out of the folder": "../evil", "absolute": "/evil"} {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			z := zip.NewWriter(&buf)
			if _, err := z.Create(entry); err != nil {
				t.Fatal(err)
			}
			z.Close()
			a := testArchive(t, "")
			a.File = filepath.Join(t.TempDir(), "evil.zip")
			if err := os.WriteFile(a.File, buf.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Install(context.Background()); err == nil {
				t.Error("accepted")
			}
			if left, _ := filepath.Glob(filepath.Join(a.Cache, "libtorch/*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	a := testArchive(t, "")
	a.File = filepath.Join(t.TempDir(), "text.zip")
	os.WriteFile(a.File, []byte("not a zip"), 0o666)
	if _, err := a.Install(context.Background()); err == nil {
		t.Error("a text was unpacked")
	}
}

func TestArchiveNotFound(t *testing.T) {
	ts := httptest.NewServer(http.NotFoundHandler())
	defer ts.Close()
	if _, err := testArchive(t, ts.URL+"/libtorch.zip").Install(context.Background()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("error %v, want the status", err)
	}
}

// TestPackaged: a package's version stands for what its headers say, if it can be theirs.
func TestPackaged(t *testing.T) {
	for _, tt := range [][4]string{
		{"1.13.0", "1.13.1", "1.13.1", "1.13.0"}, // Debian 12
		{"1.13.1", "1.13.1", "1.13.1", ""},
		{"2.15.0", "1.13.1", "2.15.0", ""}, // a wheel beside the package
		{"2.15.0", "", "2.15.0", ""},
	} {
		if version, headers := Packaged(tt[0], tt[1]); version != tt[2] || headers != tt[3] {
			t.Errorf("headers %s, package %q: %s, %q, want %s, %q", tt[0], tt[1], version, headers, tt[2], tt[3])
		}
	}
}
