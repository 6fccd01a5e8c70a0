"""Trained agents, which think without torch."""

import numpy as np

from . import _native


class Agent:
    """A network that acts in an environment. Its predict is that of Stable-Baselines3's policies, for one
    environment; all that it takes is deterministic."""

    def __init__(self, model, env_id=None, **options):
        self._mind = _native.Mind(model, env_id or "", options)
        spec = self._mind.spec
        self.env_id, self.action_names = spec["id"], tuple(spec["actions"])
        self._fields = [(f["name"], int(np.prod(f["shape"]))) for f in spec["layout"]]
        self._size = spec["obs_len"]

    def predict(self, obs, state=None, episode_start=None, deterministic=True):
        """The action for an observation, and the state to give back with the next one of the episode.

        Without a state, or with episode_start, an episode begins. A state moves on with every call: it belongs to
        one episode and cannot be copied.
        """
        fresh = state is None or bool(np.any(episode_start))
        if state is None:
            state = self._mind.another()
        elif not isinstance(state, _native.Mind):
            raise TypeError(f"state {state!r}: want None, or what predict returned")
        row, mission = self._bytes(obs)
        return np.int64(state.act(row, mission, fresh)), state

    def _bytes(self, obs):
        """The bytes of an observation, and the text of its mission if that is given as one."""
        if not isinstance(obs, dict):
            obs = {self._fields[0][0]: obs} if len(self._fields) == 1 else {}
        row, mission, at = np.zeros(self._size, np.uint8), "", 0
        for name, size in self._fields:
            if name not in obs:
                raise ValueError(f"an observation of {self.env_id} is a dict of {', '.join(n for n, _ in self._fields)}: there is no {name}")
            if isinstance(obs[name], str):
                mission = obs[name]
            else:
                part = np.asarray(obs[name])
                if part.size != size or part.dtype.kind not in "iu" or part.min() < 0 or part.max() > 255:
                    raise ValueError(f"{name}: {part.size} of type {part.dtype}, want {size} whole numbers from 0 to 255")
                row[at : at + size] = part.ravel()
            at += size
        return row, mission

    def close(self):
        """Free the network; it is freed with the last state, too."""
        self._mind.close()


def load_agent(model, env_id=None, **options):
    """The agent of a shipped model ("maze", "doorkey-5x5") or of a checkpoint folder, in ponder's environment
    env_id with its options; by default the one that a shipped model is for."""
    return Agent(model, env_id, **options)
