package host

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/models"
)

// A modelInfo is a shipped model as `ponder models --json` prints it.
type modelInfo struct {
	Name       string              `json:"name"`
	Env        string              `json:"env"`
	Parameters int64               `json:"parameters"`
	Summary    string              `json:"summary"`
	Command    string              `json:"command"`
	Results    []checkpoint.Result `json:"results"`
}

func newModelsCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "models [NAME]",
		Short: "List the shipped models, or show the card of one",
		Long: `List the models that this binary carries. Where a command takes --model, their names may be used
instead of a checkpoint folder. With a name, print that model's card: data, recipe, results.`,
		Example: "  ponder models\n  ponder models maze\n  ponder models --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			if len(args) == 1 {
				if asJSON {
					return cli.Usagef("--json lists the models; it does not go with a name")
				}
				fsys, err := models.Open(args[0])
				if err != nil {
					return cli.WithCode(cli.ExitUsage, err)
				}
				card, err := fs.ReadFile(fsys, checkpoint.CardFile)
				if err != nil {
					return err
				}
				_, err = out.Write(card)
				return err
			}
			list := []modelInfo{}
			for _, name := range models.Names() {
				c, err := models.Card(name)
				if err != nil {
					return err
				}
				list = append(list, modelInfo{name, c.Env, c.Parameters, c.Summary, c.Command, c.Results})
			}
			if asJSON {
				return json.NewEncoder(out).Encode(list)
			}
			if len(list) == 0 {
				_, err := fmt.Fprintln(cmd.ErrOrStderr(), "this build carries no models; `ponder train` makes one")
				return err
			}
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tENV\tPARAMETERS\tSUMMARY")
			for _, m := range list {
				fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", m.Name, m.Env, m.Parameters, m.Summary)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}
