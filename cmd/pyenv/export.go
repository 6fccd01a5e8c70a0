package main

// #include "ponder.h"
import "C"

import (
	"encoding/json"
	"fmt"
	"unsafe"
)

// answer is what the functions return: n, or -1 with the error kept for ponder_error.
func answer(n int64, err error) C.longlong {
	if err == nil {
		return C.longlong(n)
	}
	b := []byte(err.Error())
	C.ponder_set_error((*C.char)(unsafe.Pointer(unsafe.SliceData(b))), C.longlong(len(b)))
	return -1
}

// memory is the caller's: nil for a null pointer, empty for a length below 1.
func memory[T, P any](p *P, n C.longlong) []T {
	if p == nil {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(p)), max(int(n), 0))
}

// fill copies data to the caller if it fits; the answer is its length in any case.
func fill(dst *C.char, capacity C.longlong, data []byte, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	if buf := memory[byte](dst, capacity); len(buf) >= len(data) {
		copy(buf, data)
	}
	return int64(len(data)), nil
}

func buffersOf(b *C.ponder_buffers) buffers {
	if b == nil {
		return buffers{}
	}
	return buffers{
		obs: memory[byte](b.obs, b.obs_len), final: memory[byte](b.final, b.final_len),
		rewards:    memory[float64](b.rewards, b.rewards_len),
		terminated: memory[bool](b.terminated, b.terminated_len),
		truncated:  memory[bool](b.truncated, b.truncated_len),
		fresh:      memory[bool](b.fresh, b.fresh_len),
	}
}

//export ponder_abi
func ponder_abi() C.longlong { return abi }

// ponder_error copies the text of the calling thread's last error and returns its length; nothing
// is copied if that is more than capacity.
//
//export ponder_error
func ponder_error(dst *C.char, capacity C.longlong) C.longlong {
	if dst == nil {
		capacity = -1
	}
	return C.ponder_get_error(dst, capacity)
}

// ponder_list copies the environments that match a pattern as JSON; see ponder_text for its answer.
//
//export ponder_list
func ponder_list(pattern *C.char, patternLen C.longlong, dst *C.char, capacity C.longlong) C.longlong {
	data, err := list(string(memory[byte](pattern, patternLen)))
	return answer(fill(dst, capacity, data, err))
}

// ponder_find copies the environment that opens an id, which may be one of a range, as JSON; see
// ponder_text for its answer.
//
//export ponder_find
func ponder_find(id *C.char, idLen C.longlong, dst *C.char, capacity C.longlong) C.longlong {
	data, err := find(string(memory[byte](id, idLen)))
	return answer(fill(dst, capacity, data, err))
}

// ponder_make opens n environments and returns a handle above 0. The options are a JSON list of
// "name=value"; autoreset is 0 same step, 1 next step, 2 none; threads 0 chooses.
//
//export ponder_make
func ponder_make(id *C.char, idLen C.longlong, n C.longlong, options *C.char, optionsLen C.longlong, autoreset, threads C.longlong) C.longlong {
	open := func() (handle int64, err error) {
		defer caught(&err)
		var opts []string
		if b := memory[byte](options, optionsLen); b != nil {
			if err := json.Unmarshal(b, &opts); err != nil {
				return 0, fmt.Errorf("options: %w", err)
			}
		}
		w, err := openWorld(string(memory[byte](id, idLen)), int64(n), opts, int64(autoreset), int64(threads))
		if err != nil {
			return 0, err
		}
		return keep(w), nil
	}
	return answer(open())
}

// ponder_close ends a handle. It is an error if it is not open.
//
//export ponder_close
func ponder_close(handle C.longlong) C.longlong { return answer(0, drop(int64(handle))) }

// ponder_spec copies the description of a handle as JSON; see ponder_text for its answer.
//
//export ponder_spec
func ponder_spec(handle C.longlong, dst *C.char, capacity C.longlong) C.longlong {
	return answer(with(int64(handle), func(w *world) (int64, error) {
		data, err := w.describe()
		return fill(dst, capacity, data, err)
	}))
}

// ponder_reset begins an episode in the rows of the mask, or in all if that is null, from
// seeds[row] where seeded[row] is 1; seeded null continues all random streams. All three have n
// elements. It answers as ponder_step.
//
//export ponder_reset
func ponder_reset(handle C.longlong, seeds *C.ulonglong, seeded, mask *C.uchar, n C.longlong, b *C.ponder_buffers) C.longlong {
	return answer(with(int64(handle), func(w *world) (int64, error) {
		bits, err := w.reset(memory[uint64](seeds, n), memory[byte](seeded, n), memory[byte](mask, n), buffersOf(b))
		return int64(bits), err
	}))
}

// ponder_step acts in all n rows. The answer has bit 0 if an episode ended and bit 1 if one began.
// After an error nothing has changed.
//
//export ponder_step
func ponder_step(handle C.longlong, actions *C.longlong, n C.longlong, b *C.ponder_buffers) C.longlong {
	return answer(with(int64(handle), func(w *world) (int64, error) {
		bits, err := w.step(memory[int64](actions, n), buffersOf(b))
		return int64(bits), err
	}))
}

// ponder_snapshot copies the whole state of a row; see ponder_text for its answer.
//
//export ponder_snapshot
func ponder_snapshot(handle, row C.longlong, dst *C.char, capacity C.longlong) C.longlong {
	return answer(with(int64(handle), func(w *world) (int64, error) {
		data, err := w.snapshot(int64(row))
		return fill(dst, capacity, data, err)
	}))
}

// ponder_restore puts a snapshot into a row and shows all rows. It answers as ponder_step.
//
//export ponder_restore
func ponder_restore(handle, row C.longlong, state *C.char, stateLen C.longlong, b *C.ponder_buffers) C.longlong {
	return answer(with(int64(handle), func(w *world) (int64, error) {
		bits, err := w.restore(int64(row), memory[byte](state, stateLen), buffersOf(b))
		return int64(bits), err
	}))
}

// ponder_mission copies what the row's episode asks for; see ponder_text for its answer.
//
//export ponder_mission
func ponder_mission(handle, row C.longlong, dst *C.char, capacity C.longlong) C.longlong {
	return answer(with(int64(handle), func(w *world) (int64, error) {
		s, err := w.mission(int64(row))
		return fill(dst, capacity, []byte(s), err)
	}))
}

// ponder_text copies the row's level in the text form of its family. The answer is the length of
// the text; if that is more than capacity, nothing was copied.
//
//export ponder_text
func ponder_text(handle, row C.longlong, dst *C.char, capacity C.longlong) C.longlong {
	return answer(with(int64(handle), func(w *world) (int64, error) {
		s, err := w.text(int64(row))
		return fill(dst, capacity, []byte(s), err)
	}))
}

// ponder_mask writes for each action of a row whether it would change anything.
//
//export ponder_mask
func ponder_mask(handle, row C.longlong, dst *C.uchar, n C.longlong) C.longlong {
	return answer(with(int64(handle), func(w *world) (int64, error) {
		return 0, w.mask(int64(row), memory[bool](dst, n))
	}))
}

// ponder_minigrid copies what a row of MiniGrid's family is like as JSON; see ponder_text for its
// answer.
//
//export ponder_minigrid
func ponder_minigrid(handle, row C.longlong, dst *C.char, capacity C.longlong) C.longlong {
	return answer(with(int64(handle), func(w *world) (int64, error) {
		data, err := w.miniGridState(int64(row))
		return fill(dst, capacity, data, err)
	}))
}

// ponder_size writes width and height in pixels of the row's picture, tile pixels a cell, to size,
// which has two elements. The picture is of 0 everything, as the family shows it; 1 the same, but
// nothing lit; 2 what the agent sees. 1 and 2 are for MiniGrid's family.
//
//export ponder_size
func ponder_size(handle, row, tile, what C.longlong, size *C.longlong) C.longlong {
	return answer(with(int64(handle), func(w *world) (int64, error) {
		out := memory[int64](size, 2)
		if out == nil {
			return 0, fmt.Errorf("no memory for the size")
		}
		width, height, err := w.size(int64(row), int64(tile), int64(what))
		out[0], out[1] = width, height
		return 0, err
	}))
}

// ponder_render draws the row, [height][width][3] bytes.
//
//export ponder_render
func ponder_render(handle, row, tile, what C.longlong, pix *C.uchar, n C.longlong) C.longlong {
	return answer(with(int64(handle), func(w *world) (int64, error) {
		return 0, w.render(int64(row), int64(tile), int64(what), memory[byte](pix, n))
	}))
}

// ponder_agent opens a model, shipped or a folder, that acts in an environment, and returns a handle of agents
// above 0, which is closed by ponder_agent_close. An empty id is the environment of the model's card; options are
// as in ponder_make.
//
//export ponder_agent
func ponder_agent(name *C.char, nameLen C.longlong, id *C.char, idLen C.longlong, options *C.char, optionsLen C.longlong) C.longlong {
	open := func() (handle int64, err error) {
		defer caught(&err)
		var opts []string
		if b := memory[byte](options, optionsLen); b != nil {
			if err := json.Unmarshal(b, &opts); err != nil {
				return 0, fmt.Errorf("options: %w", err)
			}
		}
		return openMind(string(memory[byte](name, nameLen)), string(memory[byte](id, idLen)), opts)
	}
	return answer(open())
}

// ponder_agent_another returns a handle of the same model in the same environment, for another episode.
//
//export ponder_agent_another
func ponder_agent_another(handle C.longlong) C.longlong { return answer(anotherMind(int64(handle))) }

// ponder_agent_close ends a handle of agents. It is an error if it is not open.
//
//export ponder_agent_close
func ponder_agent_close(handle C.longlong) C.longlong { return answer(0, dropMind(int64(handle))) }

// ponder_agent_spec copies the specification of an agent's environment as JSON; see ponder_text for its answer.
//
//export ponder_agent_spec
func ponder_agent_spec(handle C.longlong, dst *C.char, capacity C.longlong) C.longlong {
	m, err := findMind(int64(handle))
	if err != nil {
		return answer(0, err)
	}
	data, err := json.Marshal(m.spec)
	return answer(fill(dst, capacity, data, err))
}

// ponder_agent_act returns the action of an agent that sees an observation of n bytes; fresh is 1 where an episode
// begins. The text of a mission may stand for its bytes.
//
//export ponder_agent_act
func ponder_agent_act(handle C.longlong, obs *C.uchar, n C.longlong, mission *C.char, missionLen, fresh C.longlong) C.longlong {
	m, err := findMind(int64(handle))
	if err != nil {
		return answer(0, err)
	}
	action, err := m.act(memory[byte](obs, n), string(memory[byte](mission, missionLen)), fresh != 0)
	return answer(int64(action), err)
}
