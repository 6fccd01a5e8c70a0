package window

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/env"
)

func (d *driver) titles() (all []string) {
	for _, i := range d.list.matches() {
		all = append(all, d.list.item(i).title)
	}
	return all
}

func (d *driver) typeIn(s string) {
	for _, r := range s {
		d.tick(Key(string(r)))
	}
}

// TestPickers: the lists have a line and a picture for each world, mark what is shown, say what does not fit, and take an id
// that is typed.
func TestPickers(t *testing.T) {
	d := liveApp(t)
	d.cfg.Agents[1].Fits = func(spec env.Spec) error {
		if strings.HasPrefix(spec.ID, "maze/") {
			return nil
		}
		return errors.New("it walks in mazes")
	}
	d.tick("o")
	for i, it := range d.list.items {
		if it.line == "" || it.world == "" || it.current != (it.title == "maze/9x9-v0") {
			t.Errorf("item %d: %+v", i, it)
		}
	}
	d.until("there are pictures", func() bool { d.Draw(); return d.thumbsDrawn() == len(d.list.items) })
	for _, it := range d.list.items {
		if img := d.thumb(it.world); img == nil || img.Rect.Dx() < thumbSide/2 {
			t.Errorf("no picture of %s", it.world)
		}
	}
	d.typeIn("maze/13x13-v0")
	if got := d.titles(); !slices.Equal(got, []string{"maze/13x13-v0"}) {
		t.Fatalf("items %q", got)
	}
	d.tick("enter")
	d.until("it is open", func() bool { return d.status().Header.EnvID == "maze/13x13-v0" })

	d.tick("m")
	if now := d.list.items[0]; !now.current || now.title != "wave" {
		t.Errorf("who plays is %+v", now)
	}
	d.tick("esc")
	d.tick("o")
	d.typeIn("sudoku")
	d.tick("enter")
	d.until("it is open", func() bool { return d.status().Header.EnvID == "sudoku/9x9-v0" })
	d.tick("m")
	last := d.list.items[len(d.list.items)-1]
	if last.title != "near" || last.why != "not here: it walks in mazes" {
		t.Errorf("the last of the list is %+v", last)
	}
	d.tick("end", "enter")
	if d.list == nil || d.message != "near: not here: it walks in mazes" {
		t.Errorf("message %q", d.message)
	}
}

// TestShows: the gallery has runs that are live and recordings, says which is shown, and leads from one to the other.
func TestShows(t *testing.T) {
	d := liveApp(t)
	here := d.cfg.Choice
	here.Env = "maze/11x11-v0"
	d.cfg.Gallery = []session.Show{{Title: "a maze", Choice: here}, {Title: "recorded", Choice: d.cfg.Choice, Recording: "old.trace"}}
	if d.tick("a"); len(d.list.items) != 1 {
		t.Errorf("recordings without a place to bring them from: %+v", d.list.items)
	}
	d.tick("esc")
	d.cfg.Load = func(name string) { d.Drop(File{Name: name, Data: episodeBytes(t), Recording: name}) }
	shown := func() (all string) {
		d.tick("a")
		for _, it := range d.list.items {
			if it.current {
				all += it.title
			}
		}
		d.tick("esc")
		return all
	}
	pick := func(title string) {
		d.tick("a")
		d.typeIn(title)
		d.tick("enter")
	}
	pick("recorded")
	if d.live() || d.Loaded() != "old.trace" || shown() != "recorded" {
		t.Errorf("live %t, loaded %q, shown %q", d.live(), d.Loaded(), shown())
	}
	pick("a maze")
	d.until("it plays", func() bool { return d.live() && d.status().Header.EnvID == "maze/11x11-v0" && d.view().Step != nil })
	if d.Loaded() != "" || shown() != "a maze" {
		t.Errorf("loaded %q, shown %q", d.Loaded(), shown())
	}
	// A file of a person's is none of the gallery, and a level leads back too.
	d.Drop(File{Name: "mine.trace", Data: episodeBytes(t)})
	if d.live() || shown() != "" {
		t.Errorf("live %t, shown %q", d.live(), shown())
	}
	d.Drop(File{Name: "level.txt", Data: []byte("S.G")})
	d.until("the level is played", d.live)
}

// TestOptionsForm: a value that the world refuses is not taken, and says why.
func TestOptionsForm(t *testing.T) {
	d := liveApp(t)
	d.tick("O")
	d.typeIn("radius")
	d.tick("enter")
	d.typeIn("far")
	if it := d.list.item(d.list.matches()[0]); it.title != "far" || !strings.Contains(it.why, "radius=far") {
		t.Errorf("item %+v", it)
	}
	d.tick("enter")
	if d.list == nil || d.status().Choice.Options != "" {
		t.Errorf("taken: %+v", d.status().Choice)
	}
	for range "far" {
		d.tick("backspace")
	}
	d.typeIn("2")
	d.tick("enter")
	d.until("it is set", func() bool { return d.status().Choice.Options == "radius=2" })
	d.tick("O")
	if it := d.list.items[slices.IndexFunc(d.list.items, func(it item) bool { return strings.HasPrefix(it.title, "radius") })]; it.title != "radius: 2" || !it.current {
		t.Errorf("item %+v", it)
	}
}

// TestOpenFile: files are found by the list, and remembered; a damaged recording is said to be one until that is closed.
func TestOpenFile(t *testing.T) {
	d := liveApp(t)
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("levels", 0o777); err != nil {
		t.Fatal(err)
	}
	whole := episodeBytes(t)
	for name, b := range map[string][]byte{"levels/world.txt": []byte("sudoku"), "cut.trace": whole[:len(whole)-200]} {
		if err := os.WriteFile(name, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	d.tick("g")
	d.typeIn("levels")
	d.tick("enter")
	d.typeIn("world")
	d.tick("enter")
	d.until("it is open", func() bool { return d.status().Header.EnvID == "sudoku/9x9-v0" })
	world := filepath.Join(dir, "levels", "world.txt")
	if got := d.Recent(); !slices.Equal(got, []string{world}) {
		t.Errorf("recent %q", got)
	}
	d.tick("g")
	if it := d.list.items[0]; it.title != "world.txt" || it.line != "recently: "+world {
		t.Errorf("the first item is %+v", it)
	}
	d.typeIn("cut")
	d.tick("enter")
	if d.live() || !strings.HasPrefix(d.message, "cut.trace: ") {
		t.Errorf("message %q", d.message)
	}
	d.in.Now = d.in.Now.Add(time.Hour)
	d.tick()
	d.Draw()
	if d.message == "" {
		t.Error("the damage is not said any more")
	}
	d.tick("g")
	d.typeIn("world")
	d.tick("enter")
	d.until("it plays again", func() bool { return d.live() && d.status().Header.EnvID == "sudoku/9x9-v0" })
}

// TestFailureStays: what a model failed of is not gone after some seconds.
func TestFailureStays(t *testing.T) {
	d := liveApp(t)
	d.tick("m")
	d.typeIn("misfit")
	d.tick("enter")
	const failure = "model misfit: vocabulary 10, the environment has 5"
	d.until("it has failed", func() bool { return d.message == failure })
	d.in.Now = d.in.Now.Add(time.Hour)
	d.tick()
	d.Draw()
	if d.message != failure {
		t.Errorf("message %q", d.message)
	}
	d.tick("esc")
	if d.message != "" {
		t.Errorf("message %q after Esc", d.message)
	}
}
