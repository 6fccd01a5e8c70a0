"""The C library of cmd/pyenv by ctypes. One class, World, is a handle with the memory it writes."""

import base64
import ctypes
import json
import os
import sys
import tempfile
from ctypes import POINTER, byref, c_char_p, c_longlong, c_void_p

import numpy as np

ABI = 3
SAME_STEP, NEXT_STEP, DISABLED = 0, 1, 2
ENDED, FRESH = 1, 2  # bits of what step answers
WHOLE, UNLIT, SEEN = 0, 1, 2  # what a picture shows


class PonderError(RuntimeError):
    """What the library says is wrong; nothing has changed."""


class _Buffers(ctypes.Structure):
    _fields_ = [
        field
        for name in ("obs", "final", "rewards", "terminated", "truncated", "fresh")
        for field in ((name, c_void_p), (name + "_len", c_longlong))
    ]


_NAME = {"win32": "ponder_env.dll", "darwin": "libponder_env.dylib"}.get(sys.platform, "libponder_env.so")
_lib = None
_begun = False  # the library is, or is being, loaded in this process or was in an ancestor of it
_inherited = False  # the latter
_process = object()  # stands for this process, another after a fork


def _forked():
    global _lib, _inherited, _process
    _lib, _inherited, _process = None, _begun, object()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

_ARGUMENTS = {
    "abi": [],
    "error": [c_void_p, c_longlong],
    "list": [c_char_p, c_longlong, c_void_p, c_longlong],
    "find": [c_char_p, c_longlong, c_void_p, c_longlong],
    "make": [c_char_p, c_longlong, c_longlong, c_char_p, c_longlong, c_longlong, c_longlong],
    "close": [c_longlong],
    "spec": [c_longlong, c_void_p, c_longlong],
    "reset": [c_longlong, c_void_p, c_void_p, c_void_p, c_longlong, POINTER(_Buffers)],
    "step": [c_longlong, c_void_p, c_longlong, POINTER(_Buffers)],
    "snapshot": [c_longlong, c_longlong, c_void_p, c_longlong],
    "restore": [c_longlong, c_longlong, c_char_p, c_longlong, POINTER(_Buffers)],
    "mission": [c_longlong, c_longlong, c_void_p, c_longlong],
    "text": [c_longlong, c_longlong, c_void_p, c_longlong],
    "mask": [c_longlong, c_longlong, c_void_p, c_longlong],
    "minigrid": [c_longlong, c_longlong, c_void_p, c_longlong],
    "size": [c_longlong, c_longlong, c_longlong, c_longlong, c_void_p],
    "render": [c_longlong, c_longlong, c_longlong, c_longlong, c_void_p, c_longlong],
    "agent": [c_char_p, c_longlong, c_char_p, c_longlong, c_char_p, c_longlong],
    "agent_another": [c_longlong],
    "agent_close": [c_longlong],
    "agent_spec": [c_longlong, c_void_p, c_longlong],
    "agent_act": [c_longlong, c_void_p, c_longlong, c_char_p, c_longlong, c_longlong],
}


def library():
    """This process's library, loaded at the first use.

    The threads of a Go runtime do not come along into a process made by fork. Such a process, if an
    ancestor has loaded the library, loads a copy of the file: of the file itself the loader would give
    back what the ancestor left. The copy is a second runtime beside the dead one.
    """
    global _lib, _begun
    if _lib is None:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), _NAME)
        if not os.path.exists(path):
            raise ImportError(f"{path} is missing: `make wheel` in ponder's repository builds it")
        _begun = True
        lib = _load_copy(path) if _inherited else ctypes.CDLL(path)
        for name, arguments in _ARGUMENTS.items():
            function = getattr(lib, "ponder_" + name)
            function.argtypes, function.restype = arguments, c_longlong
        if lib.ponder_abi() != ABI:
            raise ImportError(f"{path} has the interface {lib.ponder_abi()}, this package needs {ABI}: build both anew")
        _lib = lib
    return _lib


def _load_copy(path):
    """The library from a copy under a name of its own, which is gone once it is loaded."""
    with open(path, "rb") as file:
        code = file.read()
    try:  # Linux's files in memory need no folder, which may be full or forbid programs
        fd = os.memfd_create("ponder_env")
        with open(fd, "wb") as copy:
            copy.write(code)
            copy.flush()
            return ctypes.CDLL(f"/proc/{os.getpid()}/fd/{fd}")
    except (AttributeError, OSError):
        fd, name = tempfile.mkstemp(suffix=_NAME)
    try:
        with open(fd, "wb") as copy:
            copy.write(code)
        return ctypes.CDLL(name)
    finally:
        os.unlink(name)


def _text(lib, call, *arguments):
    """What a function that fills a buffer has to say, as bytes."""
    size = 4096
    while True:
        buffer = ctypes.create_string_buffer(size)
        n = call(*arguments, buffer, size)
        if n < 0:
            fail(lib)
        if n <= size:
            return buffer.raw[:n]
        size = n


def fail(lib):
    """Raise the last error of this thread in the library."""
    raise PonderError(_text(lib, lib.ponder_error).decode("utf-8", "replace"))


def entries(pattern=""):
    """The environments that a pattern matches, as dicts: id, family, form, aliases, about, options."""
    lib, raw = library(), pattern.encode()
    return json.loads(_text(lib, lib.ponder_list, raw, len(raw)))


def find(id):
    """The entry that opens an id, which may be one of a range, or None."""
    lib, raw = library(), id.encode()
    try:
        return json.loads(_text(lib, lib.ponder_find, raw, len(raw)))
    except PonderError:
        return None


def _option(name, value):
    return f"{name}={str(value).lower() if isinstance(value, bool) else value}"


class World:
    """n environments of one id. After reset and step its arrays hold what happened:

    obs, final  uint8 [n, obs_len]; final only in rows whose episode ended in the last step
    rewards     float64 [n]
    terminated, truncated, fresh  bool [n]; fresh: obs is the first observation of an episode
    begun       bool [n]: the row was reset, or restored, at least once

    It is pickled and copied with the state of every row.
    """

    def __init__(self, id, n, options, autoreset, threads=0):
        self._handle = 0
        self._arguments = (id, n, options, autoreset, threads)
        raw = id.encode()
        opts = json.dumps([_option(k, v) for k, v in options.items()]).encode()
        self._lib, self._process = library(), _process
        self._handle = self._checked(self._lib.ponder_make(raw, len(raw), n, opts, len(opts), autoreset, threads))
        self.n = n
        self.spec = json.loads(_text(self._lib, self._lib.ponder_spec, self._handle))
        self.actions = len(self.spec["actions"])
        length = self.spec["obs_len"]
        self.obs = np.zeros((n, length), np.uint8)
        self.final = np.zeros((n, length), np.uint8)
        self.rewards = np.zeros(n, np.float64)
        self.terminated, self.truncated, self.fresh, self.begun = (np.zeros(n, np.bool_) for _ in range(4))
        self._buffers = _Buffers()
        for name in ("obs", "final", "rewards", "terminated", "truncated", "fresh"):
            array = getattr(self, name)
            setattr(self._buffers, name, array.ctypes.data)
            setattr(self._buffers, name + "_len", array.size)
        self._pointer = byref(self._buffers)
        self._looks = {}  # what minigrid answered, by row, until something changes

    def __reduce__(self):
        if not self._handle:
            return _closed, (self._arguments,)
        return _revived, (self._arguments, [self.snapshot(i) if self.begun[i] else None for i in range(self.n)])

    def _open(self):
        """The handle, if it can be used here."""
        if self._process is not _process:
            raise PonderError(
                "the environment was made before this process was forked, and Go's runtime does not survive that: "
                "make it in the process that uses it, or pickle it before and load it here"
            )
        if not self._handle:
            raise PonderError("the environment is closed")
        return self._handle

    def _checked(self, n):
        if n < 0:
            fail(self._lib)
        return n

    def _text(self, call, row):
        return _text(self._lib, call, self._open(), row)

    def reset(self, seeds=None, mask=None):
        """Begin episodes. seeds has an int or None for each row, None continues its random stream."""
        self._looks = {}
        values = seeded = None
        if seeds is not None:
            values = np.array([0 if s is None else s for s in seeds], np.uint64)
            seeded = np.array([s is not None for s in seeds], np.uint8)
        if mask is not None:
            mask = np.ascontiguousarray(mask, np.uint8)
        for array in (values, mask):
            if array is not None and array.shape != (self.n,):
                raise ValueError(f"{array.shape} seeds or mask for {self.n} environments")
        pointers = [None if a is None else a.ctypes.data for a in (values, seeded, mask)]
        self._checked(self._lib.ponder_reset(self._open(), *pointers, self.n, self._pointer))
        self.begun |= True if mask is None else mask.astype(np.bool_)

    def step(self, actions):
        """Act in all rows; actions is a contiguous int64 array."""
        if self._looks:
            self._looks = {}
        pointer = actions.__array_interface__["data"][0]
        done = self._lib.ponder_step(self._open(), pointer, actions.size, self._pointer)
        if done < 0:
            fail(self._lib)
        return done

    def snapshot(self, row):
        return self._text(self._lib.ponder_snapshot, row)

    def restore(self, row, state, show=True):
        """Put a snapshot into a row; show fills the arrays, those of all rows."""
        self._looks = {}
        pointer = self._pointer if show else None
        self._checked(self._lib.ponder_restore(self._open(), row, state, len(state), pointer))
        self.begun[row] = True

    def mission(self, row):
        return self._text(self._lib.ponder_mission, row).decode()

    def text(self, row):
        return self._text(self._lib.ponder_text, row).decode()

    def mask(self, row):
        mask = np.zeros(self.actions, np.bool_)
        self._checked(self._lib.ponder_mask(self._open(), row, mask.ctypes.data, mask.size))
        return mask

    def minigrid(self, row):
        """What a row of MiniGrid's family is like, as a dict; its grid is uint8 [width, height, 3].

        It is the same dict until the next step.
        """
        self._open()
        if row not in self._looks:
            state = json.loads(self._text(self._lib.ponder_minigrid, row))
            cells = np.frombuffer(base64.b64decode(state["grid"]), np.uint8)
            state["grid"] = cells.reshape(state["width"], state["height"], 3)
            self._looks[row] = state
        return self._looks[row]

    def render(self, row, tile, what=WHOLE):
        size = np.zeros(2, np.int64)
        self._checked(self._lib.ponder_size(self._open(), row, tile, what, size.ctypes.data))
        frame = np.zeros((size[1], size[0], 3), np.uint8)
        self._checked(self._lib.ponder_render(self._handle, row, tile, what, frame.ctypes.data, frame.size))
        return frame

    def close(self):
        handle, self._handle = self._handle, 0
        if handle and self._process is _process:
            self._lib.ponder_close(handle)

    def __del__(self):
        if getattr(self, "_handle", 0):
            self.close()


class Mind:
    """A model that thinks about one episode of an environment."""

    def __init__(self, model, env_id, options):
        self._handle = 0
        raw = (model.encode(), env_id.encode(), json.dumps([_option(k, v) for k, v in options.items()]).encode())
        self._lib, self._process = library(), _process
        arguments = [x for b in raw for x in (b, len(b))]
        self._handle = self._checked(self._lib.ponder_agent(*arguments))
        self.spec = json.loads(_text(self._lib, self._lib.ponder_agent_spec, self._handle))

    def another(self):
        """One of the same model and environment, for another episode."""
        mind = object.__new__(Mind)
        mind._handle = 0
        mind._lib, mind._process, mind.spec = self._lib, self._process, self.spec
        mind._handle = self._checked(self._lib.ponder_agent_another(self._open()))
        return mind

    def _open(self):
        if self._process is not _process:
            raise PonderError("the agent was loaded before this process was forked: load it in the process that uses it")
        if not self._handle:
            raise PonderError("the agent is closed")
        return self._handle

    def _checked(self, n):
        if n < 0:
            fail(self._lib)
        return n

    def act(self, obs, mission, fresh):
        """The action for an observation, contiguous uint8."""
        raw = mission.encode()
        return self._checked(self._lib.ponder_agent_act(self._open(), obs.ctypes.data, obs.size, raw, len(raw), fresh))

    def close(self):
        handle, self._handle = self._handle, 0
        if handle and self._process is _process:
            self._lib.ponder_agent_close(handle)

    def __del__(self):
        if getattr(self, "_handle", 0):
            self.close()


def _revived(arguments, states):
    world = World(*arguments)
    rows = [i for i, state in enumerate(states) if state is not None]
    for i in rows:
        world.restore(i, states[i], show=i == rows[-1])
    return world


def _closed(arguments):
    world = World(*arguments)
    world.close()
    return world
