package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ponder-agents/ponder/internal/setup/gotch"
	"github.com/ponder-agents/ponder/internal/setup/libtorch"
)

func main() {
	ctx := context.Background()
	l, err := libtorch.System(ctx)
	if d := os.Getenv("LIBTORCH"); d != "" {
		l, err = libtorch.At(d, "$LIBTORCH")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(l)
	cache, _ := os.UserCacheDir()
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sugarme/gotch@v0.9.1")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	dir, err := gotch.Prepare(ctx, gotch.Config{Module: strings.TrimSpace(string(out)), Lib: l, Cache: filepath.Join(cache, "ponder"), CXX: "g++",
		Log: func(f string, a ...any) { fmt.Fprintf(os.Stderr, f+"\n", a...) }})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.WriteFile("go.work", []byte("go 1.26.0\n\nuse .\n\nreplace github.com/sugarme/gotch v0.9.1 => "+dir+"\n"), 0o666)
	fmt.Println(dir)
}
