"""The space of missions, which crosses Gymnasium's memory shared between processes."""

import string

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import (
    batch_differing_spaces,
    create_shared_memory,
    read_from_shared_memory,
    write_to_shared_memory,
)


class Mission(spaces.Text):
    """What an episode asks for in words.

    AsyncVectorEnv reads the shared memory of a space once and then expects what it read to change with
    the memory. Text's strings do not: they would stay as they were before the first reset. Missions are
    read as an array that lies in the memory, of which a copy is the tuple of strings that vector
    environments give otherwise.
    """

    def __init__(self):
        super().__init__(512, charset=string.ascii_letters + string.digits + string.punctuation + " ")


class _Missions(np.ndarray):
    """Strings in shared memory, [n]."""

    def __deepcopy__(self, memo):
        return tuple(self.tolist())


def _array(space, memory):
    return np.frombuffer(memory.get_obj(), f"U{space.max_length}")


@create_shared_memory.register(Mission)
def _create(space, n=1, ctx=None):
    return ctx.Array("i", n * space.max_length)  # 4 bytes a character, as NumPy's U has


@read_from_shared_memory.register(Mission)
def _read(space, memory, n=1):
    return _array(space, memory).view(_Missions)


@write_to_shared_memory.register(Mission)
def _write(space, index, value, memory):
    _array(space, memory)[index] = value


batch_differing_spaces.register(Mission, batch_differing_spaces.dispatch(spaces.Text))
