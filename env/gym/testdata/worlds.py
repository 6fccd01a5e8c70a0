"""Worlds for the tests of package env/gym."""

import os
import sys
import time

import gymnasium
import numpy as np
from gymnasium import spaces

__version__ = "7"


class Spaces(gymnasium.Env):
    """Shows its last action, through every kind of space; an episode has 9 steps."""

    observation_space = spaces.Dict(
        {
            "b": spaces.MultiBinary(2),
            "a": spaces.Tuple((spaces.Discrete(9), spaces.Box(-np.inf, 2.5, (3,), np.float32))),
            "t": spaces.Text(100),
        }
    )
    action_space = spaces.Tuple((spaces.Discrete(3, start=3), spaces.Box(-1, 1, (2,), np.float32), spaces.MultiDiscrete([2, 3])))

    def show(self, text, one, box, pair):
        return {"a": (one, np.array([*box, pair[1]], np.float32)), "b": np.array([pair[0], 1], np.int8), "t": text}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed == 13:
            raise ValueError("unlucky seed 13")
        self.steps = 0
        return self.show("again é" if seed is None else f"seed {seed} é", 0, (0, 0), (0, 0)), {}

    def step(self, action):
        one, box, pair = action
        assert self.action_space.contains((one, box, pair)), action
        if one == 5 and box[0] == -1:
            raise RuntimeError("broken on purpose")
        self.steps += 1
        return self.show(f"step {self.steps}", one, box, pair), round(float(box[0]), 6), False, self.steps == 9, {}


class Deaths(gymnasium.Env):
    observation_space, action_space = spaces.Discrete(2), spaces.Discrete(5)

    def reset(self, *, seed=None, options=None):
        return 0, {}

    def step(self, action):
        if action == 1:
            print("going down", file=sys.stderr, flush=True)
            os._exit(7)
        if action == 2:
            time.sleep(100)
        if action == 3:
            print("to standard output")
            os.write(1, b"and to its number")
        if action == 4:
            for n in range(3, 20):  # the worker's own pipe is one of these
                try:
                    os.write(n, b"not a frame at all")
                except OSError:
                    pass
        return 1, 0.0, False, False, {}


class Fast(gymnasium.Env):
    """As little as a world can do."""

    observation_space, action_space = spaces.Box(0, 255, (147,), np.uint8), spaces.Discrete(3)
    seen = np.zeros(147, np.uint8)

    def reset(self, *, seed=None, options=None):
        return self.seen, {}

    def step(self, action):
        return self.seen, 0.0, False, False, {}


class Sequence(gymnasium.Env):
    observation_space, action_space = spaces.Sequence(spaces.Discrete(2)), spaces.Discrete(2)


class Exit(gymnasium.Env):
    def __init__(self):
        os._exit(5)


class Bytes(gymnasium.Env):
    """A walk in bytes of several kinds."""

    observation_space = spaces.Dict(
        {
            "at": spaces.Discrete(8, start=-2),
            "box": spaces.Box(0, 200, (2, 2), np.int64),
            "mission": spaces.Text(20),
        }
    )
    action_space = spaces.Discrete(2, start=1)

    def show(self):
        return {"at": self.at - 2, "box": np.full((2, 2), 25 * self.at), "mission": "go right"}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.steps = int(self.np_random.integers(7)), 0
        return self.show(), {}

    def step(self, action):
        self.steps += 1
        self.at = min(max(self.at + (1 if action == 2 else -1), 0), 7)
        return self.show(), float(self.at), self.at == 7, False, {}


gymnasium.register("Spaces-v0", Spaces, max_episode_steps=9, disable_env_checker=True)
for world in (Deaths, Fast, Sequence, Exit):
    gymnasium.register(world.__name__ + "-v0", world, disable_env_checker=True)
gymnasium.register("Bytes-v0", Bytes, max_episode_steps=20, disable_env_checker=True)
