package arc

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/ponder-agents/ponder/internal/text"
)

// errForeign is of JSON that has nothing to do with tasks.
var errForeign = errors.New("arc: no task in it")

// contents are the tasks of one file.
type contents struct {
	name      string // of the file
	solutions string // file of answers, for tasks by name without theirs
	found     []found
	errs      []error
}

// A found task, with the split that it is said to be of.
type found struct {
	*Task
	split string
}

func (c *contents) bad(err error) {
	if err != nil {
		c.errs = append(c.errs, err)
	}
}

func (c *contents) add(t *Task, split string, err error) {
	c.bad(err)
	if err == nil {
		c.found = append(c.found, found{t, split})
	}
}

// read finds the tasks in JSON of any layout. Of bad ones the file's other tasks are found too.
func (c *contents) read(data []byte) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var list []json.RawMessage
	var keys map[string]json.RawMessage
	switch begin := bytes.TrimSpace(data); {
	case bytes.HasPrefix(begin, []byte("[")):
		if err := json.Unmarshal(data, &list); err != nil {
			return fmt.Errorf("arc: %w", jsonError(data, err))
		}
	case bytes.HasPrefix(begin, []byte("{")):
		if err := json.Unmarshal(data, &keys); err != nil {
			return fmt.Errorf("arc: %w", jsonError(data, err))
		}
	default:
		return errForeign
	}
	switch {
	case isTask(keys) || len(list) > 0 && has(list[0], "input"):
		t, err := Parse(c.name, data)
		c.add(t, "", err)
	case len(list) > 0 && (has(list[0], "train") || has(list[0], "examples")):
		for i, record := range list {
			c.record(record, i)
		}
	case keys["examples"] != nil:
		c.record(data, 0)
	case anyOf(keys, func(tasks map[string]json.RawMessage) bool { return anyOf(tasks, isTask) }):
		for _, split := range slices.Sorted(maps.Keys(keys)) {
			var tasks map[string]json.RawMessage
			if err := json.Unmarshal(keys[split], &tasks); err != nil {
				c.bad(fmt.Errorf("arc: %s: no tasks by name", split))
				continue
			}
			switch split {
			case "train":
				split = "training"
			case "eval":
				split = "evaluation"
			}
			c.byName(tasks, split)
		}
	case anyOf(keys, isTask):
		c.byName(keys, "")
	default:
		return errForeign
	}
	return nil
}

// isTask reports whether an object's keys are a task's.
func isTask(keys map[string]json.RawMessage) bool {
	return keys["train"] != nil && !bytes.HasPrefix(keys["train"], []byte("{")) || keys["test"] != nil && bytes.HasPrefix(keys["test"], []byte("["))
}

// has reports whether data is an object with that key.
func has(data []byte, key string) bool {
	var keys map[string]json.RawMessage
	return json.Unmarshal(data, &keys) == nil && keys[key] != nil
}

// anyOf reports whether yes holds for any value that is an object.
func anyOf(keys map[string]json.RawMessage, yes func(map[string]json.RawMessage) bool) bool {
	for _, value := range keys {
		var inner map[string]json.RawMessage
		if bytes.HasPrefix(value, []byte("{")) && json.Unmarshal(value, &inner) == nil && yes(inner) {
			return true
		}
	}
	return false
}

// byName reads tasks by name, and their answers where they are in a file beside.
func (c *contents) byName(tasks map[string]json.RawMessage, split string) {
	var answers map[string][]rows
	switch sol, err := text.ReadBytes(c.solutions, maxFile); {
	case c.solutions == "" || errors.Is(err, fs.ErrNotExist):
	case err != nil:
		c.bad(err)
		return
	default:
		if err := json.Unmarshal(sol, &answers); err != nil {
			c.bad(fmt.Errorf("%s: %w", c.solutions, jsonError(sol, err)))
			return
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tasks)) {
		var r file
		if err := json.Unmarshal(tasks[name], &r); err != nil {
			c.bad(fmt.Errorf("task %s: %w", name, jsonError(tasks[name], err)))
			continue
		}
		if answers != nil {
			if len(answers[name]) != len(r.Test) {
				c.bad(fmt.Errorf("task %s: %d tests, but %d answers in %s", name, len(r.Test), len(answers[name]), c.solutions))
				continue
			}
			for i := range r.Test {
				r.Test[i].Output = answers[name][i]
			}
		}
		t, err := r.task(name)
		if err != nil {
			err = inFile("task "+name, err)
		}
		c.add(t, split, err)
	}
}

// record reads a task, or examples, the last of which is the test, from an object with a name of its own.
func (c *contents) record(data []byte, i int) {
	name := fmt.Sprintf("%s-%d", c.name, i+1)
	t, err := func() (*Task, error) {
		var r file
		var keys map[string]json.RawMessage
		err := json.Unmarshal(data, &keys)
		if err == nil {
			err = json.Unmarshal(data, &r)
		}
		if err != nil {
			return nil, fmt.Errorf("arc: %w", jsonError(data, err))
		}
		for _, key := range []string{"id", "task_id", "uid", "name"} {
			var own string
			if json.Unmarshal(keys[key], &own) == nil && own != "" {
				name = own
				break
			}
		}
		if raw := keys["examples"]; raw != nil && r.Train == nil && r.Test == nil {
			var examples []example
			if err := json.Unmarshal(raw, &examples); err != nil {
				return nil, fmt.Errorf("arc: examples: %w", jsonError(raw, err))
			}
			for k, e := range examples {
				if k < len(examples)-1 {
					r.Train = append(r.Train, filePair(e))
				} else {
					r.Test = []filePair{filePair(e)}
				}
			}
		}
		return r.task(name)
	}()
	if err != nil {
		err = inFile(fmt.Sprintf("task %d", i+1), err)
	}
	c.add(t, "", err)
}

// An example is a pair, or a list of input and output.
type example filePair

// UnmarshalJSON implements json.Unmarshaler.
func (e *example) UnmarshalJSON(data []byte) error {
	if !bytes.HasPrefix(data, []byte("[")) {
		return json.Unmarshal(data, (*filePair)(e))
	}
	var both []rows
	if err := json.Unmarshal(data, &both); err != nil {
		return err
	}
	if len(both) != 2 {
		return fmt.Errorf("an example of %d grids, want input and output", len(both))
	}
	e.Input, e.Output = both[0], both[1]
	return nil
}

// maxLine bounds a line of a .jsonl file; BARC's longest have some 100 kB.
const maxLine = 16 << 20

// readLines reads an object a line.
func (c *contents) readLines(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for ; lines.Scan(); n++ {
		line := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\xef\xbb\xbf")))
		switch {
		case len(line) == 0:
		case n == 0 && !has(line, "train") && !has(line, "examples"):
			return errForeign
		default:
			c.record(line, n)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d is longer than %d MB", n+1, maxLine>>20)
	}
	if n == 0 && lines.Err() == nil {
		return errForeign
	}
	return lines.Err()
}
