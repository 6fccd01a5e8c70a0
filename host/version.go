package host

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/cli"
)

// A buildVersion says what this binary is made of.
type buildVersion struct {
	cli.Build
	Libtorch string `json:"libtorch"`                   // the version in use; empty in a build without it
	Headers  string `json:"libtorch_headers,omitempty"` // what its headers say, where that is something else
	Engine   string `json:"engine"`                     // what --engine auto takes: "torch" or "go"
}

func readVersion() buildVersion {
	v := buildVersion{Build: cli.ReadBuild()}
	v.Libtorch, v.Headers = libtorchVersion()
	v.Engine, _ = open.Run{}.Choose()
	return v
}

func (v buildVersion) String() string {
	torch := "without libtorch"
	if v.Libtorch != "" {
		torch = "libtorch " + v.Libtorch
	}
	if v.Headers != "" {
		torch += " (its headers say " + v.Headers + ")"
	}
	return "ponder " + v.Build.String() + ", " + torch
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
