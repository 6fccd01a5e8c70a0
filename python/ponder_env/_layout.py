"""How the bytes of an observation become what Gymnasium's spaces hold."""

import numpy as np
from gymnasium import spaces

from ._mission import Mission


class _Field:
    """A part of an observation: where it lies, its space, and how it is read from rows of bytes."""

    def __init__(self, name, shape, start, spec):
        self.name, self.shape = name, tuple(shape)
        self.start, self.stop = start, start + int(np.prod(self.shape, dtype=np.int64))
        base = name.rstrip("0123456789").rstrip("-") if name[-1].isdigit() else name
        minigrid = spec["family"] == "minigrid"
        self.kind = base if minigrid and base in ("direction", "mission") else "box"
        if self.kind == "direction":
            self.space = spaces.Discrete(4)
        elif self.kind == "mission":
            self.space = Mission()
        else:
            high = 255 if minigrid else spec["vocab"] - 1
            self.space = spaces.Box(0, 1 if base == "mask" else high, self.shape, np.uint8)

    def one(self, row, mission):
        if self.kind == "direction":
            return int(row[self.start])
        if self.kind == "mission":
            return mission
        return row[self.start : self.stop].reshape(self.shape).copy()

    def many(self, rows, missions):
        if self.kind == "direction":
            return rows[:, self.start].astype(np.int64)
        if self.kind == "mission":
            return tuple(missions)
        return rows[:, self.start : self.stop].reshape(len(rows), *self.shape).copy()


class Layout:
    """The observations of a spec. space is a Dict of the fields, or the only field's own space.

    MiniGrid's observations are those of the Python package: a Dict of image, direction and mission.
    """

    def __init__(self, spec):
        self.fields, at = [], 0
        for f in spec["layout"]:
            field = _Field(f["name"], f["shape"], at, spec)
            self.fields.append(field)
            at = field.stop
        self.single = len(self.fields) == 1
        self.missions = any(f.kind == "mission" for f in self.fields)
        if self.single:
            self.space = self.fields[0].space
        else:
            self.space = spaces.Dict({f.name: f.space for f in self.fields})

    def one(self, row, mission):
        if self.single:
            return self.fields[0].one(row, mission)
        return {f.name: f.one(row, mission) for f in self.fields}

    def many(self, rows, missions):
        if self.single:
            return self.fields[0].many(rows, missions)
        return {f.name: f.many(rows, missions) for f in self.fields}
