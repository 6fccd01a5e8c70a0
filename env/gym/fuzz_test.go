package gym

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzReadFrame: whatever a worker writes is a frame or an error, and no memory is taken for what it only
// announces.
func FuzzReadFrame(f *testing.F) {
	for _, kind := range []byte{frameResult, frameHello, frameError, 'Z'} {
		f.Add(endFrame(append(beginFrame(nil, kind), "payload"...)), uint16(7))
	}
	f.Add([]byte("PGY1H\x00\x00\x00\xff\xff\xff\x03"), uint16(0))
	f.Add([]byte("hello\n"), uint16(9))
	f.Fuzz(func(t *testing.T, data []byte, limit uint16) {
		kind, payload, err := readFrame(bytes.NewReader(data), nil, int(limit))
		if cap(payload) > 2*len(data)+2<<20 {
			t.Fatalf("%d bytes of memory for %d of input", cap(payload), len(data))
		}
		if err != nil {
			return
		}
		if again := endFrame(append(beginFrame(nil, kind), payload...)); !bytes.HasPrefix(data, again) {
			t.Fatalf("frame %c with %q read from %q", kind, payload, data)
		}
	})
}

// FuzzParseResult: a result is refused or has all its parts, and they are the whole of it.
func FuzzParseResult(f *testing.F) {
	f.Add(make([]byte, 2*(3+9)), uint8(2), uint8(3))
	f.Add(append(make([]byte, 3+8), flagFinal|flagTerminated, 1, 2, 3), uint8(1), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, count, obsLen uint8) {
		r, err := parseResult(data, int(count), int(obsLen))
		if err != nil {
			return
		}
		if len(r.obs) != int(count)*int(obsLen) || len(r.rewards) != 8*int(count) || len(r.flags) != int(count) {
			t.Fatalf("parts of %d, %d, %d bytes", len(r.obs), len(r.rewards), len(r.flags))
		}
		for k := range r.flags {
			r.reward(k)
		}
		whole := bytes.Join([][]byte{r.obs, r.rewards, r.flags, r.final}, nil)
		if !bytes.Equal(whole, data) {
			t.Fatal("the parts are not the whole")
		}
	})
}

// FuzzSpace: a space of the handshake is refused or its leaves lie one after the other, can be read, and
// tell of any number whether it is in them.
func FuzzSpace(f *testing.F) {
	f.Add([]byte(`{"kind":"Discrete","dtype":"int64","n":[3],"start":[0]}`))
	f.Add([]byte(`{"kind":"Dict","names":["a","b"],"spaces":[{"kind":"MultiBinary","dtype":"int8","shape":[2]},
		{"kind":"Box","dtype":"float32","shape":[1],"low":"AAAAAAAA8P8=","high":"AAAAAAAA8H8="}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Space
		if json.Unmarshal(data, &s) != nil {
			return
		}
		leaves, size, err := s.leaves(nil, "", 0)
		if err != nil || size > 1<<20 {
			return
		}
		obs, at := make([]byte, size), 0
		for i := range leaves {
			l := &leaves[i]
			if l.Offset != at || l.Bytes != l.Elems*l.size {
				t.Fatalf("leaf %d of %d bytes at %d, want %d", i, l.Bytes, l.Offset, at)
			}
			at += l.Bytes
			if n := len(l.AppendFloats(nil, obs)); n != l.Elems {
				t.Fatalf("%d numbers of %d", n, l.Elems)
			}
			for e := range l.Elems {
				l.check(e, l.put(obs[l.Offset+e*l.size:], 1e300))
			}
		}
		if at != size {
			t.Fatalf("leaves end at %d of %d", at, size)
		}
	})
}
