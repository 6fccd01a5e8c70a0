"""ponder's environments for Gymnasium.

    import gymnasium, ponder_env
    env = gymnasium.make("ponder/MiniGrid-DoorKey-8x8-v0", render_mode="rgb_array")
    env = gymnasium.make("ponder_env:ponder/maze-21x9-v0")  # imports ponder_env by itself
    envs = gymnasium.make_vec("ponder/maze-15x15-v0", num_envs=256)

Importing registers the ids of `ponder env list` in the namespace ponder, a slash in them written as a
hyphen, since Gymnasium allows one. Ids of a range, as maze-21x9-v0, and those that want an option are
not listed but made all the same. `Env` and `VectorEnv` take ponder's own ids.
"""

from ._native import PonderError, entries
from ._registry import fill, register
from .agents import Agent, load_agent
from .envs import Env, VectorEnv

__version__ = "0.1.0"
__all__ = ["Agent", "Env", "PonderError", "VectorEnv", "entries", "load_agent", "register"]

fill()
