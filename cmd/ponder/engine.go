package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/internal/vec"
	"github.com/ponder-agents/ponder/reference/verify"
)

// The engines.
const (
	engineAuto  = "auto" // libtorch where it is built in, else Go
	engineTorch = "torch"
	engineGo    = engine.Name
)

// engineFlags choose what computes a network, and where.
type engineFlags struct {
	engine string
	device string
}

// defaultEngine is what the flags are if nobody sets them.
var defaultEngine = engineFlags{engine: engineAuto, device: "cpu"}

func (f *engineFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.engine, "engine", engineAuto, "what computes: torch (libtorch), go (no libtorch), or auto: torch where this build has it")
	flags.StringVar(&f.device, "device", "cpu", "cpu, cuda or cuda:N; the engine go has the cpu alone")
}

// choose resolves auto and checks the flags.
func (f *engineFlags) choose() (string, error) {
	name := f.engine
	switch name {
	case engineAuto:
		name = engineGo
		if hasTorch {
			name = engineTorch
		}
	case engineTorch:
		if !hasTorch {
			return "", cli.WithCode(cli.ExitEnvironment, fmt.Errorf("--engine torch: this build has no libtorch; run `make build`, or use --engine go"))
		}
	case engineGo:
	default:
		return "", cli.Usagef("--engine %q: want auto, torch or go", name)
	}
	if name == engineGo && f.device != "cpu" {
		return "", cli.Usagef("--device %s: the engine go has the cpu alone", f.device)
	}
	return name, nil
}

// verifier is the engine that recorded cases are replayed on, and a word about it.
func (f *engineFlags) verifier() (verify.Engine, string, error) {
	name, err := f.choose()
	if err != nil {
		return nil, "", err
	}
	if name == engineTorch {
		return torchVerifier(f.device)
	}
	return verify.Go(), "engine go, kernels " + kernels(engineGo), nil
}

// kernels says what an engine computes with on this machine.
func kernels(engine string) string {
	if engine == engineTorch {
		return torchKernels()
	}
	return vec.Kernels()
}
