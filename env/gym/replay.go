package gym

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/rng"
)

// prefix begins the ids of environments of Gymnasium in env.Make.
const prefix = "gym:"

// callTimeout bounds a call of an environment that env.Make opened, and openTimeout its start.
const (
	callTimeout = time.Minute
	openTimeout = 2 * time.Minute
)

func init() {
	env.Register(env.Entry{
		ID: prefix + "CartPole-v1", Family: "gym", Form: prefix + "ID", Elsewhere: true,
		About: "an environment of Gymnasium, in a Python process of its own",
		Options: []env.Option{
			{Name: "import", About: "modules to import first, A,B: those that register the id"},
			{Name: "kwargs", Default: "{}", About: "further arguments of gymnasium.make, a JSON object"},
			{Name: "python", About: "the interpreter; by default python3"},
		},
		Match: func(id string) bool { return len(id) > len(prefix) && strings.HasPrefix(id, prefix) },
		Open: func(id string, o *env.Options) (env.Env, error) {
			all, err := openMany(id, 1, o)
			if err != nil {
				return nil, err
			}
			return all[0], nil
		},
		OpenMany: openMany,
	})
}

// openMany opens n environments in one process. Their episodes can be played again.
func openMany(id string, n int, o *env.Options) ([]env.Env, error) {
	cfg := Config{ID: strings.TrimPrefix(id, prefix), N: n, Kwargs: json.RawMessage(o.String("kwargs")), Python: o.String("python")}
	if s := o.String("import"); s != "" {
		cfg.Imports = strings.Split(s, ",")
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	envs, err := Open(ctx, cfg, callTimeout)
	if err != nil {
		return nil, err
	}
	all := make([]env.Env, n)
	for i, e := range envs {
		e.replays, e.spec.ID = true, id
		all[i] = replayed{e}
	}
	return all, nil
}

// A replayed is an Env whose snapshot is the seed of its episode and the actions since: it is restored by playing them
// again.
type replayed struct{ *Env }

// episodeSeed is the seed of the episode under way, of 31 bits, which every environment takes.
func (e *Env) episodeSeed() uint64 {
	return uint64(rng.Stream(e.seeds[0], fmt.Sprintf("gym/%d", e.episode)).Uint32() >> 1)
}

const replayMagic = "gym1"

// AppendState implements env.Snapshotter.
func (r replayed) AppendState(dst []byte) []byte {
	e, le := r.Env, binary.LittleEndian
	dst = append(dst, replayMagic...)
	dst = le.AppendUint64(dst, e.seeds[0])
	dst = le.AppendUint64(dst, e.episode)
	dst = append(dst, flag(e.seeded), flag(e.ended))
	dst = le.AppendUint32(dst, crc32.ChecksumIEEE(e.w.ObsRow(e.row)))
	for _, a := range e.played {
		dst = binary.AppendUvarint(dst, uint64(a))
	}
	return dst
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// SetState implements env.Snapshotter. It is an error if the episode plays otherwise than it did.
func (r replayed) SetState(state []byte) error {
	const header = len(replayMagic) + 8 + 8 + 2 + 4
	e, le := r.Env, binary.LittleEndian
	if len(state) < header || string(state[:len(replayMagic)]) != replayMagic || max(state[20], state[21]) > 1 {
		return fmt.Errorf("gym: %d bytes are not the state of an environment", len(state))
	}
	var actions []int32
	for rest := state[header:]; len(rest) > 0; {
		a, n := binary.Uvarint(rest)
		if n <= 0 || a >= uint64(len(e.spec.Actions)) {
			return errors.New("gym: the state of an environment has an action that it does not know")
		}
		actions, rest = append(actions, int32(a)), rest[n:]
	}
	seeded, ended := state[20] == 1, state[21] == 1
	e.seeds[0], e.episode, e.seeded, e.ended, e.played = le.Uint64(state[4:]), le.Uint64(state[12:]), seeded, ended, actions
	if e.err != nil || e.episode == 0 {
		return e.err // nothing was played
	}
	ctx, cancel := e.bound()
	defer cancel()
	e.err = e.w.ResetRows(ctx, e.rows[:], []uint64{e.episodeSeed()})
	for _, a := range actions {
		if e.err == nil {
			e.action[0] = e.start + float64(a)
			e.err = e.w.StepRows(ctx, e.rows[:], e.action[:])
		}
	}
	if e.err == nil && crc32.ChecksumIEEE(e.w.ObsRow(e.row)) != le.Uint32(state[22:]) {
		return fmt.Errorf("%s: its episode of %d steps plays otherwise the second time; a run in such a world cannot go on where it was", e.spec.ID, len(actions))
	}
	return e.err
}
