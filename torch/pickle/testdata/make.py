"""Makes strided.pt, a checkpoint as torch.save would write it, with Python's own pickler and stand-ins
for the few classes of torch that a checkpoint names (so it runs without torch).

python make.py, in this folder. The test has the same values in Go.
"""
import collections
import io
import pickle
import struct
import sys
import types
import zipfile

torch = types.ModuleType("torch")
torch._utils = types.ModuleType("torch._utils")
sys.modules.update({"torch": torch, "torch._utils": torch._utils})

def named(module, name):
    """A function that pickles as module.name."""
    f = lambda *args: None
    f.__module__, f.__name__, f.__qualname__ = module.__name__, name, name
    setattr(module, name, f)
    return f

rebuild_tensor = named(torch._utils, "_rebuild_tensor_v2")
rebuild_parameter = named(torch._utils, "_rebuild_parameter")
size = named(torch, "Size")

FORMATS = {"Float": "f", "Double": "d", "Half": "e", "Long": "q", "Int": "i", "Short": "h", "Char": "b", "Byte": "B", "Bool": "?"}
TYPES = {name: named(torch, name + "Storage") for name in [*FORMATS, "BFloat16"]}

class Storage:
    def __init__(self, kind, values):
        self.kind, self.n = kind, len(values)
        if kind == "BFloat16":
            self.data = b"".join(struct.pack("<f", v)[2:] for v in values)
        else:
            self.data = struct.pack("<%d%s" % (self.n, FORMATS[kind]), *values)

class Tensor:
    def __init__(self, storage, shape, stride, offset=0):
        self.args = (storage, offset, shape, stride, False, collections.OrderedDict())

    def __reduce__(self):
        return rebuild_tensor, self.args

class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return rebuild_parameter, (self.tensor, True, collections.OrderedDict())

class Size:
    def __init__(self, shape):
        self.shape = shape

    def __reduce__(self):
        return size, (self.shape,)

class Pickler(pickle.Pickler):
    def __init__(self, out):
        super().__init__(out, protocol=2)
        self.storages = []

    def persistent_id(self, obj):
        if not isinstance(obj, Storage):
            return None
        if obj not in self.storages:
            self.storages.append(obj)
        return "storage", TYPES[obj.kind], str(self.storages.index(obj)), "cuda:7", obj.n

shared = Storage("Float", [float(i) for i in range(12)])
state = collections.OrderedDict(
    whole=Tensor(shared, (3, 4), (4, 1)),
    transposed=Tensor(shared, (4, 3), (1, 4)),
    column=Tensor(shared, (3,), (4,), 2),
    corner=Tensor(shared, (2, 2), (4, 1), 6),
    repeated=Tensor(shared, (2, 3), (0, 1), 9),
    scalar=Tensor(shared, (), (), 11),
    empty=Tensor(shared, (0, 4), (4, 1)),
    parameter=Parameter(Tensor(Storage("Half", [1.5, -2.0]), (2,), (1,))),
    bf16=Tensor(Storage("BFloat16", [1.0, -3.0]), (2,), (1,)),
    f64=Tensor(Storage("Double", [0.1]), (1,), (1,)),
    i64=Tensor(Storage("Long", [-(1 << 63), 5]), (2,), (1,)),
    i32=Tensor(Storage("Int", [-7]), (1,), (1,)),
    i16=Tensor(Storage("Short", [-7]), (1,), (1,)),
    i8=Tensor(Storage("Char", [-7]), (1,), (1,)),
    u8=Tensor(Storage("Byte", [200]), (1,), (1,)),
    bool=Tensor(Storage("Bool", [True, False]), (2,), (1,)),
)
state._metadata = collections.OrderedDict({"": {"version": 1}})
root = {
    "epoch": 300,
    "big": 1 << 40,
    "negative": -(1 << 40),
    "rate": 0.25,
    "note": "text é",
    "flags": [True, False, None],
    "shape": Size((1, 2)),
    "many": [1, 2, 3, 4],
    "model": state,
    "exp_avg": {0: Tensor(shared, (1,), (1,), 3), 1: [Tensor(shared, (1,), (1,), 4), (Tensor(shared, (1,), (1,), 5), 0)]},
}

with zipfile.ZipFile("strided.pt", "w", zipfile.ZIP_STORED) as z:
    def entry(name, data):
        z.writestr(zipfile.ZipInfo("run 7/" + name, (1980, 1, 1, 0, 0, 0)), data)

    out = io.BytesIO()
    p = Pickler(out)
    p.dump(root)
    entry("data.pkl", out.getvalue())
    entry("byteorder", "little")
    for key, s in enumerate(p.storages):
        entry("data/%d" % key, s.data)
    entry("version", "3\n")
