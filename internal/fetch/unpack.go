package fetch

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ponder-agents/ponder/internal/output"
)

// maxUnpacked bounds what an archive may unpack to, all files together.
const maxUnpacked = 4 << 30

// Unpack unpacks the files of the .tar.gz archive that keep accepts into the folder dir, which must
// not exist yet, or be empty, and is there as a whole or not at all. keep gets a file's name in the archive,
// without its first folder, and returns where it goes below dir, "" to leave it out.
func Unpack(archive, dir string, keep func(name string) string) error {
	folder, err := output.Kind{Name: "unpacked archive"}.Make(dir, output.Refuse)
	if err != nil {
		return err
	}
	defer folder.Abort()
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := unpack(f, folder.Tmp, keep)
	if err == nil && n == 0 {
		err = errors.New("no file of it is wanted")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	return folder.Commit()
}

func unpack(r io.Reader, dir string, keep func(string) string) (files int, err error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return 0, err
	}
	left := int64(maxUnpacked)
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return files, err
		}
		whole := path.Clean(h.Name)
		if !filepath.IsLocal(whole) {
			return files, fmt.Errorf("%q leads out of the folder", h.Name)
		}
		_, name, ok := strings.Cut(whole, "/")
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		to := keep(name)
		if to == "" {
			continue
		}
		if !filepath.IsLocal(to) {
			return files, fmt.Errorf("%q would go to %q, out of the folder", h.Name, to)
		}
		if left -= h.Size; left < 0 {
			return files, fmt.Errorf("more than %d bytes in it", int64(maxUnpacked))
		}
		to = filepath.Join(dir, filepath.FromSlash(to))
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return files, err
		}
		out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return files, err
		}
		_, err = io.Copy(out, t)
		if err = errors.Join(err, out.Close()); err != nil {
			return files, err
		}
		files++
	}
}
