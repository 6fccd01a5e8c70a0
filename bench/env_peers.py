"""Compares ponder's environments with MiniGrid, Gymnasium's vector envs and EnvPool in one session.

    python3 -m venv venv && venv/bin/pip install minigrid==3.2.0 gymnasium envpool numpy
    make build && venv/bin/python bench/env_peers.py --ponder bin/ponder

Every row steps one id by uniformly random actions from a seed, observations and resets included, on
one thread unless it says otherwise; the best of three runs counts. Ratios are ponder's speed over
that of the row.
"""
import argparse, json, subprocess, time
from importlib.metadata import version

import numpy as np


def best(run, repeats):
    return max(run() for _ in range(repeats))


def timed(steps, f):
    start = time.perf_counter()
    f()
    return steps / (time.perf_counter() - start)


def minigrid_bare(id, repeats, steps=6000):
    import gymnasium as gym, minigrid  # noqa: F401

    env = gym.make(id).unwrapped
    actions = np.random.default_rng(0).integers(env.action_space.n, size=steps).tolist()

    def run():
        env.reset(seed=0)

        def f():
            for a in actions:
                _, _, term, trunc, _ = env.step(a)
                if term or trunc:
                    env.reset()

        return timed(steps, f)

    return best(run, repeats)


def gymnasium_vector(id, repeats, n, mode, steps=6000):
    import gymnasium as gym, minigrid  # noqa: F401
    from minigrid.wrappers import ImgObsWrapper

    env = gym.make_vec(id, num_envs=n, vectorization_mode=mode, wrappers=[ImgObsWrapper])
    rounds = steps // n
    actions = np.random.default_rng(0).integers(env.single_action_space.n, size=(rounds, n))

    def run():
        env.reset(seed=0)

        def f():
            for a in actions:
                env.step(a)

        return timed(rounds * n, f)

    r = best(run, repeats)
    env.close()
    return r


def envpool_vector(id, repeats, n, threads, steps=200_000):
    import envpool

    env = envpool.make_gymnasium(id, num_envs=n, num_threads=threads, seed=0)
    rounds = max(steps // n, 1)
    actions = np.random.default_rng(0).integers(env.action_space.n, size=(rounds, n), dtype=np.int32)

    def run():
        env.reset()

        def f():
            for a in actions:
                env.step(a)

        return timed(rounds * n, f)

    return best(run, repeats)


def ponder(binary, id, n, threads):
    out = subprocess.run([binary, "bench", "env", "--env", id, "--envs", str(n), "--threads", str(threads), "--json"],
                         check=True, capture_output=True, text=True).stdout
    d = json.loads(out)
    assert d["allocs_per_step"] < 1e-3, d
    return d["steps_per_second"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--ponder", default="bin/ponder", help="the built command")
    p.add_argument("--env", default="MiniGrid-DoorKey-8x8-v0")
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    id, k = a.env, a.repeats
    rows = [
        ("ponder, 1 env", lambda: ponder(a.ponder, id, 1, 1)),
        ("ponder, 256 envs", lambda: ponder(a.ponder, id, 256, 1)),
        ("ponder, 2,048 envs, 2 threads", lambda: ponder(a.ponder, id, 2048, 2)),
        ("minigrid, bare", lambda: minigrid_bare(id, k)),
        ("gymnasium sync vector, 8 envs", lambda: gymnasium_vector(id, k, 8, "sync")),
        ("gymnasium async vector, 8 envs", lambda: gymnasium_vector(id, k, 8, "async")),
        ("envpool, 1 env", lambda: envpool_vector(id, k, 1, 1, 10_000)),
        ("envpool, 64 envs", lambda: envpool_vector(id, k, 64, 1)),
        ("envpool, 256 envs", lambda: envpool_vector(id, k, 256, 1)),
        ("envpool, 1,024 envs, 2 threads", lambda: envpool_vector(id, k, 1024, 2)),
    ]
    versions = {m: version(m) for m in ("minigrid", "gymnasium", "envpool", "numpy")}
    speeds = {}
    for name, run in rows:
        try:
            speeds[name] = run()
        except Exception as e:  # a peer that does not run here must not hide the others
            print(f"{name}: {type(e).__name__}: {e}")
    mine = speeds["ponder, 256 envs"]
    result = [{"name": n, "steps_per_second": s, "ratio": mine / s} for n, s in speeds.items()]
    if a.json:
        print(json.dumps({"env": id, "versions": versions, "rows": result}, indent=2))
        return
    print(id, " ".join(f"{m} {v}" for m, v in versions.items()))
    print(f"{'':34}{'steps/s':>14}{'ponder / row':>14}")
    for r in result:
        print(f"{r['name']:34}{r['steps_per_second']:14,.0f}{r['ratio']:14.1f}")


if __name__ == "__main__":
    main()
