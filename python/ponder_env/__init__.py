"""ponder's environments for Gymnasium.

    import gymnasium, ponder_env
    env = gymnasium.make("ponder/MiniGrid-DoorKey-8x8-v0", render_mode="rgb_array")
    envs = gymnasium.make_vec("ponder/maze-15x15-v0", num_envs=256)

Importing registers every id of `ponder env list` in the namespace ponder, a slash in it written as
a hyphen, since Gymnasium allows one. Ids of a range, as maze/21x9-v0, are registered by
`register`, or opened by `Env` and `VectorEnv` directly.
"""

import gymnasium

from ._native import PonderError, entries
from .envs import Env, VectorEnv

__version__ = "0.1.0"
__all__ = ["Env", "PonderError", "VectorEnv", "entries", "register"]


def register(id):
    """Register an environment of ponder with Gymnasium; returns its id there."""
    name = "ponder/" + id.replace("/", "-")
    if name not in gymnasium.registry:
        gymnasium.register(
            name, entry_point="ponder_env:Env", vector_entry_point="ponder_env:VectorEnv", kwargs={"id": id}
        )
    return name


for _entry in entries():
    register(_entry["id"])
del _entry
