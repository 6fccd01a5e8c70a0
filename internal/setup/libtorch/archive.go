package libtorch

import (
	"archive/zip"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// DefaultURL is the official archive of libtorch for the CPU, Linux on x86-64.
const DefaultURL = "https://download.pytorch.org/libtorch/cpu/libtorch-cxx11-abi-shared-with-deps-2.6.0%2Bcpu.zip"

// An Archive is a zip file of libtorch, on the net or here.
type Archive struct {
	URL    string // to download; the proxy is that of the environment
	File   string // instead of URL
	SHA256 string // hexadecimal; "" compares with what the first download had

	Cache string // folder of what set-up installs
	Sums  string // file of the hashes seen, one "hash  name" a line
	Log   Log
}

// ErrChecksum is wrapped by the error for an archive that is not the one expected.
var ErrChecksum = errors.New("checksum differs")

// Install downloads the archive, going on where it was cut off, checks it and unpacks it into a
// folder of its own.
func (a *Archive) Install(ctx context.Context) (*Lib, error) {
	file, name := a.File, a.URL
	if file == "" {
		var err error
		if file, err = a.download(ctx); err != nil {
			return nil, err
		}
	} else {
		abs, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		name = abs
	}
	sum, err := a.verify(file, name)
	if err != nil {
		if a.File == "" && errors.Is(err, ErrChecksum) {
			os.Remove(file)
		}
		return nil, err
	}
	dir := filepath.Join(a.Cache, "libtorch", "archive-"+sum[:16])
	source := "archive " + filepath.Base(file) + ", unpacked by set-up"
	if l, err := At(filepath.Join(dir, "libtorch"), source); err == nil {
		return l, nil
	}
	a.Log("unpacking %s in %s", filepath.Base(file), dir)
	if err := unpack(file, dir); err != nil {
		return nil, err
	}
	l, err := At(filepath.Join(dir, "libtorch"), source)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if a.File == "" {
		os.Remove(file) // unpacked: twice the space for nothing
	}
	return l, nil
}

// download fetches URL and returns the file.
func (a *Archive) download(ctx context.Context) (string, error) {
	u, err := url.Parse(a.URL)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(a.Cache, "downloads")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	file := filepath.Join(dir, filepath.Base(u.Path))
	if exists(file) {
		return file, nil
	}
	part := file + ".part"
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return "", err
	}
	defer f.Close()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL, nil)
	if err != nil {
		return "", err
	}
	if have > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
		a.Log("going on with %s at %d MB", a.URL, have>>20)
	} else {
		a.Log("downloading %s", a.URL)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusPartialContent && strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have)):
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && strings.HasSuffix(resp.Header.Get("Content-Range"), fmt.Sprintf("/%d", have)):
		return file, os.Rename(part, file) // cut off after the last byte
	case resp.StatusCode == http.StatusOK, resp.StatusCode == http.StatusPartialContent:
		// The server starts from the beginning, or from elsewhere: so do we.
		if resp.StatusCode == http.StatusPartialContent {
			return "", fmt.Errorf("%s: the server sent %s, asked for byte %d", a.URL, resp.Header.Get("Content-Range"), have)
		}
		if err := f.Truncate(0); err != nil {
			return "", err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return "", err
		}
	default:
		return "", fmt.Errorf("%s: %s", a.URL, resp.Status)
	}
	n, err := io.Copy(f, resp.Body)
	if err == nil && resp.ContentLength >= 0 && n != resp.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err = errors.Join(err, f.Sync()); err != nil {
		return "", fmt.Errorf("%s: %w (run it again to go on)", a.URL, err)
	}
	return file, os.Rename(part, file)
}

// verify returns the hash of the file after comparing it with the one asked for, or else with the
// one that the name had before. The first one seen is kept.
func (a *Archive) verify(file, name string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	sum := hex.EncodeToString(h.Sum(nil))
	want, from := strings.ToLower(a.SHA256), "--sha256"
	if want == "" {
		if want, err = knownSum(a.Sums, name); err != nil {
			return "", err
		}
		from = a.Sums
	}
	switch {
	case want == "":
		a.Log("sha256 %s, kept in %s for the next time", sum, a.Sums)
		return sum, keepSum(a.Sums, name, sum)
	case want != sum:
		return "", fmt.Errorf("%s: %w: sha256 %s, want %s as %s says", name, ErrChecksum, sum, want, from)
	}
	return sum, nil
}

func knownSum(file, name string) (string, error) {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if sum, n, ok := strings.Cut(s.Text(), "  "); ok && n == name {
			return sum, nil
		}
	}
	return "", nil
}

func keepSum(file, name, sum string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s  %s\n", sum, name)
	return errors.Join(err, f.Close())
}

// unpack writes the zip file to dir, complete or not at all.
func unpack(file, dir string) error {
	z, err := zip.OpenReader(file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	defer z.Close()
	tmp := dir + ".part"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for _, f := range z.File {
		if !filepath.IsLocal(f.Name) {
			return fmt.Errorf("%s: %q leads out of the folder", file, f.Name)
		}
		if err := unpackOne(f, filepath.Join(tmp, f.Name)); err != nil {
			return fmt.Errorf("%s: %s: %w", file, f.Name, err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

func unpackOne(f *zip.File, path string) error {
	if f.FileInfo().IsDir() {
		return os.MkdirAll(path, 0o777)
	}
	if !f.Mode().IsRegular() {
		return errors.New("neither a file nor a folder")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
