"""Writes numpy.json, what NumPy's Generator(PCG64(seed)) draws, for rng's tests. Needs numpy."""
import json, pathlib
import numpy as np

out = []
for seed in [0, 1, 42, 2**31, 2**32 - 1, 2**32, 123456789012345678, 2**64 - 1]:
    g = np.random.default_rng(seed)
    bounds = [2, 3, 6, 7, 25, 1000, 2**31, 2**32 - 1, 1]
    below = [int(g.integers(n)) for n in bounds * 20]
    perm = list(range(10))
    g.shuffle(perm)
    raw = [str(v) for v in g.bit_generator.random_raw(3)]  # the kept half stays kept
    below2 = [int(g.integers(5)) for _ in range(5)]
    out.append({"seed": str(seed), "bounds": bounds, "below": below, "shuffle": perm, "raw": raw, "below5": below2,
                "uniform": [float(g.uniform(-1, 3)) for _ in range(3)]})
pathlib.Path(__file__).with_name("numpy.json").write_text(json.dumps(out) + "\n")
