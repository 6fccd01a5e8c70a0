package host

import (
	"fmt"
	"time"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/spf13/cobra"
)

func newEvalCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Measure what a model achieves on puzzles that it has not seen",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newEvalSudokuCmd(), newEvalMazeCmd(), newEvalARCCmd(), newEvalDataCmd(), newEvalAgentCmd())
	for _, f := range task.Families() {
		own := len(f.Tasks) > 0 && len(f.Data) > 0
		if c, _, err := cmd.Find([]string{f.Name}); own && (err != nil || c == cmd) {
			cmd.AddCommand(newEvalFamilyCmd(f))
		}
	}
	return cmd
}

// watch shows on stderr how many answers of total (0: nobody knows) a model has given, where they take long. end ends the
// line.
func watch(cmd *cobra.Command, cfg *exam.Config, unit string, total int) (end func()) {
	m := runlog.NewMeter(cmd.ErrOrStderr(), 0, int64(total), time.Now)
	m.Unit = unit
	begin, n := time.Now(), 0
	cfg.Progress = func() {
		if n++; time.Since(begin) > quiet {
			m.Update(int64(n))
		}
	}
	return m.Done
}

// quiet is how long nothing need be said.
const quiet = 2 * time.Second

// passes are how often the questions of an exam are asked: once, and again for each comparison that is made.
func passes(comparisons ...bool) int {
	n := 1
	for _, made := range comparisons {
		if made {
			n++
		}
	}
	return n
}

// searchAlone refuses what a search does not go with.
func searchAlone(search, compare bool, q *ask.Flags) error {
	if search && (compare || q.Sure > 0 || q.Thoughts > 1 || q.Votes > 1 || q.Restarts > 0) {
		return cli.Usagef("--search goes without --compare, --sure, --thoughts, --votes and --restarts")
	}
	return nil
}

// atLeast fails if a score is below what was asked for.
func atLeast(score, least float64, what string) error {
	if score < least {
		return cli.WithCode(cli.ExitUnsolved, fmt.Errorf("%.4f %s, asked for %.4f", score, what, least))
	}
	return nil
}
