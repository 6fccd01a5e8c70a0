package puzzle

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuildChooses(t *testing.T) {
	rows := func(yield func(Row, error) bool) {
		for i := range 1000 {
			if !yield(Row{Rating: i % 10, At: fmt.Sprint(i)}, nil) {
				return
			}
		}
	}
	count := make([]int, 1000)
	for seed := range uint64(200) {
		n, last := 0, -1
		for row, err := range (RowSplit{Name: "train", Rows: rows, MinRating: 5, Limit: 50}).choose(seed) {
			if err != nil {
				t.Fatal(err)
			}
			var i int
			fmt.Sscan(row.At, &i)
			if i <= last || row.Rating < 5 {
				t.Fatalf("seed %d: row %d, rated %d, after row %d", seed, i, row.Rating, last)
			}
			n, last = n+1, i
			count[i]++
		}
		if n != 50 {
			t.Fatalf("seed %d: %d rows, want 50", seed, n)
		}
	}
	for i, n := range count { // binomial, 200 draws of 1/10: mean 20, sd 4.2
		if i%10 >= 5 && (n < 1 || n > 46) {
			t.Errorf("row %d was chosen %d times of 200, want about 20", i, n)
		}
	}
	for _, err := range (RowSplit{Name: "train", Rows: rows, Limit: 1001}).choose(0) {
		if err == nil {
			t.Error("1001 of 1000 rows were chosen")
		}
		break
	}
}

// A disk that fills up ends the build with one error and leaves nothing.
func TestBuildOnAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	w, err := Create(filepath.Join(t.TempDir(), "d"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	s, err := w.Split("train", Meta{VocabSize: 12, SeqLen: 900}, false)
	if err != nil {
		t.Fatal(err)
	}
	s.inputs.w.Reset(full)
	row := make([]int32, 900)
	n := 0
	for ; s.Err() == nil && n < 1000; n++ {
		s.Example(row, row)
	}
	if n == 1000 {
		t.Error("a full disk was not noticed")
	}
	err = w.Commit(nil)
	if err == nil || strings.Count(err.Error(), "no space left") != 1 {
		t.Errorf("error %v, want no space left, once", err)
	}
}
