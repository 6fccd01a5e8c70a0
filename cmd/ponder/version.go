package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// A buildVersion says what this binary is made of. Fields that the build does not know are empty.
type buildVersion struct {
	Version  string `json:"version"`  // of the module: a tag, or "(devel)" in a checkout
	Revision string `json:"revision"` // of git
	Time     string `json:"time"`     // of the revision, RFC 3339
	Modified bool   `json:"modified"` // there were changes that are not in the revision
	Go       string `json:"go"`
	Platform string `json:"platform"` // "linux/amd64"
	Libtorch string `json:"libtorch"` // the version in use; empty in a build without it
	Engine   string `json:"engine"`   // what --engine auto takes: "torch" or "go"
}

func readVersion() buildVersion {
	v := buildVersion{Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Libtorch: libtorchVersion()}
	v.Engine, _ = defaultEngine.choose()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func (v buildVersion) String() string {
	s := "ponder " + v.Version
	if v.Revision != "" {
		s += " " + v.Revision[:min(12, len(v.Revision))]
		if v.Modified {
			s += "+changes"
		}
	}
	torch := "without libtorch"
	if v.Libtorch != "" {
		torch = "libtorch " + v.Libtorch
	}
	return fmt.Sprintf("%s, %s, %s, %s", s, v.Go, v.Platform, torch)
}

func newVersionCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Say which version this is, and of libtorch",
		Example: "  ponder version\n  ponder version --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := readVersion()
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(v)
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), v)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
