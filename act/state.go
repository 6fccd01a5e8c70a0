package act

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// stateVersion begins every saved state.
const stateVersion = 1

// AppendState appends the counts of all rows, from which SetState of a Halter with the same rows and
// MaxSegments goes on exactly; the draws are the caller's to save.
//
// Layout, little-endian: version byte, uint32 rows, uint32 MaxSegments, then for each row uint32
// segments, uint32 minimum, byte halted.
func (h *Halter) AppendState(dst []byte) []byte {
	dst = append(dst, stateVersion)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(h.all)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(h.cfg.MaxSegments))
	for b := range h.all {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(h.segments[b]))
		dst = binary.LittleEndian.AppendUint32(dst, uint32(h.minimum[b]))
		halted := byte(0)
		if h.halted[b] {
			halted = 1
		}
		dst = append(dst, halted)
	}
	return dst
}

// SetState restores what AppendState saved. h stays as it was if that is an error: the state of
// another version, of other rows or MaxSegments, or damaged.
func (h *Halter) SetState(state []byte) error {
	const head, perRow = 9, 9
	if len(state) < head || state[0] != stateVersion {
		return errors.New("act: not a saved state of this version")
	}
	rows, most := binary.LittleEndian.Uint32(state[1:]), binary.LittleEndian.Uint32(state[5:])
	if int64(rows) != int64(len(h.all)) || int64(most) != int64(h.cfg.MaxSegments) {
		return fmt.Errorf("act: saved state of %d rows and MaxSegments %d, want %d and %d", rows, most, len(h.all), h.cfg.MaxSegments)
	}
	state = state[head:]
	if len(state) != perRow*len(h.all) {
		return fmt.Errorf("act: saved state has %d bytes of rows, want %d", len(state), perRow*len(h.all))
	}
	row := func(b int) (segments, minimum uint32, halted byte) {
		r := state[perRow*b:]
		return binary.LittleEndian.Uint32(r), binary.LittleEndian.Uint32(r[4:]), r[8]
	}
	for b := range h.all {
		segments, minimum, halted := row(b)
		// A row with no segments, or with all of them, is halted.
		must := segments == 0 || segments == most
		if segments > most || minimum > most || halted > 1 || must && halted == 0 {
			return fmt.Errorf("act: saved state is damaged at row %d", b)
		}
	}
	for b := range h.all {
		segments, minimum, halted := row(b)
		h.segments[b], h.minimum[b], h.halted[b] = int32(segments), int32(minimum), halted == 1
	}
	return nil
}
