"""Gymnasium's Env and VectorEnv over the library."""

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from . import _minigrid, _native
from ._layout import Layout

_METADATA = {"render_modes": ["rgb_array", "ansi"], "render_fps": 10}
_MODES = {
    AutoresetMode.SAME_STEP: _native.SAME_STEP,
    AutoresetMode.NEXT_STEP: _native.NEXT_STEP,
    AutoresetMode.DISABLED: _native.DISABLED,
}


def _seed(seed):
    """A seed as the library takes it: Gymnasium's own, whole numbers of at least 0, up to 64 bits."""
    if seed is None:
        return None
    if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)):
        raise gymnasium.error.Error(f"seed {seed!r}: want a whole number")
    if not 0 <= seed < 1 << 64:
        raise gymnasium.error.Error(f"seed {seed}: want 0 to 2**64 - 1")
    return int(seed)


def _entropy(n):
    """Seeds for environments that were never given one."""
    return [int(s) for s in np.random.SeedSequence().generate_state(n, np.uint64)]


def _check_mode(render_mode):
    if render_mode is not None and render_mode not in _METADATA["render_modes"]:
        raise ValueError(f"render_mode {render_mode!r}: want one of {', '.join(_METADATA['render_modes'])}")


def _draw(world, row, mode, tile):
    if mode == "rgb_array":
        return world.render(row, tile)
    if mode == "ansi":
        return world.text(row)
    return None


class Env(_minigrid.Attributes, gymnasium.Env):
    """One environment of ponder.

    env_id is ponder's own, as "MiniGrid-DoorKey-8x8-v0" or "maze/21x21-v0"; options are those of
    `ponder_env.entries()`, and levels="LO:HI", limit, stack, mask of every environment. tile_size is
    the pixels a cell of rgb_array frames.

    It is pickled and copied with its whole state, and goes on from there by itself. Environments of
    MiniGrid's family also have the attributes of the minigrid package's, as agent_pos and grid, to
    be read (_minigrid.py).
    """

    metadata = dict(_METADATA)
    _world = None  # until it is made

    def __init__(self, env_id, render_mode=None, tile_size=32, **options):
        _check_mode(render_mode)
        self.render_mode, self.tile_size = render_mode, tile_size
        self._world = _native.World(env_id, 1, options, _native.DISABLED, threads=1)
        self._layout = Layout(self._world.spec)
        self.observation_space = self._layout.space
        self.action_space = spaces.Discrete(self._world.actions)
        self.action_names = tuple(self._world.spec["actions"])
        self._action = np.zeros(1, np.int64)
        self.mission = ""

    def reset(self, *, seed=None, options=None):
        """Begin an episode. A seed gives the episode that it gives everywhere; without one the
        random stream goes on, from a random start if there never was one."""
        seed = _seed(seed)
        super().reset(seed=seed)
        if seed is None and not self._world.begun[0]:
            (seed,) = _entropy(1)
        self._world.reset(None if seed is None else [seed])
        if self._world.spec["mission"]:
            self.mission = self._world.mission(0)
        return self._layout.one(self._world.obs[0], self.mission), {}

    def step(self, action):
        if not isinstance(action, (int, np.integer)) and getattr(action, "dtype", np.dtype(float)).kind not in "iu":
            raise TypeError(f"action {action!r}: want a whole number")
        action = int(action)
        if not 0 <= action < self._world.actions:
            raise ValueError(f"action {action} is not in [0, {self._world.actions})")
        self._action[0] = action
        world = self._world
        world.step(self._action)
        return (
            self._layout.one(world.obs[0], self.mission),
            float(world.rewards[0]),
            bool(world.terminated[0]),
            bool(world.truncated[0]),
            {},
        )

    def render(self):
        """The frame of render_mode: [height, width, 3] uint8, or the level as text for ansi."""
        if self.render_mode is None:
            gymnasium.logger.warn("render was called without a render_mode, which is fixed when the environment is made")
        return _draw(self._world, 0, self.render_mode, self.tile_size)

    def action_masks(self):
        """Which actions would change anything now, bool [actions]."""
        return self._world.mask(0)

    def snapshot(self):
        """The whole state as bytes, the random stream included."""
        return self._world.snapshot(0)

    def restore(self, state):
        """Go back to a snapshot of an environment of the same id and options; returns its observation."""
        self._world.restore(0, state)
        if self._world.spec["mission"]:
            self.mission = self._world.mission(0)
        return self._layout.one(self._world.obs[0], self.mission)

    def close(self):
        if self._world:
            self._world.close()


class VectorEnv(gymnasium.vector.VectorEnv):
    """num_envs environments of one id, stepped in the library on up to `threads` threads (0: one
    below 256 environments, then all processors). max_episode_steps is Gymnasium's name of the option
    limit.
    """

    _world = None  # until it is made

    def __init__(
        self,
        env_id,
        num_envs=1,
        autoreset_mode=AutoresetMode.NEXT_STEP,
        render_mode=None,
        tile_size=32,
        threads=0,
        max_episode_steps=None,
        **options,
    ):
        _check_mode(render_mode)
        if max_episode_steps not in (None, -1):
            if max_episode_steps < 1:
                raise ValueError(f"max_episode_steps {max_episode_steps}: want at least 1, or -1 for no limit of Gymnasium's")
            options["limit"] = min(max_episode_steps, int(options.get("limit", 0)) or max_episode_steps)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.num_envs, self.render_mode, self.tile_size = num_envs, render_mode, tile_size
        self._world = _native.World(env_id, num_envs, options, _MODES[self.autoreset_mode], threads)
        self._layout = Layout(self._world.spec)
        self.metadata = dict(_METADATA, autoreset_mode=self.autoreset_mode)
        self.single_observation_space = self._layout.space
        self.single_action_space = spaces.Discrete(self._world.actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.action_names = tuple(self._world.spec["actions"])
        self._missions = [""] * num_envs

    def reset(self, *, seed=None, options=None):
        """Begin episodes. An int seeds environment i with seed + i, a list each with its own;
        options={"reset_mask": bool array} leaves the rows that are False as they are."""
        n = self.num_envs
        if seed is None:
            seeds = [None] * n
        elif isinstance(seed, (list, tuple, np.ndarray)):
            seeds = [_seed(s) for s in seed]
            if len(seeds) != n:
                raise ValueError(f"{len(seeds)} seeds for {n} environments")
        else:
            seed = _seed(seed)
            super().reset(seed=seed)
            seeds = [_seed(seed + i) for i in range(n)]
        mask = None
        if options is not None and "reset_mask" in options:
            mask = options["reset_mask"]
            if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
                raise TypeError("options['reset_mask'] must be an array of bool")
            if mask.shape != (n,):
                raise ValueError(f"options['reset_mask'] has the shape {mask.shape}, want ({n},)")
            if not mask.any():
                raise ValueError("options['reset_mask'] resets nothing")
        rows = np.ones(n, np.bool_) if mask is None else mask
        random = [i for i in np.flatnonzero(rows & ~self._world.begun) if seeds[i] is None]
        for i, s in zip(random, _entropy(len(random))):
            seeds[i] = s
        self._world.reset(seeds, mask)
        self._read_missions(rows)
        return self._observations(), {}

    def step(self, actions):
        actions = np.asarray(actions)
        if actions.dtype.kind not in "iu" or actions.shape != (self.num_envs,):
            raise ValueError(f"actions of {actions.dtype}{list(actions.shape)}: want {self.num_envs} whole numbers")
        world, infos = self._world, {}
        happened = world.step(np.ascontiguousarray(actions, np.int64))
        if happened & _native.ENDED and self.autoreset_mode == AutoresetMode.SAME_STEP:
            infos = self._final(world.terminated | world.truncated)
        if happened & _native.FRESH:
            self._read_missions(world.fresh)
        return (
            self._observations(),
            world.rewards.copy(),
            world.terminated.copy(),
            world.truncated.copy(),
            infos,
        )

    def _observations(self):
        return self._layout.many(self._world.obs, self._missions)

    def _final(self, ended):
        """The infos of Gymnasium's same-step autoreset."""
        final = np.full(self.num_envs, None, dtype=object)
        for i in np.flatnonzero(ended):
            final[i] = self._layout.one(self._world.final[i], self._missions[i])
        return {"final_obs": final, "_final_obs": ended, "final_info": {}, "_final_info": ended.copy()}

    def _read_missions(self, rows):
        if self._layout.missions:
            for i in np.flatnonzero(rows):
                self._missions[i] = self._world.mission(int(i))

    def render(self):
        """A frame of each environment."""
        return tuple(_draw(self._world, i, self.render_mode, self.tile_size) for i in range(self.num_envs))

    def action_masks(self):
        """Which actions would change anything now, bool [num_envs, actions]."""
        return np.stack([self._world.mask(i) for i in range(self.num_envs)])

    def snapshot(self, index):
        """The whole state of an environment as bytes, that of its row included."""
        return self._world.snapshot(index)

    def restore(self, index, state):
        """Put a snapshot into an environment; returns the observations of all."""
        self._world.restore(index, state)
        self._read_missions(np.arange(self.num_envs) == index)
        return self._observations()

    def close_extras(self, **kwargs):
        if self._world:
            self._world.close()
