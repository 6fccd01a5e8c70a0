package env

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrNoLevel is what OpenLevel's error is when the text is of no family that is linked in.
var ErrNoLevel = errors.New("no family reads this text as a level")

// MostLevels is how many levels of a text or a dataset are opened at once.
const MostLevels = 1000

// OpenLevel opens the environment that a text's levels, puzzles or tasks are of. Episodes begin on them, that of seed n
// on the n-th of them, counted from 0 and round and round. The families are asked in the order of their names.
func OpenLevel(text string) (Env, error) {
	wrong := error(nil)
	for _, entry := range List("") {
		if entry.OpenLevel == nil {
			continue
		}
		e, err := entry.OpenLevel(text)
		if err == nil && e != nil {
			return e, nil
		}
		if wrong == nil {
			wrong = err
		}
	}
	if wrong == nil {
		wrong = ErrNoLevel
	}
	return nil, wrong
}

// Level begins the episodes of e on the levels of the texts, at least one: that of seed n on the n-th, counted from 0
// and round and round, the next episodes on those behind it. Only the first MostLevels of them count. It takes worlds
// that have text forms and snapshots and can observe what they were set to.
func Level(e Env, texts ...string) (Env, error) {
	v, levels := As[Leveler](e)
	o, shows := As[Observer](e)
	s, saves := As[Snapshotter](e)
	if !levels || !shows || !saves {
		return nil, fmt.Errorf("%s takes no levels as text", e.Spec().ID)
	}
	l := &level{Env: e, observer: o, saver: s}
	for i, text := range texts[:min(len(texts), MostLevels)] {
		if err := v.SetLevel(text); err != nil {
			if len(texts) > 1 {
				err = fmt.Errorf("level %d: %w", i+1, err)
			}
			return nil, err
		}
		l.begin = append(l.begin, s.AppendState(nil))
	}
	return finish(l), nil
}

type level struct {
	Env
	observer Observer
	saver    Snapshotter
	begin    [][]byte // the state at the start of the episodes
	next     int      // the one of the next episode
}

func (l *level) Unwrap() Env { return l.Env }

// Levels implements Counted.
func (l *level) Levels() int { return len(l.begin) }

// Spec says that nothing is drawn, of a single level.
func (l *level) Spec() Spec {
	s := l.Env.Spec()
	s.Fixed = len(l.begin) == 1
	return s
}

func (l *level) Seed(seed uint64) {
	l.Env.Seed(seed)
	l.next = int(seed % uint64(len(l.begin)))
}

func (l *level) Reset(obs []byte) {
	if err := l.saver.SetState(l.begin[l.next]); err != nil {
		panic(err) // its own state
	}
	l.next = (l.next + 1) % len(l.begin)
	l.observer.Observe(obs)
}

func (l *level) over(e Env) wrapper {
	o, _ := As[Observer](e)
	s, _ := As[Snapshotter](e)
	return &level{e, o, s, l.begin, l.next}
}

func (l *level) appendOwn(dst []byte) []byte {
	return binary.LittleEndian.AppendUint32(dst, uint32(l.next))
}

func (l *level) setOwn(b []byte) error {
	next := binary.LittleEndian.Uint32(b)
	if int64(next) >= int64(len(l.begin)) {
		return fmt.Errorf("level %d of %d", next+1, len(l.begin))
	}
	l.next = int(next)
	return nil
}
