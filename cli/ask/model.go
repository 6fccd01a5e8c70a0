package ask

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/internal/text"
	"github.com/ponder-agents/ponder/models"
)

// A Model is a network by name, what computes it and where.
type Model struct {
	Name string
	open.Run
}

// AddEngine adds the flags of what computes.
func AddEngine(f *pflag.FlagSet, r *open.Run) {
	f.StringVar(&r.Engine, "engine", open.Auto, "what computes: torch (libtorch), go (no libtorch), or auto: torch where this build has it")
	f.StringVar(&r.Device, "device", "cpu", "cpu, cuda or cuda:N; the engine go has the cpu alone")
}

// AddPrecision adds the flag of the number format in which a model thinks.
func AddPrecision(f *pflag.FlagSet, r *open.Run) {
	f.StringVar(&r.Precision, "precision", "", "number format that products take: float32, bf16, on the CPU int8, on a GPU tf32, or auto: the fastest here, as measured once; default the one that the model was trained in; the engine go has float32 alone")
	r.Note = func(text string) { fmt.Fprintln(os.Stderr, "ponder:", text) }
}

// AddDevice adds the flags of what trains, which is libtorch alone.
func AddDevice(f *pflag.FlagSet, r *open.Run) {
	r.Engine = open.Torch
	f.StringVar(&r.Device, "device", "cpu", "cpu, cuda or cuda:N")
	f.IntVar(&r.Threads, "threads", 0, "threads of one operation; 0 leaves it to libtorch")
}

// Add adds the flags; model is their default, "" for none.
func (m *Model) Add(f *pflag.FlagSet, model string) {
	f.StringVar(&m.Name, "model", model, "name of a shipped model (ponder models) or a checkpoint folder")
	AddEngine(f, &m.Run)
	AddPrecision(f, &m.Run)
	f.IntVar(&m.Threads, "threads", 0, "threads of one operation; 0 leaves it to the engine")
}

// Open loads the model.
func (m *Model) Open() (*think.Model, error) {
	engine, err := Choose(m.Run)
	if err != nil {
		return nil, err
	}
	c, err := Checkpoint(m.Name)
	if err != nil {
		return nil, err
	}
	model, err := open.Checkpoint(m.Name, c, engine, m.Run)
	return model, Code(err)
}

// Checkpoint opens a shipped model by name, a checkpoint folder, or the newest checkpoint of a run.
func Checkpoint(name string) (*checkpoint.Checkpoint, error) {
	c, err := models.Find(name)
	if errors.Is(err, models.ErrNone) {
		return nil, cli.WithCode(cli.ExitUsage, err)
	}
	if err == nil && c.Warning != nil {
		fmt.Fprintln(os.Stderr, "ponder:", text.Plain(c.Warning.Error()))
	}
	return c, err
}

// Choose is the engine that r asks for; what is wrong names the flag.
func Choose(r open.Run) (string, error) {
	name, err := r.Choose()
	if _, ok := errors.AsType[*open.AskError](err); ok {
		err = cli.Usagef("--%w", err)
	}
	return name, Code(err)
}

// Code gives an error of package open the exit code that it asks for.
func Code(err error) error {
	if _, ok := errors.AsType[*open.AskError](err); ok {
		return cli.WithCode(cli.ExitUsage, err)
	}
	if errors.Is(err, open.ErrMachine) {
		return cli.WithCode(cli.ExitEnvironment, err)
	}
	return err
}
