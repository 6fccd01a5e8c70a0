//go:build !js

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// chromes are the names under which Chromium is installed.
var chromes = []string{"chromium", "chromium-browser", "google-chrome", "chrome"}

// A chrome is a headless Chromium, steered by its DevTools protocol: messages in JSON, each ended by a zero byte, through
// two pipes (--remote-debugging-pipe).
type chrome struct {
	to      io.Writer
	session string // of its one page

	mu      sync.Mutex
	last    int
	waiting map[int]chan<- message
	ended   error
	event   func(method string, params json.RawMessage)
}

type message struct {
	ID      int                       `json:"id,omitempty"`
	Session string                    `json:"sessionId,omitempty"`
	Method  string                    `json:"method,omitempty"`
	Params  json.RawMessage           `json:"params,omitempty"`
	Result  json.RawMessage           `json:"result,omitempty"`
	Error   *struct{ Message string } `json:"error,omitempty"`
}

// startChrome starts Chromium with an empty page, and ends it with the test; the test is skipped where there is none.
// event is told what the page reports.
func startChrome(t *testing.T, event func(method string, params json.RawMessage)) *chrome {
	t.Helper()
	path := ""
	for _, name := range chromes {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skipf("no browser: none of %q is installed", chromes)
	}
	fromMe, toChrome, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromChrome, toMe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "ponder-chrome")
	if err != nil {
		t.Fatal(err)
	}
	// A user without namespaces of processes, as root is, has no sandbox; the page is our own.
	cmd := exec.Command(path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio",
		"--hide-scrollbars", "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe", "--user-data-dir="+dir, "about:blank")
	cmd.ExtraFiles = []*os.File{fromMe, toMe} // 3 and 4
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fromMe.Close()
	toMe.Close()
	c := &chrome{to: toChrome, waiting: map[int]chan<- message{}, event: event}
	var reading sync.WaitGroup
	reading.Go(func() { c.listen(fromChrome) })
	t.Cleanup(func() {
		c.ask("", "Browser.close", nil, nil) // ends the pipes, and so listen
		gone := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		gone.Stop()
		toChrome.Close()
		reading.Wait()
		fromChrome.Close()
		os.RemoveAll(dir)
		if t.Failed() && c.session == "" {
			t.Logf("Chromium said %s", complaints.String())
		}
	})
	var targets struct {
		TargetInfos []struct{ TargetID, Type string }
	}
	c.must(t, "", "Target.getTargets", nil, &targets)
	for _, info := range targets.TargetInfos {
		if info.Type == "page" {
			var attached struct{ SessionID string }
			c.must(t, "", "Target.attachToTarget", map[string]any{"targetId": info.TargetID, "flatten": true}, &attached)
			c.session = attached.SessionID
		}
	}
	if c.session == "" {
		t.Fatal("Chromium has no page")
	}
	return c
}

func (c *chrome) listen(from io.Reader) {
	r := bufio.NewReader(from)
	for {
		b, err := r.ReadBytes(0)
		var m message
		if err == nil {
			err = json.Unmarshal(b[:len(b)-1], &m)
		}
		c.mu.Lock()
		switch {
		case err != nil:
			c.ended = fmt.Errorf("Chromium ended: %w", err)
			for id, w := range c.waiting {
				delete(c.waiting, id)
				close(w)
			}
			c.mu.Unlock()
			return
		case m.Method != "":
			c.event(m.Method, m.Params)
		case c.waiting[m.ID] != nil:
			c.waiting[m.ID] <- m
			delete(c.waiting, m.ID)
		}
		c.mu.Unlock()
	}
}

// ask calls a method of the protocol and waits for its result.
func (c *chrome) ask(session, method string, params map[string]any, result any) error {
	if params == nil {
		params = map[string]any{}
	}
	p, err := json.Marshal(params)
	if err != nil {
		return err
	}
	reply := make(chan message, 1)
	c.mu.Lock()
	c.last++
	b, _ := json.Marshal(message{ID: c.last, Session: session, Method: method, Params: p})
	err = c.ended
	if err == nil {
		c.waiting[c.last] = reply
		_, err = c.to.Write(append(b, 0))
	}
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case m, ok := <-reply:
		switch {
		case !ok:
			return fmt.Errorf("%s: %w", method, c.ended)
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		case result == nil:
			return nil
		}
		return json.Unmarshal(m.Result, result)
	case <-time.After(time.Minute):
		return fmt.Errorf("%s: %w", method, errors.New("no answer in a minute"))
	}
}

func (c *chrome) must(t *testing.T, session, method string, params map[string]any, result any) {
	t.Helper()
	if err := c.ask(session, method, params, result); err != nil {
		t.Fatal(err)
	}
}
