package cli

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

// What a flag names that the command writes.
const (
	File       = "file"
	Folder     = "folder"
	Dataset    = "dataset" // a folder, or a file that ends in .csv
	IntoFolder = "into"    // a folder that is there, in which new files are made
)

// The annotations of flags and commands.
const (
	outputKey = "cli-output"  // what an output is of
	folderKey = "cli-folders" // the folders named are read
)

// Writes says that the command writes what a flag names: before the command runs it is refused where it
// cannot be written, and where the command reads it.
func Writes(f *pflag.FlagSet, flag, what string) { annotate(f, flag, outputKey, what) }

// Written is what Writes said of a flag, "" if nothing.
func Written(f *pflag.Flag) string {
	if what := f.Annotations[outputKey]; len(what) > 0 {
		return what[0]
	}
	return ""
}

// ReadsFolder says that the command reads the folder that a flag names, alone or after a colon, so that no
// output may be in it.
func ReadsFolder(f *pflag.FlagSet, flag string) { annotate(f, flag, folderKey, "") }

// ReadsFolders says that the command reads the folders that its arguments name.
func ReadsFolders(cmd *cobra.Command) { cmd.Annotations = map[string]string{folderKey: ""} }

func annotate(f *pflag.FlagSet, flag, key, value string) {
	if err := f.SetAnnotation(flag, key, []string{value}); err != nil {
		panic(err) // no such flag
	}
}

// checkOutputs refuses outputs that cannot be written, and those that are read, before the work begins.
// Folders that are to be new are left to those who make them.
func checkOutputs(cmd *cobra.Command, args []string) (err error) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		what, path := Written(f), f.Value.String()
		if err != nil || what == "" || path == "" || path == "-" {
			return
		}
		switch {
		case what == IntoFolder:
			var info os.FileInfo
			if info, err = os.Stat(path); err == nil && !info.IsDir() {
				err = fmt.Errorf("%s: not a folder", path)
			}
		case what == File || what == Dataset && strings.HasSuffix(path, ".csv"):
			err = output.CheckFile(path)
		}
		if err == nil && what != IntoFolder {
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
		return Usagef("%s: standard input is read from it; name another file", path)
	}
	reads := args
	var folders []string
	if _, ok := cmd.Annotations[folderKey]; ok {
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
		if f.Annotations[folderKey] != nil {
			_, dir, named := strings.Cut(values[0], ":") // dataset:DIR
			if !named {
				dir = values[0]
			}
			folders = append(folders, dir)
		}
	})
	for _, read := range reads {
		if same(os.Stat(read)) {
			return Usagef("%s: it is read; name another file", path)
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
			return Usagef("%s: it is in %s, which is read; name a place outside", path, read)
		}
	}
	return nil
}
