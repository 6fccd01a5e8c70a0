"""The worker of package env/gym: environments behind frames on standard input and output.

doc.go of that package has the protocol. Go starts it with python -c; it ends with its input.
"""

import base64
import importlib
import json
import os
import platform
import signal
import struct
import sys
import traceback

PROTOCOL = 1
TERMINATED, TRUNCATED, FRESH, FINAL = 1, 2, 4, 8


def connect():
    """The two pipes; what others print to standard output goes to standard error from here on."""
    inlet, outlet = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.stdout = sys.stderr
    return inlet, outlet


def receive(inlet):
    """A frame as (type, payload); None at the end of the input."""
    head = inlet.read(12)
    if len(head) < 12:
        return None
    magic, kind, length = struct.unpack("<4sB3xI", head)
    if magic != b"PGY1":
        raise SystemExit(f"not a frame: {head!r}")
    payload = inlet.read(length)
    return None if len(payload) < length else (chr(kind), payload)


def send(outlet, kind, *parts):
    outlet.write(struct.pack("<4sB3xI", b"PGY1", ord(kind), sum(map(len, parts))))
    for part in parts:
        outlet.write(part)
    outlet.flush()


def send_json(outlet, kind, value):
    send(outlet, kind, json.dumps(value).encode())


def exception(e):
    return {"type": type(e).__name__, "message": str(e), "traceback": traceback.format_exc()}


class Leaf:
    """A space of one array: its description, and its values from and to bytes."""

    def __init__(self, space, text_bytes):
        import numpy as np
        from gymnasium import spaces

        self.kind, self.dtype, self.shape = type(space).__name__, space.dtype, space.shape
        describe = {}

        def raw(bound):
            values = np.asarray(bound, "<f8").reshape(-1)
            if values.size and (values == values[0]).all():
                values = values[:1]
            return base64.b64encode(values.tobytes()).decode()

        if isinstance(space, spaces.Box):
            self.kind = "Box"
            describe = {"low": raw(space.low), "high": raw(space.high)}
        elif isinstance(space, spaces.Discrete):
            self.kind, self.shape = "Discrete", ()
            describe = {"n": [int(space.n)], "start": [int(space.start)]}
        elif isinstance(space, spaces.MultiDiscrete):
            self.kind = "MultiDiscrete"
            start = getattr(space, "start", np.zeros_like(space.nvec))
            describe = {"n": space.nvec.reshape(-1).tolist(), "start": np.asarray(start).reshape(-1).tolist()}
        elif isinstance(space, spaces.MultiBinary):
            self.kind = "MultiBinary"
        elif space.dtype is not None and np.dtype(space.dtype).kind == "U":
            self.kind, self.dtype, self.shape = "Text", np.dtype(np.uint8), (text_bytes,)
        else:
            raise TypeError(f"the space {space} has no fixed array of numbers")
        self.dtype = np.dtype(self.dtype).newbyteorder("<")
        self.size = int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize
        self.description = {"kind": self.kind, "dtype": self.dtype.name, "shape": list(self.shape), **describe}

    def bytes(self, value):
        import numpy as np

        if self.kind == "Text":
            raw = value.encode()
            if len(raw) > self.size:
                raise ValueError(f"a text of {len(raw)} bytes: TextBytes is {self.size}")
            return raw.ljust(self.size, b"\0")
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ValueError(f"an array of shape {array.shape} in a space of shape {self.shape}")
        return array.astype(self.dtype, casting="same_kind" if array.dtype.kind != "i" else "unsafe").tobytes()

    def value(self, raw):
        import numpy as np

        if self.kind == "Text":
            return raw.rstrip(b"\0").decode()
        array = np.frombuffer(raw, self.dtype).reshape(self.shape).astype(self.dtype.newbyteorder("="))
        return array[()] if self.shape == () else array


class Tree:
    """Any space, as leaves in order."""

    def __init__(self, space, text_bytes):
        from gymnasium import spaces

        self.names = self.parts = self.leaf = None
        if isinstance(space, spaces.Dict):
            self.names = list(space.spaces)
            self.parts = [Tree(space[k], text_bytes) for k in self.names]
        elif isinstance(space, spaces.Tuple):
            self.parts = [Tree(s, text_bytes) for s in space]
        else:
            self.leaf = Leaf(space, text_bytes)
        self.size = self.leaf.size if self.leaf else sum(p.size for p in self.parts)

    def description(self):
        if self.leaf:
            return self.leaf.description
        kind = "Dict" if self.names is not None else "Tuple"
        return {"kind": kind, "names": self.names or [], "spaces": [p.description() for p in self.parts]}

    def bytes(self, value):
        if self.leaf:
            return self.leaf.bytes(value)
        values = [value[k] for k in self.names] if self.names is not None else value
        return b"".join(p.bytes(v) for p, v in zip(self.parts, values))

    def value(self, raw):
        if self.leaf:
            return self.leaf.value(raw)
        values, at = [], 0
        for p in self.parts:
            values.append(p.value(raw[at : at + p.size]))
            at += p.size
        return dict(zip(self.names, values)) if self.names is not None else tuple(values)


class Worker:
    def __init__(self, config):
        if config["protocol"] != PROTOCOL:
            raise ValueError(f"protocol {config['protocol']}, this worker speaks {PROTOCOL}")
        modules = {name: importlib.import_module(name) for name in config["imports"]}
        import gymnasium
        import numpy

        self.envs = [gymnasium.make(config["id"], **config["kwargs"]) for _ in range(config["n"])]
        self.mode = config["autoreset"]
        self.ended = [False] * len(self.envs)
        first = self.envs[0]
        self.observations = Tree(first.observation_space, config["text_bytes"])
        self.actions = Tree(first.action_space, config["text_bytes"])
        versions = {"python": platform.python_version(), "gymnasium": gymnasium.__version__, "numpy": numpy.__version__}
        for name, module in modules.items():
            versions[name] = str(getattr(module, "__version__", "?"))
        self.hello = {
            "protocol": PROTOCOL,
            "id": first.spec.id,
            "versions": versions,
            "max_steps": first.spec.max_episode_steps or getattr(first.unwrapped, "max_steps", 0) or 0,
            "observation": self.observations.description(),
            "action": self.actions.description(),
        }

    def answer(self, kind, payload):
        (count,) = struct.unpack_from("<I", payload)
        rows = struct.unpack_from(f"<{count}I", payload, 4)
        at = 4 + 4 * count
        if kind == "R":
            seeded = payload[at : at + count]
            seeds = struct.unpack_from(f"<{count}Q", payload, at + count)
            results = [self.reset(row, seeds[k] if seeded[k] else None) for k, row in enumerate(rows)]
        else:
            size = self.actions.size
            results = [self.step(row, payload[at + k * size : at + (k + 1) * size]) for k, row in enumerate(rows)]
        return (
            b"".join(r[0] for r in results),
            struct.pack(f"<{count}d", *(r[1] for r in results)),
            bytes(r[2] for r in results),
            b"".join(r[3] for r in results),
        )

    def reset(self, row, seed=None):
        obs, _ = self.envs[row].reset(seed=seed)
        self.ended[row] = False
        return self.observations.bytes(obs), 0.0, FRESH, b""

    def step(self, row, action):
        if self.ended[row] and self.mode == "next-step":
            return self.reset(row)
        obs, reward, terminated, truncated, _ = self.envs[row].step(self.actions.value(action))
        flags = (TERMINATED if terminated else 0) | (TRUNCATED if truncated else 0)
        raw = self.observations.bytes(obs)
        if not flags:
            return raw, float(reward), 0, b""
        if self.mode == "same-step":
            return self.reset(row)[0], float(reward), flags | FRESH | FINAL, raw
        self.ended[row] = True
        return raw, float(reward), flags | FINAL, raw


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    inlet, outlet = connect()
    worker = None
    while True:
        frame = receive(inlet)
        if frame is None or frame[0] == "C":
            break
        try:
            if frame[0] == "I":
                worker = Worker(json.loads(frame[1]))
                send_json(outlet, "H", worker.hello)
            else:
                send(outlet, "O", *worker.answer(*frame))
        except Exception as e:
            send_json(outlet, "E", exception(e))
    for env in worker.envs if worker else []:
        env.close()


if __name__ == "__main__":
    main()
