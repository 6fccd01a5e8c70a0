"""Writes wrappers.json: SHA-256 of what MiniGrid's observation wrappers show, for minigrid's tests.

    venv/bin/python wrappers.py     # minigrid==3.2.0
"""
import hashlib, json, pathlib

import gymnasium as gym
import minigrid  # noqa: F401
import numpy as np
from minigrid import wrappers as w

IDS = ["MiniGrid-DoorKey-8x8-v0", "MiniGrid-MultiRoom-N4-S5-v0", "MiniGrid-LockedRoom-v0", "MiniGrid-Fetch-8x8-N3-v0",
       "MiniGrid-ObstructedMaze-Full-v1", "MiniGrid-DistShift1-v0", "MiniGrid-Dynamic-Obstacles-8x8-v0"]
VIEWS = {
    "obs=full": w.FullyObsWrapper, "obs=onehot": w.OneHotPartialObsWrapper, "obs=symbolic": w.SymbolicObsWrapper,
    "obs=rgb": w.RGBImgObsWrapper, "obs=rgb_partial": w.RGBImgPartialObsWrapper,
    "view=3": lambda e: w.ViewSizeWrapper(e, 3), "view=5": lambda e: w.ViewSizeWrapper(e, 5), "view=11": lambda e: w.ViewSizeWrapper(e, 11),
}
out = []
for id in IDS:
    for option, wrap in VIEWS.items():
        env = wrap(gym.make(id))
        words = w.DictObservationSpaceWrapper(gym.make(id))
        for seed in (5, 6):
            obs, _ = env.reset(seed=seed)
            mission = words.reset(seed=seed)[0]["mission"]
            rng = np.random.default_rng(seed)
            images, actions = [], []
            for _ in range(25):
                a = int(rng.choice([0, 1, 2, 2, 2] if env.action_space.n == 3 else [0, 1, 2, 2, 2, 3, 4, 5]))
                obs, _, term, trunc, _ = env.step(a)
                actions.append(a)
                # -1 of the symbolic view becomes 255
                images.append(np.ascontiguousarray(obs["image"]).astype(np.int64).astype(np.uint8).tobytes())
                if term or trunc:
                    break
            out.append({"id": id, "option": option, "seed": seed, "actions": actions, "mission": [int(t) for t in mission],
                        "sha256": [hashlib.sha256(i).hexdigest()[:16] for i in images]})
text = ",\n".join(json.dumps(o, separators=(",", ":")) for o in out)
pathlib.Path(__file__).with_name("wrappers.json").write_text("[\n" + text + "\n]\n")
