"""Records traces from the MiniGrid package, in the format of minigrid.Trace (ponder env replay).

    python3 -m venv venv && venv/bin/pip install minigrid==3.2.0
    venv/bin/python record.py --seeds 1000:1020 --steps 150 --out traces.jsonl.gz

Every episode follows --resets resets without a seed (0 or 1, by the seed's parity), so that carried-on
random streams are compared too. Actions are random, forward the most likely, or those of --actions,
lines of {"id", "seed", "resets", "actions"}. Pictures are kept as the SHA-256 of their RGB bytes.
"""
import argparse, base64, contextlib, fnmatch, gzip, hashlib, io, json, signal, zlib

import gymnasium as gym
import minigrid
import numpy as np
from minigrid.core.constants import COLOR_TO_IDX, OBJECT_TO_IDX
from minigrid.wrappers import FullyObsWrapper

LEFT_OUT = ("Playground", "WFC")


def b64(a):
    return base64.b64encode(np.ascontiguousarray(a, dtype=np.uint8).tobytes()).decode()


def enc(o):
    return [int(v) for v in o.encode()]


def point(p):
    return [int(p[0]), int(p[1])]


def task(u):
    name = type(u).__name__
    if u.spec.id.startswith("BabyAI"):
        return {"kind": "instr"}
    if name == "DynamicObstaclesEnv":
        return {"kind": "dynobst", "balls": [point(o.cur_pos) for o in u.obstacles]}
    if name == "MemoryEnv":
        return {"kind": "memory", "success": point(u.success_pos), "failure": point(u.failure_pos)}
    if name == "UnlockEnv":
        at = next(i for i, c in enumerate(u.grid.grid) if c is u.door)
        return {"kind": "unlock", "door": [at % u.width, at // u.width]}
    if name in ("GoToDoorEnv", "GoToObjectEnv"):
        return {"kind": "goto", "pos": point(u.target_pos)}
    if name == "FetchEnv":
        return {"kind": "fetch", "target": [OBJECT_TO_IDX[u.targetType], COLOR_TO_IDX[u.targetColor]]}
    if name == "PutNearEnv":
        return {"kind": "putnear", "move": [OBJECT_TO_IDX[u.move_type], COLOR_TO_IDX[u.moveColor]], "pos": point(u.target_pos)}
    if name == "RedBlueDoorEnv":
        where = lambda d: next([i % u.width, i // u.width] for i, c in enumerate(u.grid.grid) if c is d)
        return {"kind": "redblue", "red": where(u.red_door), "blue": where(u.blue_door)}
    if hasattr(u, "obj"):
        return {"kind": "pickup", "target": enc(u.obj)[:2]}
    return {"kind": "goal"}


def agent(u):
    return [int(u.agent_pos[0]), int(u.agent_pos[1]), int(u.agent_dir)]


def picture(u, step, tile, pov):
    img = u.get_frame(highlight=True, tile_size=tile, agent_pov=pov)
    return {"step": step, "tile": tile, "pov": pov, "sha256": hashlib.sha256(np.ascontiguousarray(img).tobytes()).hexdigest()}


def record(id, seed, resets, steps, actions=None):
    env = gym.make(id, disable_env_checker=True)
    u = env.unwrapped
    full = FullyObsWrapper(u)
    obs, _ = env.reset(seed=seed)
    for _ in range(resets):
        obs, _ = env.reset()
    cells = u.grid.grid
    empty = [1, 0, 0]
    t = {
        "id": id, "minigrid": minigrid.__version__, "seed": seed, "resets": resets, "width": u.width, "height": u.height,
        "max_steps": int(u.max_steps), "see_through_walls": bool(u.see_through_walls), "view": int(u.agent_view_size),
        "n_actions": int(env.action_space.n), "mission": u.mission,
        "grid": [enc(c) if c else empty for c in cells],
        "inside": {str(i): enc(c.contains) for i, c in enumerate(cells) if c is not None and c.contains is not None},
        "agent": agent(u), "task": task(u), "obs0": b64(obs["image"]), "full0": b64(full.observation(obs)["image"]), "steps": [],
        "pictures": [picture(u, 0, 8, False), picture(u, 0, 8, True)],
    }
    rng = np.random.default_rng([seed, zlib.crc32(id.encode())])
    n = int(env.action_space.n)
    p = np.array([0.16, 0.16, 0.38, 0.1, 0.07, 0.11, 0.02])[:n]
    p /= p.sum()
    for k in range(len(actions) if actions is not None else steps):
        a = int(actions[k]) if actions is not None else int(rng.choice(n, p=p))
        obs, r, term, trunc, _ = env.step(a)
        s = {"a": a, "obs": b64(obs["image"]), "r": float(r), "term": bool(term), "trunc": bool(trunc), "agent": agent(u),
             "carry": enc(u.carrying) if u.carrying else None}
        if k % 10 == 9 or term or trunc:
            s["full"] = b64(full.observation(obs)["image"])
        if hasattr(u, "obstacles"):
            s["balls"] = [point(o.cur_pos) for o in u.obstacles]
        t["steps"].append(s)
        if k in (7, 40):
            t["pictures"] += [picture(u, k + 1, tile, pov) for tile, pov in ((8, False), (8, True), (13, k == 7))]
        if term or trunc:
            break
    env.close()
    return t


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--ids", default="MiniGrid-*")
    a.add_argument("--seeds", default="1000:1020")
    a.add_argument("--steps", type=int, default=150)
    a.add_argument("--timeout", type=int, default=20, help="seconds for an episode")
    a.add_argument("--actions")
    a.add_argument("--out", required=True)
    a = a.parse_args()
    if a.actions:
        jobs = [(d["id"], d["seed"], d["resets"], d["actions"]) for d in map(json.loads, open(a.actions))]
    else:
        lo, hi = map(int, a.seeds.split(":"))
        ids = [i for i in sorted(gym.registry) if fnmatch.fnmatch(i, a.ids) and not any(w in i for w in LEFT_OUT)]
        jobs = [(i, s, s % 2, None) for i in ids for s in range(lo, hi)]
    late = []
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError()))
    with gzip.GzipFile(a.out, "wb", mtime=0) as f:
        for id, seed, resets, actions in jobs:
            # Some BabyAI ids reject layouts for very long, and say so on stdout each time.
            signal.alarm(a.timeout)
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    t = record(id, seed, resets, a.steps, actions)
            except TimeoutError:
                late.append((id, seed))
                continue
            finally:
                signal.alarm(0)
            f.write((json.dumps(t, separators=(",", ":")) + "\n").encode())
    print(len(jobs) - len(late), "episodes; no layout within the time:", late)


if __name__ == "__main__":
    main()
