package agent

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ponder-agents/ponder/env"
)

// A Part is a field of the observation and how its bytes become tokens.
type Part struct {
	Field string // name in Spec.Layout

	// Merge makes one token of the numbers along the field's last axis: their sizes, each number
	// being below its own. The token is ((a*Merge[1])+b)*Merge[2]+c and so on. Nil makes a token of
	// every byte. MiniGrid's image is {11, 6, 3}: object, colour, state; 49 tokens instead of 147.
	Merge []int
}

// An Encoder turns observations into the tokens of a network, one vocabulary for all: each part has
// a range of its own, the first one from 0.
type Encoder struct {
	obsLen, vocab, tokens int
	parts                 []part
}

type part struct {
	name        string
	begin, end  int // bytes of the observation
	merge       []int
	first, size int // range of its tokens
}

// NewEncoder reports every problem at once. Without parts, every byte is a token and all fields
// share one range: the vocabulary of the Spec.
func NewEncoder(spec env.Spec, parts ...Part) (*Encoder, error) {
	e := &Encoder{obsLen: spec.ObsLen}
	if len(parts) == 0 {
		e.vocab, e.tokens = spec.Vocab, spec.ObsLen
		e.parts = []part{{name: "observation", end: spec.ObsLen, merge: []int{spec.Vocab}, size: spec.Vocab}}
		return e, nil
	}
	var errs []error
	for _, p := range parts {
		begin := 0
		i := slices.IndexFunc(spec.Layout, func(f env.Field) bool {
			found := f.Name == p.Field
			if !found {
				begin += f.Len()
			}
			return found
		})
		if i < 0 {
			var names []string
			for _, f := range spec.Layout {
				names = append(names, f.Name)
			}
			errs = append(errs, fmt.Errorf("encoder: %s has no field %q, only %q", spec.ID, p.Field, names))
			continue
		}
		f := spec.Layout[i]
		merge := p.Merge
		if merge == nil {
			merge = []int{spec.Vocab}
		} else if len(f.Shape) == 0 || f.Shape[len(f.Shape)-1] != len(merge) {
			errs = append(errs, fmt.Errorf("encoder: field %q of shape %v: cannot merge %d numbers", p.Field, f.Shape, len(merge)))
			continue
		}
		size := 1
		for _, m := range merge {
			if m < 1 || m > 256 || size > maxVocab/m {
				errs = append(errs, fmt.Errorf("encoder: field %q: sizes %v, want each in [1, 256] and a product up to %d", p.Field, merge, maxVocab))
				size = 1
				break
			}
			size *= m
		}
		e.parts = append(e.parts, part{p.Field, begin, begin + f.Len(), merge, e.vocab, size})
		e.vocab += size
		e.tokens += f.Len() / len(merge)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return e, nil
}

// maxVocab bounds the tokens of a part: more are not a vocabulary.
const maxVocab = 1 << 20

// Tokens is the number of tokens of one observation.
func (e *Encoder) Tokens() int { return e.tokens }

// Vocab is the number of different tokens.
func (e *Encoder) Vocab() int { return e.vocab }

// Append appends the tokens of any number of observations. It returns an error, and dst as it was,
// if a number is not below the size that the part gave it.
//
//	obs     [rows][ObsLen]
//	result  [rows][Tokens], each in [0, Vocab)
func (e *Encoder) Append(dst []int32, obs []byte) ([]int32, error) {
	if e.obsLen == 0 || len(obs)%e.obsLen != 0 {
		return dst, fmt.Errorf("encoder: %d bytes are not observations of %d", len(obs), e.obsLen)
	}
	out := dst
	for ; len(obs) > 0; obs = obs[e.obsLen:] {
		for _, p := range e.parts {
			for at := p.begin; at < p.end; at += len(p.merge) {
				token := 0
				for i, size := range p.merge {
					b := int(obs[at+i])
					if b >= size {
						return dst, fmt.Errorf("encoder: field %s: number %d is not below %d", p.name, b, size)
					}
					token = token*size + b
				}
				out = append(out, int32(p.first+token))
			}
		}
	}
	return out, nil
}
