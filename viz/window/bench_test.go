//go:build linux

package window

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ponder-agents/ponder/agent/session"
)

// BenchmarkUpdateDraw is our part of a frame (all but what Ebitengine and the graphics card do) of a
// 31x31 maze in a window of 1280x800 points, while the session plays at normal speed and two other
// goroutines keep two cores busy as a model does. It reports, in milliseconds, the mean, the 99th
// percentile and the largest of the processor time of our thread, which a busy machine does not
// distort, and the mean by the clock; the frame that draws a new segment is about every tenth.
func BenchmarkUpdateDraw(b *testing.B) {
	for _, scale := range []float64{1, 2} {
		for _, busy := range []int{0, 2} {
			b.Run(map[float64]string{1: "1280x800", 2: "2560x1600"}[scale]+map[int]string{0: "/idle", 2: "/thinking"}[busy], func(b *testing.B) {
				benchmark(b, scale, busy)
			})
		}
	}
}

func benchmark(b *testing.B, scale float64, busy int) {
	a, err := New(Config{Open: open, Choice: session.Choice{Env: "maze/31x31-v0", Agent: "hrm", Model: "near"}, Painters: testPainters, Play: true})
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	a.Budget = 2 * time.Millisecond // as Run sets
	ctx, cancel := context.WithCancel(b.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	for range busy {
		work.Go(func() {
			x := 1.0
			for ctx.Err() == nil {
				for range 100_000 {
					x = x*1.0000001 + 1e-9
				}
			}
			_ = x
		})
	}
	in := Input{Width: 1280, Height: 800, Scale: scale, X: 2, Y: 60}
	for a.sides[0].view.Step == nil {
		in.Now = time.Now()
		a.Update(in)
		time.Sleep(time.Millisecond)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var took []time.Duration
	var wall time.Duration
	next := time.Now()
	for b.Loop() {
		next = next.Add(time.Second / 60)
		time.Sleep(time.Until(next))
		in.Now = time.Now()
		start := threadTime(b)
		a.Update(in)
		a.Draw()
		took = append(took, threadTime(b)-start)
		wall += time.Since(in.Now)
	}
	slices.Sort(took)
	var sum time.Duration
	for _, d := range took {
		sum += d
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(ms(sum)/float64(len(took)), "mean-ms")
	b.ReportMetric(ms(took[len(took)*99/100]), "p99-ms")
	b.ReportMetric(ms(took[len(took)-1]), "max-ms")
	b.ReportMetric(ms(wall)/float64(len(took)), "clock-ms")
	b.ReportMetric(float64(a.pictures["board"].version), "boards") // drawn anew
	b.ReportMetric(0, "ns/op")
}

// threadTime is the processor time that this thread has used.
func threadTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
