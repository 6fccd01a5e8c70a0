package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ponder-agents/ponder/internal/output"
)

// What a flag names that the command writes. TestOutputs tries every one.
const (
	aFile      = "file"
	aFolder    = "folder"
	aDataset   = "dataset" // a folder, or a file that ends in .csv
	intoFolder = "into"    // a folder that is there, in which new files are made
)

// outputKey annotates flags that name an output.
const outputKey = "ponder-output"

// writes says that the command writes what a flag names.
func writes(f *pflag.FlagSet, flag, what string) {
	if err := f.SetAnnotation(flag, outputKey, []string{what}); err != nil {
		panic(err) // no such flag
	}
}

// checkOutputs refuses outputs that cannot be written, and those that are read, before the work begins.
// Folders that are to be new are left to those who make them.
func checkOutputs(cmd *cobra.Command, args []string) (err error) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		what, path := f.Annotations[outputKey], f.Value.String()
		if err != nil || len(what) == 0 || path == "" || path == "-" {
			return
		}
		switch {
		case what[0] == intoFolder:
			var info os.FileInfo
			if info, err = os.Stat(path); err == nil && !info.IsDir() {
				err = fmt.Errorf("%s: not a folder", path)
			}
		case what[0] == aFile || what[0] == aDataset && strings.HasSuffix(path, ".csv"):
			err = output.CheckFile(path)
		}
		if err == nil && what[0] != intoFolder {
			err = checkReads(cmd, args, path)
		}
		if err != nil {
			err = fmt.Errorf("--%s %w", f.Name, err)
		}
	})
	return err
}

// checkReads refuses the output path of a flag where the command reads it, or reads the folder it is in.
func checkReads(cmd *cobra.Command, args []string, path string) error {
	place, err := output.Follow(path)
	if err != nil {
		return err
	}
	out, err := os.Stat(place)
	isFile := err == nil && out.Mode().IsRegular()
	same := func(in os.FileInfo, err error) bool {
		return err == nil && isFile && in.Mode().IsRegular() && os.SameFile(in, out)
	}
	if in, err := os.Stdin.Stat(); same(in, err) && (len(args) == 0 || slices.Contains(args, "-")) {
		return usagef("%s: standard input is read from it; name another file", path)
	}
	reads := args
	var folders []string
	if data := cmd.CommandPath(); strings.HasPrefix(data, "ponder data build") || data == "ponder data show" {
		folders = args
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Annotations[outputKey] != nil {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		reads = append(reads[:len(reads):len(reads)], values...)
		if slices.Contains([]string{"from", "data", "tasks"}, f.Name) {
			_, dir, named := strings.Cut(values[0], ":") // dataset:DIR
			if !named {
				dir = values[0]
			}
			folders = append(folders, dir)
		}
	})
	for _, read := range reads {
		if same(os.Stat(read)) {
			return usagef("%s: it is read; name another file", path)
		}
	}
	for _, read := range folders {
		if info, err := os.Stat(read); err != nil || !info.IsDir() {
			continue
		}
		dir, err := output.Follow(read)
		if err != nil {
			return err
		}
		if in, err := filepath.Rel(dir, place); err == nil && filepath.IsLocal(in) {
			return usagef("%s: it is in %s, which is read; name a place outside", path, read)
		}
	}
	return nil
}
