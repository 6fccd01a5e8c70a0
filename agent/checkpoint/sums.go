package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/ponder-agents/ponder/internal/text"
)

// sums are the checksums of files, in the order in which they were written.
type sums struct{ text strings.Builder }

// tee lets encode write to w and notes the checksum of what it wrote as that of name.
func (s *sums) tee(w io.Writer, name string, encode func(io.Writer) error) error {
	h := sha256.New()
	if err := encode(io.MultiWriter(w, h)); err != nil {
		return err
	}
	fmt.Fprintf(&s.text, "%x  %s\n", h.Sum(nil), name)
	return nil
}

func (s *sums) String() string { return s.text.String() }

// verify compares the files of fsys with its SHA256SUMS. A checkpoint without it, made by hand or by
// another program, is taken as it is.
func verify(fsys fs.FS) error {
	list, err := readFile(fsys, SumsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		want, err := hex.DecodeString(sum)
		if !ok || err != nil || len(want) != sha256.Size || !fs.ValidPath(name) {
			return fmt.Errorf("%w: %s: line %.80q is not a checksum", ErrDamaged, SumsFile, line)
		}
		got, err := sha(fsys, name)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%w: %s is not what was saved (if you changed it on purpose, delete %s)", ErrDamaged, name, SumsFile)
		}
		listed[name] = true
	}
	for _, name := range []string{ConfigFile, ModelFile, OptimizerFile, TrainFile} {
		if _, err := fs.Stat(fsys, name); err == nil && !listed[name] {
			return fmt.Errorf("%w: %s is not in %s", ErrDamaged, name, SumsFile)
		}
	}
	return nil
}

func sha(fsys fs.FS, name string) ([]byte, error) {
	f, err := text.OpenFS(fsys, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return h.Sum(nil), nil
}
