package minigrid

import (
	"fmt"
	"strings"
)

// MissionLen is how many tokens of a mission an observation of a MiniGrid id holds.
const MissionLen = 20

// Words is the vocabulary of missions by token; token 0 is the padding. Up to 51 it is that of
// MiniGrid's DictObservationSpaceWrapper, whose indices the tokens equal.
var Words = strings.Split("|red|green|blue|yellow|purple|grey|"+
	"unseen|empty|wall|floor|box|key|ball|door|goal|agent|lava|"+
	"pick|avoid|get|find|put|use|open|go|fetch|reach|unlock|traverse|"+
	"up|the|a|at|,|square|and|then|to|of|rooms|near|opening|must|you|matching|end|hallway|object|from|room|maze|"+
	"next|after|in|front|on|your|left|right|behind", "|")

var tokens = func() map[string]byte {
	m := make(map[string]byte, len(Words))
	for i, w := range Words[1:] {
		m[w] = byte(i + 1)
	}
	return m
}()

// hole stands in a phrase for a word that the episode fills in.
const hole = 255

// phrase turns words into tokens; % is a hole.
func phrase(s string) []byte {
	out, err := Tokenize(s)
	if err != nil {
		panic(err)
	}
	return out
}

// Tokenize returns the tokens of a mission. It is an error if a word is not in the vocabulary.
func Tokenize(mission string) ([]byte, error) {
	var out []byte
	for _, w := range strings.Fields(strings.ReplaceAll(mission, ",", " , ")) {
		t, ok := tokens[w]
		if w == "%" {
			t, ok = hole, true
		}
		if !ok {
			return nil, fmt.Errorf("mission %q: the word %q is not in the vocabulary", mission, w)
		}
		out = append(out, t)
	}
	return out, nil
}

// Sentence is the mission that the tokens say.
func Sentence(mission []byte) string {
	var b strings.Builder
	for _, t := range mission {
		if t == 0 || int(t) >= len(Words) {
			break
		}
		if w := Words[t]; b.Len() > 0 && w != "," {
			b.WriteString(" ")
		}
		b.WriteString(Words[t])
	}
	return b.String()
}

// colorToken and typeToken are the tokens of colours and types by index.
var (
	colorToken = wordTokens(ColorNames[:])
	typeToken  = wordTokens(typeNames[:])
)

func wordTokens(names []string) (t [16]byte) {
	for i, n := range names {
		t[i] = tokens[n]
	}
	return t
}

// say sets the mission to a phrase with its holes filled in order.
func (e *Env) say(phrase []byte, fill ...byte) {
	clear(e.mission)
	for i, t := range phrase {
		if t == hole {
			t, fill = fill[0], fill[1:]
		}
		e.mission[i] = t
	}
}
