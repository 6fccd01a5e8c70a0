package text_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ponder-agents/ponder/internal/text"
)

func TestDecode(t *testing.T) {
	for _, tt := range []struct{ name, in, want, err string }{
		{"plain", "a\nb\n", "a\nb\n", ""},
		{"byte order mark", "\xef\xbb\xbfa", "a", ""},
		{"CRLF and CR", "a\r\nb\rc\n", "a\nb\nc\n", ""},
		{"UTF-16, little end first", "\xff\xfeS\x00\r\x00\n\x00\x02\x25", "S\n│", ""},
		{"UTF-16, big end first", "\xfe\xff\x00S\x00G", "SG", ""},
		{"empty", "", "", ""},
		{"zero byte", "ab\x00c", "", "byte 3 is zero"},
		{"no UTF-8", "é\xffc", "", "byte 3, 0xff, is no UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := text.Decode([]byte(tt.in))
			switch {
			case tt.err == "" && (err != nil || got != tt.want):
				t.Errorf("%q, %v, want %q", got, err, tt.want)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("%q, error %v, want %q", got, err, tt.err)
			}
		})
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.txt")
	if err := os.WriteFile(path, []byte(strings.Repeat("a", 3000)), 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err := text.ReadFile(path, 3000); err != nil || len(s) != 3000 {
		t.Errorf("%d bytes, %v", len(s), err)
	}
	if _, err := text.ReadFile(path, 2999); err == nil || !strings.HasPrefix(err.Error(), path+": more than 2 kB") {
		t.Errorf("a file that is too large: %v", err)
	}
	if b, err := text.ReadBytes(path, 3000); err != nil || len(b) != 3000 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if _, err := text.ReadBytes(path, 2999); err == nil || !strings.HasPrefix(err.Error(), path+": more than 2 kB") {
		t.Errorf("bytes of a file that is too large: %v", err)
	}
	if _, err := text.ReadBytes(path+"x", 2999); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("bytes of a file that is not there: %v", err)
	}
	if _, err := text.ReadFile(filepath.Dir(path), 10); err == nil || strings.Count(err.Error(), filepath.Dir(path)) != 1 {
		t.Errorf("a folder: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\xff\xfea\x00"))
	f.Add([]byte("\xef\xbb\xbfa\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := text.Decode(b)
		if err == nil && (!utf8.ValidString(s) || strings.ContainsAny(s, "\r\x00")) {
			t.Errorf("%q", s)
		}
	})
}
