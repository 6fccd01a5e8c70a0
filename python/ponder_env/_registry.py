"""ponder's ids in Gymnasium's registry."""

import collections

import gymnasium
from gymnasium.envs import registration

from . import _native
from ._ids import FAMILIES, IDS

_NAMESPACE = "ponder/"


def _spec(name, env_id):
    return registration.EnvSpec(
        name,
        entry_point="ponder_env:Env",
        vector_entry_point="ponder_env:VectorEnv",
        kwargs={"env_id": env_id},
    )


def _own(name):
    """The id of ponder's that a name of Gymnasium's may stand for, or None."""
    if name.startswith(_NAMESPACE):
        name = name[len(_NAMESPACE) :]
        family, _, rest = name.partition("-")
        return f"{family}/{rest}" if family in FAMILIES and rest else name
    return name if name.partition("/")[0] in FAMILIES else None


class _Registry(collections.UserDict):
    """Gymnasium's registry, in the same dict, with all ids that ponder can make.

    Gymnasium has no hook for ids that are not written out beforehand: it looks them up in a dict and is
    done. What it finds here it does not keep.
    """

    def __init__(self, registry):
        self.data = registry

    def __missing__(self, name):
        env_id = _own(name) if isinstance(name, str) else None
        if env_id is None or _native.find(env_id) is None:
            raise KeyError(name)
        return _spec(name, env_id)

    def values(self):  # which make walks through; a UserDict's own look up each
        return self.data.values()

    def get(self, name, default=None):
        try:
            return self[name]
        except KeyError:
            return default


def fill():
    """Register what can be made without options."""
    for env_id in IDS:
        name = _NAMESPACE + env_id.replace("/", "-")
        registration.registry[name] = _spec(name, env_id)
    if not isinstance(registration.registry, _Registry):
        registration.registry = _Registry(registration.registry)


def register(id):
    """List an environment of ponder with Gymnasium; returns its id there."""
    name = _NAMESPACE + id.replace("/", "-")
    if name not in gymnasium.registry:
        registration.registry[name] = _spec(name, id)
    return name
