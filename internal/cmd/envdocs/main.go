// Command envdocs writes the page of all environments, with what the oracles solve, and its picture:
// docs/environments.md and docs/environments.png below the folder that it runs in. `make docs` runs it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image/png"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
	"github.com/ponder-agents/ponder/internal/output"
)

func main() {
	levels := flag.Int("levels", 1000, "levels that each oracle plays")
	results := flag.String("results", "", "print the results in this file, of `ponder env solve --json`, instead of playing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := write(ctx, "docs", *levels, *results); err != nil {
		fmt.Fprintln(os.Stderr, "envdocs:", err)
		os.Exit(1)
	}
}

func write(ctx context.Context, dir string, levels int, results string) error {
	rows, err := read(results)
	if results == "" {
		rows, err = exam.Oracles(ctx, env.List(""), "", levels, nil, os.Stderr)
	}
	if err != nil {
		return err
	}
	if err := output.WriteFile(filepath.Join(dir, "environments.md"), func(w io.Writer) error { return writePage(w, rows) }); err != nil {
		return err
	}
	img, err := drawGallery()
	if err != nil {
		return err
	}
	return output.WriteFile(filepath.Join(dir, "environments.png"), func(w io.Writer) error { return png.Encode(w, img) })
}

// read reads what `ponder env solve --json` printed.
func read(path string) (rows []exam.OracleResult, err error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &rows)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, nil
}
