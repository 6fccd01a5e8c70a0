//go:build cgo && !notorch

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/models"
	"github.com/ponder-agents/ponder/viz/live"
)

// openThinker opens the model that is to think about w: c.Model, or the one shipped for its family.
func openThinker(_ context.Context, c live.Choice, w live.World) (live.Thinker, error) {
	spec := w.Spec()
	name := c.Model
	if name == "" {
		name, _, _ = strings.Cut(spec.ID, "/")
		if !slices.Contains(models.Names(), name) {
			return nil, fmt.Errorf("%w is shipped for %s", errNoModel, spec.ID)
		}
	}
	dev, err := openDevice("cpu")
	if err != nil {
		return nil, err
	}
	net, err := openNet(name, dev)
	if err != nil {
		return nil, err
	}
	cfg := learn.PolicyConfig{Halting: net.Recipe.Evaluation}
	if c.Rule != "" {
		if err := cfg.Halting.Rule.UnmarshalText([]byte(c.Rule)); err != nil {
			net.Close()
			return nil, err
		}
		if cfg.Halting.Rule == act.HaltAbove && net.Recipe.Evaluation.Rule != act.HaltAbove {
			cfg.Halting.Threshold = 0 // TRM's
		}
	}
	mind, err := learn.NewMind(net, spec, cfg)
	if err != nil {
		net.Close()
		if c.Model == "" {
			err = fmt.Errorf("%w fits: %w", errNoModel, err)
		}
		return nil, err
	}
	return &thinker{net, mind}, nil
}

// A thinker is a network thinking about a live world.
type thinker struct {
	net  *learn.Net
	mind *learn.Mind
}

func (t *thinker) Describe(h *trace.Header) { t.mind.Describe(h) }

func (t *thinker) Begin(_ context.Context, _ live.World, obs []byte, _ bool) error {
	t.mind.Begin(obs)
	return nil
}

func (t *thinker) Think(ctx context.Context, g *trace.Segment) error { return t.mind.Think(ctx, g) }

func (t *thinker) Action(context.Context) (int, error) { return t.mind.Action() }

// Attend implements live.Attender.
func (t *thinker) Attend(_ context.Context, segment, cell int) ([][]uint8, error) {
	return t.mind.Attend(segment, cell)
}

func (t *thinker) Close() error {
	err := t.mind.Close()
	t.net.Close()
	return err
}
