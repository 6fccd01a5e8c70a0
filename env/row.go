package env

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// The state of a row, little-endian: a mark, the CRC-32 of what follows, the row's part in the Slab
// and the state of its Env.
const (
	rowMagic  = "VR1"
	rowHeader = len(rowMagic) + 4 + 4 + 4 + 8 + 4 + 4
)

// AppendRow appends the whole state of row i: what the Slab holds of it, whether its episode has
// ended, and the snapshot of its environment, which must be a [Snapshotter].
func (v *Vec) AppendRow(i int, dst []byte) ([]byte, error) {
	s, ok := As[Snapshotter](v.envs[i])
	if !ok {
		return nil, fmt.Errorf("vec: %s has no snapshots", v.envs[i].Spec().ID)
	}
	le, start := binary.LittleEndian, len(dst)
	dst = append(dst, rowMagic+"0000"...)
	dst = append(dst, byte(v.state[i]), bit(v.Terminated[i]), bit(v.Truncated[i]), bit(v.Fresh[i]))
	dst = le.AppendUint32(dst, math.Float32bits(v.Rewards[i]))
	dst = le.AppendUint64(dst, math.Float64bits(v.Returns[i]))
	dst = le.AppendUint32(dst, uint32(v.Lengths[i]))
	dst = le.AppendUint32(dst, uint32(v.spec.ObsLen))
	dst = append(dst, v.ObsRow(i)...)
	dst = append(dst, v.FinalRow(i)...)
	dst = s.AppendState(dst)
	le.PutUint32(dst[start+3:], crc32.ChecksumIEEE(dst[start+7:]))
	return dst, nil
}

// SetRow restores in row i what AppendRow of a row of the same kind appended. An error leaves the row
// as it was.
func (v *Vec) SetRow(i int, state []byte) error {
	s, ok := As[Snapshotter](v.envs[i])
	if !ok {
		return fmt.Errorf("vec: %s has no snapshots", v.envs[i].Spec().ID)
	}
	le, n := binary.LittleEndian, v.spec.ObsLen
	switch {
	case len(state) < rowHeader+2*n || string(state[:len(rowMagic)]) != rowMagic:
		return fmt.Errorf("vec: not the snapshot of a row of %s, or cut (%d bytes)", v.spec.ID, len(state))
	case le.Uint32(state[3:]) != crc32.ChecksumIEEE(state[7:]):
		return fmt.Errorf("vec: the snapshot of a row of %s is damaged", v.spec.ID)
	case rowState(state[7]) > rowEnded || max(state[8], state[9], state[10]) > 1:
		return fmt.Errorf("vec: the snapshot of a row has unknown flags %v", state[7:11])
	case int64(le.Uint32(state[27:])) != int64(n):
		return fmt.Errorf("vec: the snapshot's observations have %d bytes, those of %s %d", le.Uint32(state[27:]), v.spec.ID, n)
	}
	before := s.AppendState(nil)
	if err := s.SetState(state[rowHeader+2*n:]); err != nil {
		return err
	}
	if e, ok := As[Ender](v.envs[i]); ok && e.Ended() && rowState(state[7]) == rowLive {
		return errors.Join(fmt.Errorf("vec: the snapshot of a row of %s goes on after the end of its episode", v.spec.ID), s.SetState(before))
	}
	v.state[i] = rowState(state[7])
	v.Terminated[i], v.Truncated[i], v.Fresh[i] = state[8] == 1, state[9] == 1, state[10] == 1
	v.Rewards[i] = math.Float32frombits(le.Uint32(state[11:]))
	v.Returns[i] = math.Float64frombits(le.Uint64(state[15:]))
	v.Lengths[i] = int32(le.Uint32(state[23:]))
	copy(v.ObsRow(i), state[rowHeader:])
	copy(v.FinalRow(i), state[rowHeader+n:])
	return nil
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
