package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A server serves one file and can break off.
type server struct {
	*httptest.Server
	data     []byte
	tag      string
	breakAt  []int // bytes after which the answers break off, one an answer
	status   []int // answers that come first
	requests []string
}

func serve(t *testing.T, data []byte) *server {
	s := &server{data: data, tag: `"v1"`}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests = append(s.requests, r.Header.Get("Range"))
		if len(s.status) > 0 {
			code := s.status[0]
			s.status = s.status[1:]
			w.WriteHeader(code)
			return
		}
		if s.tag != "" {
			w.Header().Set("ETag", s.tag)
		}
		if len(s.breakAt) > 0 {
			n := s.breakAt[0]
			s.breakAt = s.breakAt[1:]
			w = &cut{w, n}
		}
		http.ServeContent(w, r, "f", time.Time{}, bytes.NewReader(s.data))
	}))
	t.Cleanup(s.Close)
	return s
}

// cut breaks the connection off after n bytes.
type cut struct {
	http.ResponseWriter
	n int
}

func (c *cut) Write(p []byte) (int, error) {
	if len(p) > c.n {
		c.ResponseWriter.Write(p[:c.n])
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	c.n -= len(p)
	return c.ResponseWriter.Write(p)
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

func content(n int, seed byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*i) + byte(i>>8) + seed
	}
	return b
}

func getter(t *testing.T) (*Getter, string) {
	dir := t.TempDir()
	return &Getter{Sums: filepath.Join(dir, "checksums.json"), Wait: time.Millisecond}, filepath.Join(dir, "sub", "file")
}

func TestGetGoesOnWhereItEnded(t *testing.T) {
	data := content(1<<20, 1)
	s := serve(t, data)
	s.breakAt = []int{300_000, 200_000}
	s.status = []int{503}
	g, path := getter(t)
	var last, total int64
	g.Progress = func(_ string, done, all int64) { last, total = done, all }
	if err := g.Get(t.Context(), File{s.URL, path, sum(data)}); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, data) {
		t.Error("the file differs")
	}
	if want := []string{"", "", "bytes=300000-", "bytes=500000-"}; !slices.Equal(s.requests, want) {
		t.Errorf("asked for %q, want %q", s.requests, want)
	}
	if last != 1<<20 || total != 1<<20 {
		t.Errorf("progress ends with %d of %d", last, total)
	}
	entries, _ := os.ReadDir(filepath.Dir(path))
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	n := len(s.requests)
	if err := g.Get(t.Context(), File{s.URL, path, ""}); err != nil || len(s.requests) != n {
		t.Errorf("a file that is there was asked for again (%d requests), %v", len(s.requests)-n, err)
	}
}

// A later run of the program goes on too; if the file changed on the server it begins again.
func TestGetInLaterRuns(t *testing.T) {
	for _, changed := range []bool{false, true} {
		data := content(100_000, 1)
		s := serve(t, data)
		s.breakAt = []int{40_000}
		g, path := getter(t)
		g.Tries = 1
		if err := g.Get(t.Context(), File{s.URL, path, ""}); err == nil {
			t.Fatal("half a file was taken for the whole")
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("half a file has the final name")
		}
		if changed {
			data = content(90_000, 2)
			s.data, s.tag = data, `"v2"`
		}
		if err := g.Get(t.Context(), File{s.URL, path, ""}); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, data) {
			t.Errorf("changed %v: the file differs", changed)
		}
		if got := s.requests[1]; got != "bytes=40000-" {
			t.Errorf("the second run asked for %q", got)
		}
	}
}

func TestGetGivesUpOnSilence(t *testing.T) {
	data := content(1000, 1)
	requests := 0
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		if requests++; requests == 1 {
			w.Header().Set("Content-Length", "1000")
			w.Write(data[:400])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		http.ServeContent(w, r, "f", time.Time{}, bytes.NewReader(data))
	}))
	defer silent.Close()
	g, path := getter(t)
	g.Idle, g.Tries = 50*time.Millisecond, 1
	if err := g.Get(t.Context(), File{silent.URL, path, ""}); err == nil || !strings.HasSuffix(err.Error(), "nothing came for 50ms") {
		t.Errorf("error %v", err)
	}
	if err := g.Get(t.Context(), File{silent.URL, path, sum(data)}); err != nil {
		t.Errorf("the second attempt: %v", err)
	}
}

func TestGetWithoutValidatorBeginsAgain(t *testing.T) {
	data := content(100_000, 1)
	s := serve(t, data)
	s.tag, s.breakAt = "", []int{40_000}
	g, path := getter(t)
	if err := g.Get(t.Context(), File{s.URL, path, ""}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", ""}; !slices.Equal(s.requests, want) {
		t.Errorf("asked for %q, want %q", s.requests, want)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, data) {
		t.Error("the file differs")
	}
}

func TestGetTrustsTheFirstDownload(t *testing.T) {
	s := serve(t, content(1000, 1))
	g, path := getter(t)
	if err := g.Get(t.Context(), File{s.URL, path, ""}); err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	s.data, s.tag = content(1000, 2), `"v2"`
	err := g.Get(t.Context(), File{s.URL, path, ""})
	want := fmt.Sprintf("%s: SHA-256 %s, want %s of the first download (%s)", s.URL, sum(s.data), sum(content(1000, 1)), g.Sums)
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	for _, p := range []string{path, path + ".part"} {
		if _, err := os.Stat(p); err == nil {
			t.Errorf("%s is there", p)
		}
	}
	// Another machine's file with the right name and other bytes is refused too.
	if err := os.WriteFile(path, []byte("other"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := g.Get(t.Context(), File{s.URL, path, ""}); err == nil || !strings.Contains(err.Error(), "remove the file") {
		t.Errorf("error %v", err)
	}
}

func TestGetFails(t *testing.T) {
	s := serve(t, content(1000, 1))
	g, path := getter(t)
	if err := g.Get(t.Context(), File{s.URL, path, sum([]byte("x"))}); err == nil || !strings.Contains(err.Error(), "of the hash given") {
		t.Errorf("another hash: %v", err)
	}
	if err := g.Get(t.Context(), File{s.URL, path, "12"}); err == nil || !strings.Contains(err.Error(), "no SHA-256") {
		t.Errorf("no hash: %v", err)
	}
	s.requests, s.status = nil, []int{404}
	if err := g.Get(t.Context(), File{s.URL, path, ""}); err == nil || !strings.Contains(err.Error(), "404") || len(s.requests) != 1 {
		t.Errorf("404: %v after %d requests, want one", err, len(s.requests))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Get(ctx, File{s.URL, path, ""}); err != context.Canceled {
		t.Errorf("canceled: %v", err)
	}
}

func TestUnpack(t *testing.T) {
	dir := t.TempDir()
	archive := func(files ...string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		for _, name := range files {
			w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(name)), Typeflag: tar.TypeReg})
			w.Write([]byte(name))
		}
		w.WriteHeader(&tar.Header{Name: "repo/link.json", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink})
		w.Close()
		z.Close()
		path := filepath.Join(dir, fmt.Sprint(len(files), ".tar.gz"))
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keep := func(name string) string {
		if !strings.HasSuffix(name, ".json") {
			return ""
		}
		return strings.TrimPrefix(name, "data/")
	}
	to := filepath.Join(dir, "out")
	if err := Unpack(archive("repo/README", "repo/data/a/1.json", "repo/2.json"), to, keep); err != nil {
		t.Fatal(err)
	}
	var got []string
	filepath.WalkDir(to, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(to, path)
			data, _ := os.ReadFile(path)
			got = append(got, filepath.ToSlash(rel)+"="+string(data))
		}
		return nil
	})
	if want := []string{"2.json=repo/2.json", "a/1.json=repo/data/a/1.json"}; !slices.Equal(got, want) {
		t.Errorf("unpacked %v, want %v", got, want)
	}
	if err := Unpack(archive("repo/2.json"), to, keep); err == nil {
		t.Error("an existing folder was overwritten")
	}
	to = filepath.Join(dir, "evil")
	if err := Unpack(archive("repo/data/../../../x.json", "a/../../b/y.json", "", ""), to, keep); err == nil {
		t.Error("a path out of the folder was unpacked")
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("a failed unpacking left a folder")
	}
}
