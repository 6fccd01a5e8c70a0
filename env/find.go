package env

import (
	"context"
	"fmt"
	"image"
	"slices"
)

// Find returns the entries that the patterns match, see List; an id or alias is a pattern too. Without
// patterns it returns all. Its error names the pattern that matches nothing.
func Find(patterns ...string) ([]Entry, error) {
	if len(patterns) == 0 {
		return List(""), nil
	}
	var all []Entry
	for _, p := range patterns {
		found := List(p)
		if entry, id, err := Lookup(p); err == nil {
			entry.ID = id
			found = []Entry{entry}
		} else if len(found) == 0 {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// An About is what there is to know of an entry, as `ponder env list --json` prints it.
type About struct {
	ID      string        `json:"id"`
	Family  string        `json:"family"`
	Form    string        `json:"form,omitempty"`
	Aliases []string      `json:"aliases,omitempty"`
	About   string        `json:"about"`
	Options []AboutOption `json:"options"`
	Oracles []string      `json:"oracles,omitempty"`
	Spec    *Spec         `json:"spec,omitempty"` // absent where opening needs an option
}

// An AboutOption is an Option in words.
type AboutOption struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	About   string `json:"about"`
}

// Describe says what there is to know of e.
func (e Entry) Describe() About {
	a := About{ID: e.ID, Family: e.Family, Form: e.Form, Aliases: e.Aliases, About: e.About, Options: []AboutOption{}}
	for _, o := range e.Options {
		a.Options = append(a.Options, AboutOption(o))
	}
	for _, o := range e.Oracles {
		a.Oracles = append(a.Oracles, o.Name)
	}
	if made, err := Make(e.ID); err == nil {
		s := made.Spec()
		a.Spec = &s
	}
	return a
}

// Names are the shortest names of all environments, those of one word first: what people look for.
func Names() []string {
	var names []string
	for _, e := range List("") {
		name := e.ID
		for _, alias := range e.Aliases {
			if len(alias) < len(name) {
				name = alias
			}
		}
		names = append(names, name)
	}
	slices.SortStableFunc(names, func(a, b string) int { return min(len(a), 12) - min(len(b), 12) })
	return names
}

// Picture draws e in tiles of so many pixels.
func Picture(e Env, tile int) (*image.RGBA, error) {
	p, paints := As[Painter](e)
	b, shows := As[Boarder](e)
	if !paints || !shows {
		return nil, fmt.Errorf("%s cannot be drawn", e.Spec().ID)
	}
	board := b.Board()
	img := image.NewRGBA(image.Rect(0, 0, board.Cols*tile, board.Rows*tile))
	p.Paint(img)
	return img, nil
}

// CheckID is Check of the environment of an id.
func CheckID(id string, options ...string) error {
	if _, err := Make(id, options...); err != nil {
		return err
	}
	return Check(func() Env {
		e, err := Make(id, options...)
		if err != nil {
			panic(err) // it was made before
		}
		return e
	})
}

// CheckAll is CheckID of each entry; told hears what came of it: nil, broken promises, or a *MakeError where the options
// don't fit. It returns how many break a promise, or ctx's error.
func CheckAll(ctx context.Context, entries []Entry, options []string, told func(id string, err error) error) (broken int, err error) {
	for _, e := range entries {
		if ctx.Err() != nil {
			return broken, ctx.Err()
		}
		_, err := Make(e.ID, options...)
		if err != nil {
			err = &MakeError{err}
		} else if err = CheckID(e.ID, options...); err != nil {
			broken++
		}
		if err := told(e.ID, err); err != nil {
			return broken, err
		}
	}
	return broken, nil
}

// A MakeError says why an environment cannot be made.
type MakeError struct{ error }

// Unwrap gives the reason.
func (e *MakeError) Unwrap() error { return e.error }
