// Package fetch downloads files so that an interruption costs nothing and a changed file is noticed.
package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/internal/output"
)

// A File is a download.
type File struct {
	URL    string
	Path   string // where it goes; PATH.part until it is whole
	SHA256 string // in hex; "" trusts what was downloaded first, see Sums
}

// A Getter downloads files. Its zero value but for Sums is ready.
type Getter struct {
	Client *http.Client // nil: http.DefaultClient
	// Sums is a JSON file of SHA-256 by URL. A file without a given hash is compared with what its
	// first download stored there, and stored at the first.
	Sums     string
	Tries    int                                  // attempts after network errors and 5xx answers; 0: 5
	Wait     time.Duration                        // before the second attempt, doubled for each later one; 0: 1 s
	Idle     time.Duration                        // an attempt ends when nothing comes for so long; 0: 1 min
	Progress func(file string, done, total int64) // bytes; total is -1 if unknown; may be nil
}

// Get downloads f unless it is there already, and compares its hash in either case. It goes on where
// an earlier attempt ended, if the server says that the file is still the same (If-Range).
func (g *Getter) Get(ctx context.Context, f File) error {
	sums, err := g.readSums()
	if err != nil {
		return err
	}
	want, origin := strings.ToLower(f.SHA256), "the hash given"
	if want == "" {
		want, origin = sums[f.URL], "the first download ("+g.Sums+")"
	} else if raw, err := hex.DecodeString(want); err != nil || len(raw) != sha256.Size {
		return fmt.Errorf("%s: %q is no SHA-256: want 64 hexadecimal digits", f.URL, f.SHA256)
	}
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o777); err != nil {
		return err
	}
	got, err := hashFile(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		part := f.Path + ".part"
		if err := g.download(ctx, f, part); err != nil {
			return err
		}
		if got, err = hashFile(part); err != nil {
			return err
		}
		if want != "" && got != want {
			os.Remove(part)
			return fmt.Errorf("%s: SHA-256 %s, want %s of %s", f.URL, got, want, origin)
		}
		if err := os.Rename(part, f.Path); err != nil {
			return err
		}
		os.Remove(part + ".etag")
	} else if err != nil {
		return err
	}
	if want != "" && got != want {
		return fmt.Errorf("%s: SHA-256 %s, want %s of %s; remove the file to download it again", f.Path, got, want, origin)
	}
	if sums[f.URL] == "" {
		sums[f.URL] = got
		return g.writeSums(sums)
	}
	return nil
}

// download completes the file part.
func (g *Getter) download(ctx context.Context, f File, part string) error {
	tries, wait := g.Tries, g.Wait
	if tries == 0 {
		tries = 5
	}
	if wait == 0 {
		wait = time.Second
	}
	for try := 1; ; try++ {
		again, err := g.attempt(ctx, f, part)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !again || try == tries {
			return fmt.Errorf("%s: %w", f.URL, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
		wait *= 2
	}
}

// attempt asks for what part lacks and appends it. again tells whether another attempt may help.
func (g *Getter) attempt(ctx context.Context, f File, part string) (again bool, err error) {
	idle := g.Idle
	if idle == 0 {
		idle = time.Minute
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(idle, func() { cancel(fmt.Errorf("nothing came for %v", idle)) })
	defer watch.Stop()
	defer func() {
		if cause := context.Cause(ctx); err != nil && cause != nil {
			err = cause
		}
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		return false, err
	}
	var have int64
	tag, err := os.ReadFile(part + ".etag")
	if info, serr := os.Stat(part); err == nil && serr == nil && len(tag) > 0 {
		if have = info.Size(); have > 0 {
			req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
			req.Header.Set("If-Range", string(tag))
		}
	}
	client := g.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	switch {
	case resp.StatusCode == http.StatusPartialContent && have > 0:
		start := strings.TrimPrefix(resp.Header.Get("Content-Range"), "bytes ")
		if !strings.HasPrefix(start, strconv.FormatInt(have, 10)+"-") {
			os.Remove(part)
			return true, fmt.Errorf("asked for bytes from %d on, the answer has %q", have, start)
		}
	case resp.StatusCode == http.StatusOK: // from the beginning: nothing there yet, or the file changed
		have = 0
		flags |= os.O_TRUNC
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		os.Remove(part) // longer than the file: begin again
		return true, errors.New(resp.Status)
	default:
		return resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests, errors.New(resp.Status)
	}
	out, err := os.OpenFile(part, flags, 0o666)
	if err != nil {
		return false, err
	}
	// A validator that stands for the very bytes: without one nothing is continued.
	tag = []byte(resp.Header.Get("ETag"))
	if len(tag) == 0 || strings.HasPrefix(string(tag), "W/") {
		tag = []byte(resp.Header.Get("Last-Modified"))
	}
	if err := os.WriteFile(part+".etag", tag, 0o666); err != nil {
		out.Close()
		return false, err
	}
	total := resp.ContentLength
	if total >= 0 {
		total += have
	}
	w := &counter{w: out, done: have, tell: func(done int64) {
		watch.Reset(idle)
		if g.Progress != nil {
			g.Progress(f.URL, done, total)
		}
	}}
	_, err = io.Copy(w, resp.Body)
	if w.err != nil { // the disk, not the network
		out.Close()
		return false, w.err
	}
	if err == nil && total >= 0 && w.done != total {
		err = fmt.Errorf("%d bytes of %d", w.done, total)
	}
	if err == nil {
		err = out.Sync()
	}
	return true, errors.Join(err, out.Close())
}

type counter struct {
	w    io.Writer
	done int64
	tell func(int64)
	err  error
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.done += int64(n)
	c.err = err
	c.tell(c.done)
	return n, err
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (g *Getter) readSums() (map[string]string, error) {
	sums := map[string]string{}
	data, err := os.ReadFile(g.Sums)
	if errors.Is(err, fs.ErrNotExist) {
		return sums, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &sums)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.Sums, err)
	}
	return sums, nil
}

func (g *Getter) writeSums(sums map[string]string) error {
	data, err := json.MarshalIndent(sums, "", "  ")
	if err != nil {
		return err
	}
	return output.WriteFile(g.Sums, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}
