package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/minigrid"
	"github.com/ponder-agents/ponder/internal/output"
)

// A solveRow is how an oracle fares on the levels of an id.
type solveRow struct {
	Env        string  `json:"env"`
	Oracle     string  `json:"oracle"`
	Levels     int     `json:"levels"`
	Solved     int     `json:"solved"`
	Unsolvable int     `json:"unsolvable"` // of those not solved, proved to be so
	MeanSteps  float64 `json:"mean_steps"` // of those solved
	MaxSteps   int     `json:"max_steps"`  // most steps of those solved
	Shortest   int     `json:"shortest"`   // proved to be so, of those solved
	Missed     []int   `json:"missed"`     // first seeds neither solved nor proved unsolvable
}

// solve plays the levels of the seeds 0 to n-1 by an oracle.
func solve(ctx context.Context, entry env.Entry, oracle env.OracleEntry, n int, options []string) (solveRow, error) {
	r := solveRow{Env: entry.ID, Oracle: oracle.Name, Levels: n, Missed: []int{}}
	e, err := env.Make(entry.ID, options...)
	if err != nil {
		return r, withCode(exitUsage, err)
	}
	inner := env.Innermost(e)
	o, err := oracle.Open(inner)
	if err != nil {
		return r, err
	}
	obs := make([]byte, e.Spec().ObsLen)
	steps := 0
	for seed := range n {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		e.Seed(uint64(seed))
		e.Reset(obs)
		hopeless := entry.Unsolvable != nil && entry.Unsolvable(inner)
		shortest, out, k := true, env.Outcome{}, 0
		for !out.Done() {
			a, err := o.Act()
			if err != nil {
				break
			}
			if s, ok := o.(interface{ Shortest() bool }); k == 0 && (!ok || !s.Shortest()) {
				shortest = false
			}
			out = e.Step(a, obs)
			k++
		}
		switch {
		case out.Terminated && out.Reward > 0:
			r.Solved++
			steps += k
			r.MaxSteps = max(r.MaxSteps, k)
			if shortest {
				r.Shortest++
			}
		case hopeless:
			r.Unsolvable++
		case len(r.Missed) < 10:
			r.Missed = append(r.Missed, seed)
		}
	}
	if r.Solved > 0 {
		r.MeanSteps = float64(steps) / float64(r.Solved)
	}
	return r, nil
}

// solveAll does so for every oracle of the entries, on all processors.
func solveAll(ctx context.Context, found []env.Entry, oracle string, n int, options []string, progress io.Writer) ([]solveRow, error) {
	type job struct {
		entry  env.Entry
		oracle env.OracleEntry
	}
	var jobs []job
	for _, e := range found {
		if _, err := env.Make(e.ID, options...); err != nil {
			fmt.Fprintf(progress, "skipped: %v\n", err)
			continue
		}
		for _, o := range e.Oracles {
			if oracle == "" || o.Name == oracle {
				jobs = append(jobs, job{e, o})
			}
		}
	}
	rows := make([]solveRow, len(jobs))
	errs := make([]error, len(jobs))
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				rows[i], errs[i] = solve(ctx, jobs[i].entry, jobs[i].oracle, n, options)
				fmt.Fprintf(progress, "%s by %s: %d of %d\n", rows[i].Env, rows[i].Oracle, rows[i].Solved, rows[i].Levels)
			}
		})
	}
	for i := range jobs {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func newEnvSolveCmd() *cobra.Command {
	var (
		oracle  string
		levels  int
		asJSON  bool
		options []string
	)
	cmd := &cobra.Command{
		Use:     "solve [PATTERN...]",
		Short:   "Let the oracles play levels and count what they solve",
		Example: "  ponder env solve 'MiniGrid-*' --levels 1000\n  ponder env solve maze --oracle bot --json",
		Long: `Plays the levels of the seeds 0, 1, … by every oracle, or the one named. Exit code 3 if a level was
neither solved nor proved unsolvable.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if levels < 1 {
				return usagef("--levels %d: want at least 1", levels)
			}
			found, err := entries(args)
			if err != nil {
				return err
			}
			rows, err := solveAll(cmd.Context(), found, oracle, levels, options, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				err = enc.Encode(rows)
			} else {
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "env\toracle\tlevels\tsolved\tunsolvable\tmean steps\tshortest\tmissed seeds")
				for _, r := range rows {
					fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%.1f\t%d\t%v\n", r.Env, r.Oracle, r.Levels, r.Solved, r.Unsolvable, r.MeanSteps, r.Shortest, r.Missed)
				}
				err = w.Flush()
			}
			for _, r := range rows {
				if err == nil && r.Solved+r.Unsolvable < r.Levels {
					err = withCode(exitUnsolved, fmt.Errorf("%s: %s missed %d of %d levels", r.Env, r.Oracle, r.Levels-r.Solved-r.Unsolvable, r.Levels))
				}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&oracle, "oracle", "", "oracle by name: plan or bot; none means all")
	f.IntVar(&levels, "levels", 100, "levels to play")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.StringArrayVarP(&options, "option", "o", nil, "option of the environments, NAME=VALUE; may be repeated")
	return cmd
}

func newEnvDocsCmd() *cobra.Command {
	var (
		out     string
		levels  int
		results []string
	)
	cmd := &cobra.Command{
		Use:     "docs",
		Short:   "Write the page of all environments, with what the oracles solve",
		Example: "  ponder env docs --levels 1000 --out docs/environments.md",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if levels < 1 {
				return usagef("--levels %d: want at least 1", levels)
			}
			if err := checkDocs(cmd, out); err != nil {
				return err
			}
			var rows []solveRow
			for _, path := range results {
				b, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				var some []solveRow
				if err := json.Unmarshal(b, &some); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				rows = append(rows, some...)
			}
			if len(results) == 0 {
				var err error
				if rows, err = solveAll(cmd.Context(), env.List(""), "", levels, nil, cmd.ErrOrStderr()); err != nil {
					return err
				}
			}
			write := func(w io.Writer) error { return writeDocs(w, rows) }
			if out == "-" {
				return write(cmd.OutOrStdout())
			}
			return output.WriteFile(out, write)
		},
	}
	cmd.Flags().StringVar(&out, "out", "docs/environments.md", "file to write; - is stdout")
	writes(cmd.Flags(), "out", aFile)
	cmd.Flags().IntVar(&levels, "levels", 1000, "levels that each oracle plays")
	cmd.Flags().StringArrayVar(&results, "results", nil, "file of `ponder env solve --json` to print instead; may be repeated")
	return cmd
}

// docsMark is in the page that `ponder env docs` writes.
const docsMark = "<!-- Written by `ponder env docs`; edit cmd/ponder/env_docs.go instead. -->"

// checkDocs refuses to replace, unasked, what another project has where the default of --out leads.
func checkDocs(cmd *cobra.Command, out string) error {
	if _, err := os.Lstat(out); cmd.Flags().Changed("out") || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if page, err := os.ReadFile("docs/environments.md"); err != nil || !strings.Contains(string(page), docsMark) {
		return fmt.Errorf("%s is there and seems not to be of ponder's docs; name a file by --out", out)
	}
	return nil
}

func writeDocs(w io.Writer, rows []solveRow) error {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# Environments")
	p("")
	p(docsMark)
	p("")
	p("![one level of each family](environments.png)")
	p("")
	p("`ponder env list` names them, `show`, `play` and `check` do what they say, `ponder bench env` measures them. A library opens one by")
	p("`env.Make(\"MiniGrid-DoorKey-8x8-v0\", \"view=9\")`, many by `env.MakeVec`; the packages under env/ document observations, actions and options.")
	p("")
	p("## What the oracles solve")
	p("")
	p("Each oracle played the levels of the seeds 0, 1, … of each id. `plan` sees everything; `bot` knows what the agent has seen and the mission.")
	p("Steps are means over the levels solved. Shortest: plans proved to be as short as any. Unsolvable: levels not solved that were proved to have no")
	p("solution, however many steps there were (a relaxed search: the agent may walk over objects and carry all at once).")
	p("Repeat it by `ponder env solve 'MiniGrid-*' --levels 1000`.")
	p("")
	p("| id | levels | limit | plan | steps | shortest | bot | steps | unsolvable | missed seeds |")
	p("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|")
	find := func(id, oracle string) *solveRow {
		for i := range rows {
			if rows[i].Env == id && rows[i].Oracle == oracle {
				return &rows[i]
			}
		}
		return nil
	}
	share := func(r *solveRow) string {
		if r == nil {
			return "-"
		}
		return fmt.Sprintf("%.1f%%", 100*float64(r.Solved)/float64(r.Levels))
	}
	mean := func(r *solveRow) string {
		if r == nil || r.Solved == 0 {
			return "-"
		}
		return fmt.Sprintf("%.1f", r.MeanSteps)
	}
	for _, e := range env.List("") {
		plan, bot := find(e.ID, "plan"), find(e.ID, "bot")
		made, err := env.Make(e.ID)
		if err != nil || plan == nil && bot == nil {
			continue
		}
		shortest, hopeless, missed := "-", 0, []string{}
		if plan != nil && plan.Shortest > 0 {
			shortest = fmt.Sprintf("%.1f%%", 100*float64(plan.Shortest)/float64(max(plan.Solved, 1)))
		}
		for _, r := range []*solveRow{plan, bot} {
			if r != nil {
				hopeless = max(hopeless, r.Unsolvable)
				if len(r.Missed) > 0 {
					missed = append(missed, fmt.Sprintf("%s %s", r.Oracle, strings.Trim(fmt.Sprint(r.Missed), "[]")))
				}
			}
		}
		played := 0
		for _, r := range []*solveRow{plan, bot} {
			if r != nil {
				played = r.Levels
			}
		}
		p("| %s | %d | %d | %s | %s | %s | %s | %s | %d | %s |", e.ID, played, made.Spec().MaxSteps, share(plan), mean(plan), shortest, share(bot), mean(bot), hopeless, strings.Join(missed, "; "))
	}
	p("")
	p("The %d `BabyAI-*` ids have no oracle. Of MiniGrid's own ids only Playground and the six of wave function collapse are missing.", len(env.List("BabyAI-*")))
	p("")
	p("## Options")
	p("")
	p("Every environment has `levels=LO:HI` (episodes are drawn from the levels of those seeds: disjoint ranges split training from test), `limit=N`")
	p("(truncate after N steps), `stack=N` (the last N frames) and, where there is a mask, `mask=true` (appended to the observation).")
	var families []string
	for _, e := range env.List("") {
		if slices.Contains(families, e.Family) || e.ID == "minigrid/level-v0" {
			continue
		}
		families = append(families, e.Family)
		p("")
		p("### %s", e.Family)
		p("")
		if e.Form != "" {
			p("Ids: `%s`.", e.Form)
			p("")
		}
		p("| option | default | |")
		p("|---|---|---|")
		for _, o := range e.Options {
			p("| %s | %s | %s |", o.Name, o.Default, o.About)
		}
	}
	p("")
	p("## MiniGrid levels as text")
	p("")
	p("`ponder env show ID --seed N` prints one, `--level FILE` shows or plays one of an id's size, and `minigrid/level-v0` with `file=PATH` opens one of any size.")
	p("")
	p("%s", strings.TrimRight(minigrid.Legend, "\n"))
	_, err := io.WriteString(w, b.String())
	return err
}

// galleryPanels are those of the picture in the docs.
var galleryPanels = []struct {
	id   string
	seed uint64
}{
	{"MiniGrid-Empty-8x8-v0", 0},
	{"MiniGrid-FourRooms-v0", 1},
	{"MiniGrid-DoorKey-8x8-v0", 2},
	{"MiniGrid-LavaCrossingS11N5-v0", 3},
	{"MiniGrid-SimpleCrossingS11N5-v0", 3},
	{"MiniGrid-LavaGapS7-v0", 1},
	{"MiniGrid-DistShift2-v0", 0},
	{"MiniGrid-Dynamic-Obstacles-8x8-v0", 1},
	{"MiniGrid-MultiRoom-N6-v0", 4},
	{"MiniGrid-MemoryS13Random-v0", 2},
	{"MiniGrid-KeyCorridorS6R3-v0", 1},
	{"MiniGrid-Unlock-v0", 2},
	{"MiniGrid-BlockedUnlockPickup-v0", 3},
	{"MiniGrid-GoToDoor-8x8-v0", 5},
	{"MiniGrid-GoToObject-8x8-N2-v0", 1},
	{"MiniGrid-Fetch-8x8-N3-v0", 1},
	{"MiniGrid-PutNear-8x8-N3-v0", 2},
	{"MiniGrid-RedBlueDoors-8x8-v0", 1},
	{"MiniGrid-LockedRoom-v0", 2},
	{"MiniGrid-ObstructedMaze-Full-v1", 1},
	{"maze", 1},
	{"maze/31x31-v0", 2},
	{"sudoku", 1},
	{"arc", 4},
}

func newEnvGalleryCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "gallery",
		Short:   "Draw one level of each family into one picture",
		Example: "  ponder env gallery --out gallery.png",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkDocs(cmd, out); err != nil {
				return err
			}
			img, err := drawGallery()
			if err != nil {
				return err
			}
			return writePNG(out, img)
		},
	}
	cmd.Flags().StringVar(&out, "out", "docs/environments.png", "PNG file to write")
	writes(cmd.Flags(), "out", aFile)
	return cmd
}

func drawGallery() (*image.RGBA, error) {
	const cols, panel, gap, caption = 6, 220, 16, 22
	ttf, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	face, err := opentype.NewFace(ttf, &opentype.FaceOptions{Size: 12, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, err
	}
	rows := (len(galleryPanels) + cols - 1) / cols
	img := image.NewRGBA(image.Rect(0, 0, gap+cols*(panel+gap), gap+rows*(panel+caption+gap)))
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{250, 250, 250, 255}), image.Point{}, draw.Src)
	for i, g := range galleryPanels {
		e, err := env.Make(g.id)
		if errors.Is(err, env.ErrUnknown) {
			continue // its family is not linked in
		}
		if err != nil {
			return nil, err
		}
		p, ok1 := env.As[env.Painter](e)
		b, ok2 := env.As[env.Boarder](e)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("%s cannot be drawn", g.id)
		}
		e.Seed(g.seed)
		e.Reset(make([]byte, e.Spec().ObsLen))
		board := b.Board()
		tile := max(panel/max(board.Cols, board.Rows), 1)
		pic := image.NewRGBA(image.Rect(0, 0, board.Cols*tile, board.Rows*tile))
		p.Paint(pic)
		x, y := gap+i%cols*(panel+gap), gap+i/cols*(panel+caption+gap)
		at := image.Pt(x+(panel-pic.Rect.Dx())/2, y+(panel-pic.Rect.Dy())/2)
		draw.Draw(img, pic.Rect.Add(at), pic, image.Point{}, draw.Over)
		d := font.Drawer{Dst: img, Src: image.Black, Face: face}
		label := strings.TrimPrefix(e.Spec().ID, "MiniGrid-")
		d.Dot = fixed.P(x+(panel-d.MeasureString(label).Round())/2, y+panel+15)
		d.DrawString(label)
	}
	return img, nil
}
