package runlog

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gofrs/flock"
	"github.com/ponder-agents/ponder/internal/output"
)

// A Field is a named value of a metrics line: a float64, an int64 or a string.
type Field struct {
	Name  string
	Value any
}

// Float is a Field. What JSON cannot hold, NaN and infinities, is written as null.
func Float(name string, v float64) Field { return Field{name, v} }

// Int is a Field.
func Int(name string, v int64) Field { return Field{name, v} }

// String is a Field; TensorBoard does not get it.
func String(name, v string) Field { return Field{name, v} }

// A Log is the record of a run. One goroutine uses it at a time.
type Log struct {
	Dir    string
	Events *Events

	made    string // the folder, if it was not there before
	metrics *os.File
	lock    *flock.Flock
	last    int64 // step of the last line
	line    []byte
}

func metricsPath(dir string) string { return filepath.Join(dir, "metrics.jsonl") }

// CheckDir reports why Create would refuse dir.
func CheckDir(dir string) error {
	_, _, err := place(dir)
	return err
}

// place is where links lead from dir, which must not be there yet or be empty.
func place(dir string) (place string, state output.State, err error) {
	run := output.Kind{Name: "run", Is: func(folder fs.FS) bool {
		_, err := fs.Stat(folder, "metrics.jsonl")
		return err == nil
	}}
	place, state, err = run.Look(dir)
	if err == nil && state == output.Own {
		err = fmt.Errorf("%s: a run is recorded there already; resume it or choose another folder", dir)
	}
	return place, state, err
}

// Create begins the record of a new run in dir, which must not be there yet or be empty.
func Create(dir string) (*Log, error) {
	place, state, err := place(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(place, 0o777); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(metricsPath(dir), os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	var l *Log
	held, err := lock(f.Name())
	if err != nil {
		f.Close()
	} else {
		l, err = open(dir, f, held, math.MinInt64)
	}
	if err != nil {
		os.Remove(f.Name()) // or the folder would seem to have a run
		return nil, err
	}
	if state == output.Absent {
		l.made = place
	}
	return l, nil
}

// Resume continues the record of the run in dir after the checkpoint of step: later lines, and a
// last line that a kill cut short, are removed. TensorBoard is told to forget later points. A run that another process
// records is ErrLocked.
func Resume(dir string, step int64) (*Log, error) { return ResumeBefore(dir, step, "") }

// ResumeBefore is Resume where the line of that kind was still to be written when the checkpoint was.
func ResumeBefore(dir string, step int64, kind string) (*Log, error) {
	if info, err := os.Stat(metricsPath(dir)); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", metricsPath(dir))
	}
	held, err := lock(metricsPath(dir))
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(metricsPath(dir), os.O_RDWR|os.O_APPEND, 0o666)
	if err != nil {
		return nil, errors.Join(err, held.Unlock())
	}
	keep, last, err := linesUpTo(f, step, kind)
	if err == nil {
		err = f.Truncate(keep)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		f.Close()
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), held.Unlock())
	}
	l, err := open(dir, f, held, last)
	if err != nil {
		return nil, err
	}
	return l, l.Events.Restart(step + 1)
}

// linesUpTo returns how many bytes the whole lines have whose step is at most step, up to the one of
// that step and kind, and the step of the last of them.
func linesUpTo(r io.Reader, step int64, kind string) (keep, last int64, err error) {
	last = math.MinInt64
	br := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := br.ReadBytes('\n')
		if err == io.EOF { // also of a line without its end
			return keep, last, nil
		}
		if err != nil {
			return 0, 0, err
		}
		var head struct {
			Step *int64
			Kind string
		}
		if err := json.Unmarshal(line, &head); err != nil || head.Step == nil {
			return 0, 0, fmt.Errorf("line %d is no metrics line: %.60q", n, line)
		}
		if *head.Step > step || *head.Step == step && head.Kind == kind && kind != "" {
			return keep, last, nil
		}
		keep, last = keep+int64(len(line)), *head.Step
	}
}

func open(dir string, metrics *os.File, held *flock.Flock, last int64) (*Log, error) {
	events, err := NewEvents(dir)
	if err != nil {
		return nil, errors.Join(err, metrics.Close(), held.Unlock())
	}
	return &Log{Dir: dir, Events: events, metrics: metrics, lock: held, last: last}, nil
}

// Write appends a line {"step": step, "kind": kind, fields…} to metrics.jsonl, with the fields in
// the order given, and the numbers to TensorBoard as kind/name. It reaches the operating system at
// once, the disk with Sync. Steps must not fall.
func (l *Log) Write(step int64, kind string, fields ...Field) error {
	if step < l.last {
		panic(fmt.Sprintf("runlog: step %d after step %d", step, l.last))
	}
	b := append(l.line[:0], `{"step":`...)
	b = strconv.AppendInt(b, step, 10)
	b = append(append(b, `,"kind":`...), quote(kind)...)
	for _, f := range fields {
		b = append(append(append(b, ','), quote(f.Name)...), ':')
		switch v := f.Value.(type) {
		case float64:
			if math.IsNaN(v) || math.IsInf(v, 0) {
				b = append(b, "null"...)
			} else {
				b = strconv.AppendFloat(b, v, 'g', -1, 64)
			}
			l.Events.Scalar(kind+"/"+f.Name, step, v)
		case int64:
			b = strconv.AppendInt(b, v, 10)
			l.Events.Scalar(kind+"/"+f.Name, step, float64(v))
		case string:
			b = append(b, quote(v)...)
		default:
			panic(fmt.Sprintf("runlog: field %s is a %T, want float64, int64 or string", f.Name, v))
		}
	}
	b = append(b, "}\n"...)
	l.line, l.last = b, step
	if _, err := l.metrics.Write(b); err != nil {
		return err
	}
	return l.Events.Flush()
}

func quote(s string) []byte {
	b, _ := json.Marshal(s) // a string always encodes
	return b
}

// Sync waits until all lines are on the disk. Call it before a checkpoint, which must not be ahead
// of the lines it counts on.
func (l *Log) Sync() error { return errors.Join(l.metrics.Sync(), l.Events.Flush()) }

// Close syncs and closes the files.
func (l *Log) Close() error {
	return errors.Join(l.metrics.Sync(), l.metrics.Close(), l.Events.Close(), l.lock.Unlock())
}

// Discard removes what was recorded, and the folder if it was made for it and has nothing else: the run
// never began.
func (l *Log) Discard() {
	l.Close()
	os.Remove(l.metrics.Name())
	os.Remove(l.Events.f.Name())
	if l.made != "" {
		os.Remove(l.made) // fails if it is not empty
	}
}
