package runlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// ErrLocked is that of a run that another process writes.
var ErrLocked = errors.New("another process trains this run; end it first")

// patience is how long a process that was killed may take to be gone.
const patience = 2 * time.Second

// lock keeps other processes from writing the record in a file, until Unlock or the end of this one. Where the file system
// or the machine knows no locks it does nothing.
func lock(path string) (*flock.Flock, error) {
	l := flock.New(path, flock.SetFlag(os.O_RDONLY))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := l.TryLockContext(ctx, patience/50); errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("%s: %w", path, ErrLocked)
	}
	return l, nil
}
