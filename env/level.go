package env

import (
	"errors"
	"fmt"
)

// ErrNoLevel is what OpenLevel's error is when the text is of no family that is linked in.
var ErrNoLevel = errors.New("no family reads this text as a level")

// OpenLevel opens the environment that a level's text is of, and every episode begins on it. The
// families are asked in the order of their names.
func OpenLevel(text string) (Env, error) {
	var wrong error
	for _, entry := range List("") {
		if entry.LevelID == nil {
			continue
		}
		id, err := entry.LevelID(text)
		if id == "" {
			if wrong == nil {
				wrong = err
			}
			continue
		}
		e, err := Make(id)
		if err != nil {
			return nil, err
		}
		return Level(e, text)
	}
	if wrong == nil {
		wrong = ErrNoLevel
	}
	return nil, wrong
}

// Level begins every episode of e on the level of the text, whatever the seed. It takes worlds that have
// text forms and snapshots and can observe what they were set to.
func Level(e Env, text string) (Env, error) {
	l, levels := As[Leveler](e)
	o, shows := As[Observer](e)
	s, saves := As[Snapshotter](e)
	if !levels || !shows || !saves {
		return nil, fmt.Errorf("%s takes no levels as text", e.Spec().ID)
	}
	if err := l.SetLevel(text); err != nil {
		return nil, err
	}
	return finish(&level{e, o, s, s.AppendState(nil)}), nil
}

type level struct {
	Env
	observer Observer
	saver    Snapshotter
	begin    []byte // the state at the start of every episode
}

func (l *level) Unwrap() Env { return l.Env }

// Spec says that nothing is drawn.
func (l *level) Spec() Spec {
	s := l.Env.Spec()
	s.Fixed = true
	return s
}

func (l *level) Reset(obs []byte) {
	if err := l.saver.SetState(l.begin); err != nil {
		panic(err) // its own state
	}
	l.observer.Observe(obs)
}

func (l *level) over(e Env) wrapper {
	o, _ := As[Observer](e)
	s, _ := As[Snapshotter](e)
	return &level{e, o, s, l.begin}
}
func (l *level) appendOwn(dst []byte) []byte { return dst }
func (l *level) setOwn([]byte) error         { return nil }
