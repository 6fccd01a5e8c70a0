"""The C library of cmd/pyenv by ctypes. One class, World, is a handle with the memory it writes."""

import ctypes
import json
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_longlong, c_void_p

import numpy as np

ABI = 1
SAME_STEP, NEXT_STEP, DISABLED = 0, 1, 2
ENDED, FRESH = 1, 2  # bits of what reset and step answer


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
_pid = 0

_ARGUMENTS = {
    "abi": [],
    "error": [c_void_p, c_longlong],
    "list": [c_char_p, c_longlong, c_void_p, c_longlong],
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
    "size": [c_longlong, c_longlong, c_longlong, c_void_p],
    "render": [c_longlong, c_longlong, c_longlong, c_void_p, c_longlong],
}


def library():
    """The loaded library. A process made by fork after it was loaded cannot use it."""
    global _lib, _pid
    if _lib is None:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), _NAME)
        if not os.path.exists(path):
            raise ImportError(f"{path} is missing: `make wheel` in ponder's repository builds it")
        lib = ctypes.CDLL(path)
        for name, arguments in _ARGUMENTS.items():
            function = getattr(lib, "ponder_" + name)
            function.argtypes, function.restype = arguments, c_longlong
        if lib.ponder_abi() != ABI:
            raise ImportError(f"{path} has the interface {lib.ponder_abi()}, this package needs {ABI}: build both anew")
        _lib, _pid = lib, os.getpid()
    elif _pid != os.getpid():
        raise PonderError(
            "ponder_env was loaded before this process was forked, which Go's runtime does not survive: "
            "use the multiprocessing start method spawn or forkserver, or VectorEnv, which needs no processes"
        )
    return _lib


def _text(call, *arguments):
    """What a function that fills a buffer has to say, as bytes."""
    size = 4096
    while True:
        buffer = ctypes.create_string_buffer(size)
        n = call(*arguments, buffer, size)
        if n < 0:
            fail()
        if n <= size:
            return buffer.raw[:n]
        size = n


def fail():
    """Raise the thread's last error."""
    raise PonderError(_text(library().ponder_error).decode("utf-8", "replace"))


def _checked(n):
    if n < 0:
        fail()
    return n


def entries(pattern=""):
    """The environments that a pattern matches, as dicts: id, family, form, aliases, about, options."""
    raw = pattern.encode()
    return json.loads(_text(library().ponder_list, raw, len(raw)))


def _option(name, value):
    return f"{name}={str(value).lower() if isinstance(value, bool) else value}"


class World:
    """n environments of one id. After reset and step its arrays hold what happened:

    obs, final  uint8 [n, obs_len]; final only in rows whose episode ended in the last step
    rewards     float64 [n]
    terminated, truncated, fresh  bool [n]; fresh: obs is the first observation of an episode
    """

    def __init__(self, id, n, options, autoreset, threads=0):
        self._handle = 0
        raw = id.encode()
        opts = json.dumps([_option(k, v) for k, v in options.items()]).encode()
        self._lib = library()
        self._handle = _checked(self._lib.ponder_make(raw, len(raw), n, opts, len(opts), autoreset, threads))
        self.n = n
        self.spec = json.loads(_text(self._lib.ponder_spec, self._handle))
        self.actions = len(self.spec["actions"])
        length = self.spec["obs_len"]
        self.obs = np.zeros((n, length), np.uint8)
        self.final = np.zeros((n, length), np.uint8)
        self.rewards = np.zeros(n, np.float64)
        self.terminated, self.truncated, self.fresh = (np.zeros(n, np.bool_) for _ in range(3))
        self._buffers = _Buffers()
        for name in ("obs", "final", "rewards", "terminated", "truncated", "fresh"):
            array = getattr(self, name)
            setattr(self._buffers, name, array.ctypes.data)
            setattr(self._buffers, name + "_len", array.size)
        self._pointer = byref(self._buffers)

    def _open(self):
        if not self._handle:
            raise PonderError("the environment is closed")
        return library() and self._handle  # library refuses in a forked process

    def reset(self, seeds=None, mask=None):
        """Begin episodes. seeds has an int or None for each row, None continues its random stream."""
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
        return _checked(self._lib.ponder_reset(self._open(), *pointers, self.n, self._pointer))

    def step(self, actions):
        """Act in all rows; actions is a contiguous int64 array."""
        done = self._lib.ponder_step(self._handle, actions.__array_interface__["data"][0], actions.size, self._pointer)
        if done < 0:
            self._open()
            fail()
        return done

    def snapshot(self, row):
        return _text(self._lib.ponder_snapshot, self._open(), row)

    def restore(self, row, state):
        return _checked(self._lib.ponder_restore(self._open(), row, state, len(state), self._pointer))

    def mission(self, row):
        return _text(self._lib.ponder_mission, self._open(), row).decode()

    def text(self, row):
        return _text(self._lib.ponder_text, self._open(), row).decode()

    def mask(self, row):
        mask = np.zeros(self.actions, np.bool_)
        _checked(self._lib.ponder_mask(self._open(), row, mask.ctypes.data, mask.size))
        return mask

    def render(self, row, tile):
        size = np.zeros(2, np.int64)
        _checked(self._lib.ponder_size(self._open(), row, tile, size.ctypes.data))
        frame = np.zeros((size[1], size[0], 3), np.uint8)
        _checked(self._lib.ponder_render(self._handle, row, tile, frame.ctypes.data, frame.size))
        return frame

    def close(self):
        handle, self._handle = self._handle, 0
        if handle and _pid == os.getpid():
            self._lib.ponder_close(handle)

    def __del__(self):
        if getattr(self, "_handle", 0):
            self.close()
