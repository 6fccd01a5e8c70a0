package runlog

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/ponder-agents/ponder/internal/output"
)

// A Meter shows how far a run is: on a terminal one line that is written over, elsewhere a plain
// line every 10 seconds. One goroutine uses it at a time.
type Meter struct {
	Unit string // what is counted; "" means steps

	w     io.Writer
	width func() int // columns of the terminal; nil elsewhere
	now   func() time.Time
	total int64

	start   time.Time // of this session
	from    int64     // the step it began with
	shown   time.Time
	pending string // the last line that was not shown
	open    bool   // a line on the terminal waits for its end
	length  int    // of it
}

// NewMeter returns a Meter that writes to w for a run of total steps (0: unknown) that begins at
// step from. now is time.Now.
func NewMeter(w io.Writer, from, total int64, now func() time.Time) *Meter {
	m := &Meter{w: w, now: now, total: total, from: from, start: now()}
	m.shown = m.start // so that what ends soon says nothing
	if f, ok := w.(interface{ Fd() uintptr }); ok && term.IsTerminal(int(f.Fd())) {
		m.w = output.Raw(w)
		m.width = func() int {
			w, _, err := term.GetSize(int(f.Fd()))
			if err != nil || w <= 0 {
				return 80
			}
			return w
		}
	}
	return m
}

// Update tells that step is done; parts are shown as they are, for example "loss 0.812".
func (m *Meter) Update(step int64, parts ...string) {
	now := m.now()
	every := 10 * time.Second
	if m.width != nil {
		every = 100 * time.Millisecond
	}
	last := m.total > 0 && step >= m.total
	if now.Sub(m.shown) < every && !last {
		m.pending = m.text(step, now, parts)
		return
	}
	m.shown = now
	m.show(m.text(step, now, parts))
}

// Print writes a line of its own that stays, above the meter's.
func (m *Meter) Print(line string) {
	if m.open {
		fmt.Fprintf(m.w, "\r%s\r", strings.Repeat(" ", m.length))
		m.open, m.length = false, 0
	}
	fmt.Fprintln(m.w, line)
}

// Done shows what was not shown yet, unless nothing ever was, and ends the line.
func (m *Meter) Done() {
	if m.pending != "" && m.shown != m.start {
		m.show(m.pending)
	}
	if m.open {
		fmt.Fprintln(m.w)
		m.open, m.length = false, 0
	}
}

// text is the line: step, share, parts, rate and time left.
func (m *Meter) text(step int64, now time.Time, parts []string) string {
	unit := m.Unit
	if unit == "" {
		unit = "steps"
	}
	list := []string{fmt.Sprintf("%d %s", step, unit)}
	if m.total > 0 {
		list[0] = fmt.Sprintf("%d/%d %s %d%%", step, m.total, unit, 100*step/m.total)
	}
	list = append(list, parts...)
	if spent, done := now.Sub(m.start), step-m.from; done > 0 && spent > 0 {
		list = append(list, rate(float64(done)/spent.Seconds())+" "+unit+"/s")
		if left := m.total - step; left > 0 {
			eta := time.Duration(float64(spent) / float64(done) * float64(left))
			list = append(list, Span(eta)+" left")
		} else {
			list = append(list, "in "+Span(spent))
		}
	}
	return strings.Join(list, "  ")
}

func (m *Meter) show(line string) {
	m.pending = ""
	if m.width == nil {
		fmt.Fprintln(m.w, line)
		return
	}
	if max := m.width() - 1; len(line) > max && max > 0 {
		line = line[:max]
	}
	fmt.Fprintf(m.w, "\r%s%s", line, strings.Repeat(" ", max(0, m.length-len(line))))
	m.open, m.length = true, len(line)
}

// rate writes three digits without an exponent.
func rate(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return fmt.Sprintf("%.3g", v)
}

// Span writes a time of day's length as people say it: 42s, 3m07s, 2h05m, 3d04h.
func Span(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
}
