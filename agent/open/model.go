package open

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/models"
)

// The engines of ponder, and the choice among all.
const (
	Auto  = "auto" // Torch where this program has it, else Go, else another
	Torch = "torch"
	Go    = "go"
)

// A Run says what computes a model, where and how. The zero value leaves it to the program and the model.
type Run struct {
	Engine    string // a registered one; "" is Auto
	Device    string // cpu, cuda or cuda:N; "" is cpu
	Precision string // number format, float32, bf16 or int8; Auto is the fastest here; "" is the one that the model was trained in
	Threads   int    // of one operation; 0 leaves it to the engine

	Note func(text string) // told which precision Auto came to; may be nil
}

// An Opener makes models of the checkpoints of some networks.
type Opener struct {
	Engine string // its name in Run.Engine and think.Model
	// Opens reports whether the checkpoint of a configuration is one of its networks; nil takes what no other
	// opener of the engine does.
	Opens func(config []byte) bool
	// Open makes the model, which closes the checkpoint if it needs it no more, or with itself. Errors begin with
	// the name.
	Open func(name string, c *checkpoint.Checkpoint, r Run) (*think.Model, error)
}

var openers []Opener

// Register adds an opener, in an init function.
func Register(o Opener) { openers = append(openers, o) }

// An AskError is about what was asked for, not about what was found there.
type AskError struct{ error }

// Unwrap gives what is wrong.
func (e *AskError) Unwrap() error { return e.error }

// asked is err, if it is one, as an AskError.
func asked(err error) error {
	if err == nil {
		return nil
	}
	return &AskError{err}
}

// ErrMachine is the error of what this program or machine lacks: libtorch, a GPU.
var ErrMachine = errors.New("not here")

// A lack is an ErrMachine in words of its own.
type lack struct{ error }

func (l lack) Unwrap() error      { return l.error }
func (lack) Is(target error) bool { return target == ErrMachine }

// Lacking is err, nil or what the machine lacks, as an ErrMachine.
func Lacking(err error) error {
	if err == nil {
		return nil
	}
	return lack{err}
}

// Engines are the names of what computes in this program, in the order in which Auto takes them.
func Engines() []string {
	names := []string{Torch, Go}
	for _, o := range openers {
		if !slices.Contains(names, o.Engine) {
			names = append(names, o.Engine)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return !slices.ContainsFunc(openers, func(o Opener) bool { return o.Engine == name })
	})
}

func (r Run) auto() bool { return r.Engine == "" || r.Engine == Auto }

// Choose is the name of the engine that r asks for, and what is wrong with r.
func (r Run) Choose() (string, error) {
	all := Engines()
	name := r.Engine
	switch {
	case len(all) == 0:
		return "", Lacking(errors.New("no engine: import one, as package engine"))
	case r.auto():
		name = all[0]
	case !slices.Contains(all, name) && name == Torch:
		return "", Lacking(errors.New("engine torch: this build has no libtorch; run `make build`, or use the engine go"))
	case !slices.Contains(all, name):
		want := append([]string{Auto, Torch}, slices.DeleteFunc(all, func(name string) bool { return name == Torch })...)
		return "", asked(fmt.Errorf("engine %q: want %s or %s", name, strings.Join(want[:len(want)-1], ", "), want[len(want)-1]))
	}
	p := arch.Precision(r.Precision)
	if p != Auto && p.CheckThinking() != nil {
		return "", asked(fmt.Errorf("precision %q: want %s, %s, %s, %s or %s", p, Auto, arch.Float32, arch.BFloat16, arch.Int8, arch.TF32))
	}
	if onCPU := r.Device == "" || r.Device == "cpu"; p == arch.TF32 && onCPU {
		return "", asked(fmt.Errorf("precision %s is a GPU's: --device cuda, or %s", p, arch.Float32))
	} else if p == arch.Int8 && !onCPU {
		return "", asked(fmt.Errorf("precision %s is the CPU's", p))
	}
	if name == Go && p != "" && p != Auto && p != arch.Float32 {
		return "", asked(fmt.Errorf("precision %s: the engine go has %s alone", r.Precision, arch.Float32))
	}
	if name == Go && r.Device != "" && r.Device != "cpu" {
		return "", asked(fmt.Errorf("device %s: the engine go has the cpu alone", r.Device))
	}
	return name, nil
}

// Model opens a model by name: one that is shipped, a checkpoint folder, or the newest checkpoint of a run.
func Model(name string, r Run) (*think.Model, error) {
	engine, err := r.Choose()
	if err != nil {
		return nil, err
	}
	c, err := models.Find(name)
	if errors.Is(err, models.ErrNone) {
		err = asked(err)
	}
	if err != nil {
		return nil, err
	}
	return Checkpoint(name, c, engine, r)
}

// chosen says what Auto came to.
func chosen(m *think.Model) string {
	if len(m.Precision.Times) > 0 {
		return "precision " + m.Precision.String()
	}
	return fmt.Sprintf("precision %s: the engine %s has no other for this model", m.Precision, m.Engine)
}

// Checkpoint is Model of a checkpoint that is open already, and that becomes the model's, by an engine that Choose gave.
func Checkpoint(name string, c *checkpoint.Checkpoint, engine string, r Run) (*think.Model, error) {
	for _, fits := range []func(Opener) bool{
		func(o Opener) bool { return o.Engine == engine && o.Opens != nil && o.Opens(c.Config) },
		func(o Opener) bool { return r.auto() && o.Opens != nil && o.Opens(c.Config) },
		func(o Opener) bool { return o.Engine == engine && o.Opens == nil },
	} {
		if i := slices.IndexFunc(openers, fits); i >= 0 {
			m, err := openers[i].Open(name, c, r)
			if err == nil && r.Precision == Auto && r.Note != nil {
				r.Note(chosen(m))
			}
			return m, err
		}
	}
	return nil, errors.Join(fmt.Errorf("model %s: not a network of the engine %s", name, engine), c.Close())
}
