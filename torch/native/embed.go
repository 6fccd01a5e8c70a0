// Package native holds the C++ that ponder adds to libtch, the library that cmd/setup compiles
// against the libtorch it found. It is pure Go: set-up embeds the sources, package torch calls what
// they compile to.
package native

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
)

// Sources is the folder src: every .cpp of it is compiled, every other file may be included.
//
//go:embed src
var Sources embed.FS

// Hash names the sources by their content, 16 hexadecimal digits. In libtch ponder_native_hash
// returns it, so that a program can tell whether its library is the one it was written for.
func Hash() string {
	h := sha256.New()
	err := fs.WalkDir(Sources, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := Sources.ReadFile(path)
		h.Write([]byte(path + "\x00"))
		h.Write(data)
		return err
	})
	if err != nil {
		panic(err) // an embedded file is always there
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
