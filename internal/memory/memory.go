// Package memory tells how much memory may be taken, so that what a file claims can be refused in a line
// where the system would end the process.
package memory

import "fmt"

// Check reports an error if bytes bytes, for what, are more than the system can give. bytes is a float so
// that products of what a file claims do not overflow.
func Check(what string, bytes float64) error {
	free, known := Available()
	if !known {
		free = assumed
	}
	if bytes <= float64(free) {
		return nil
	}
	return fmt.Errorf("%s needs %s of memory, %s is free", what, size(bytes), size(float64(free)))
}

// assumed is what is taken to be available where the system does not tell.
const assumed = 8 << 30

// size is a number of bytes for people.
func size(bytes float64) string {
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if bytes < 1000 {
			return fmt.Sprintf("%.3g %s", bytes, unit)
		}
		bytes /= 1000
	}
	return fmt.Sprintf("%.3g TB", bytes)
}
