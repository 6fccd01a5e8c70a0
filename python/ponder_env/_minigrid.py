"""The attributes by which wrappers of the minigrid package look into an environment."""

import functools
import sys
import types

from ._native import SEEN, UNLIT, WHOLE

# What minigrid works out from the attributes below, by methods that change nothing.
_DERIVED = {
    "agent_sees", "dir_vec", "front_pos", "gen_obs", "gen_obs_grid", "get_full_render", "get_pov_render",
    "get_view_coords", "get_view_exts", "hash", "in_view", "pprint_grid", "relative_coords", "right_vec",
    "steps_remaining",
}  # fmt: skip


class Attributes:
    """Read-only attributes of minigrid's MiniGridEnv. Environments of other families have none of them.

    grid and carrying are copies made of minigrid's own classes, as are the results of its methods, so
    that package must be installed for them.
    """

    highlight = True  # whether RGBImgObsWrapper's pictures show what the agent sees

    def _minigrid_state(self, name):
        world = self._world
        if world is None or world.spec["family"] != "minigrid":
            raise AttributeError(_unknown(self, name))
        return world.minigrid(0)

    @property
    def width(self):
        return self._minigrid_state("width")["width"]

    @property
    def height(self):
        return self._minigrid_state("height")["height"]

    @property
    def agent_pos(self):
        state = self._minigrid_state("agent_pos")
        return state["x"], state["y"]

    @property
    def agent_dir(self):
        return self._minigrid_state("agent_dir")["dir"]

    @property
    def agent_view_size(self):
        return self._minigrid_state("agent_view_size")["view"]

    @property
    def see_through_walls(self):
        return self._minigrid_state("see_through_walls")["through"]

    @property
    def step_count(self):
        return self._minigrid_state("step_count")["steps"]

    @property
    def max_steps(self):
        return self._minigrid_state("max_steps")["limit"]

    @property
    def carrying(self):
        state = self._minigrid_state("carrying")
        return _classes().decode(state["carrying"], state["within"])

    @property
    def grid(self):
        state = self._minigrid_state("grid")
        if "copy" not in state:
            state["copy"] = _classes().Copy(state)
        return state["copy"]

    @property
    def actions(self):
        return self._minigrid_state("actions") and _classes().Actions

    def get_frame(self, highlight=True, tile_size=32, agent_pov=False):
        """The whole grid, or what the agent sees, [height, width, 3] uint8."""
        self._minigrid_state("get_frame")
        return self._world.render(0, tile_size, SEEN if agent_pov else WHOLE if highlight else UNLIT)

    def __getattr__(self, name):
        # Also called for the properties above where they raise an AttributeError.
        if name in _DERIVED:
            self._minigrid_state(name)
            try:
                attribute = getattr(_classes().MiniGridEnv, name)
            except AttributeError:
                raise AttributeError(_unknown(self, name)) from None
            if isinstance(attribute, property):
                return attribute.fget(self)
            return types.MethodType(attribute, self)
        raise AttributeError(_unknown(self, name))


def _unknown(env, name):
    """Why an attribute is not there."""
    spec = env._world.spec if env._world else {"id": "an environment that is not made", "family": ""}
    if name in _DERIVED or isinstance(getattr(Attributes, name, None), (property, types.FunctionType)):
        if spec["family"] != "minigrid":
            return f"{spec['id']} has no attribute {name!r}, only environments of MiniGrid's family have it"
        return f"{spec['id']}: the attribute {name!r} needs the package minigrid; {_OPTIONS}"
    minigrid = sys.modules.get("minigrid.minigrid_env")  # not imported for a name that anybody may ask for
    if minigrid and spec["family"] == "minigrid" and hasattr(minigrid.MiniGridEnv, name):
        return f"{spec['id']} has no attribute {name!r} of minigrid's: its state can be read, not changed; {_OPTIONS}"
    return f"{type(env).__name__!r} object has no attribute {name!r}"


_OPTIONS = 'observations of other kinds are options, as obs="full", obs="rgb", obs="symbolic" or view=5'


@functools.lru_cache(None)
def _classes():
    """minigrid's classes, imported when they are asked for."""
    try:
        from minigrid.core.actions import Actions
        from minigrid.core.grid import Grid
        from minigrid.core.world_object import WorldObj
        from minigrid.minigrid_env import MiniGridEnv
    except ImportError as e:
        raise AttributeError(str(e)) from e

    def decode(encoded, inside=None):
        thing = encoded and WorldObj.decode(*encoded)
        if inside:
            thing.contains = WorldObj.decode(*inside)
        return thing

    class Copy(Grid):
        """The grid as it is now."""

        def __init__(self, state):
            super().__init__(state["width"], state["height"])
            self._cells = state["grid"]
            inside = {(b["x"], b["y"]): b["inside"] for b in state["boxes"]}
            for y in range(self.height):
                for x in range(self.width):
                    thing = decode(self._cells[x, y].tolist(), inside.get((x, y)))
                    self.grid[y * self.width + x] = thing
                    if thing is not None:
                        thing.cur_pos = (x, y)

        def encode(self, vis_mask=None):
            return self._cells.copy() if vis_mask is None else super().encode(vis_mask)

        def set(self, i, j, v):
            raise TypeError("the grid is a copy: what is set in it would not be in the environment")

    return types.SimpleNamespace(Actions=Actions, Copy=Copy, MiniGridEnv=MiniGridEnv, decode=decode)
