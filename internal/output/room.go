package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CheckRoom reports an error if about so many bytes do not fit on the disk that path is or will be on. bytes
// is a float so that products of what flags ask for do not overflow.
func CheckRoom(path string, bytes float64) error {
	place, err := Follow(path)
	if err != nil {
		return nil // whoever makes it says why
	}
	for {
		if _, err := os.Stat(place); !errors.Is(err, fs.ErrNotExist) || place == filepath.Dir(place) {
			break
		}
		place = filepath.Dir(place)
	}
	if free, known := room(place); known && bytes > free {
		return fmt.Errorf("%s: about %.3g MB are to be written, the disk has %.3g MB free", path, bytes/1e6, free/1e6)
	}
	return nil
}
