"""Steps a second of VectorEnv, and of the usual vector environments beside it.

    python bench.py [--env ID] [--envs 1,16,256] [--seconds 2] [--threads 1] [--peers]

Random actions from a seed, observations and resets included, best of three.
"""

import argparse
import time

import gymnasium
import numpy as np
import ponder_env


def rate(envs, n, actions, seconds):
    best = 0.0
    envs.reset(seed=0)
    draws = np.random.default_rng(0).integers(0, actions, (8192, n))
    chunk = max(1, 2048 // n)  # steps between two looks at the clock
    for _ in range(3):
        at, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            for k in range(at, at + chunk):
                envs.step(draws[k % len(draws)])
            at += chunk
        best = max(best, at * n / (time.perf_counter() - start))
    envs.close()
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="MiniGrid-DoorKey-8x8-v0")
    parser.add_argument("--envs", default="1,16,256,1024", help="how many environments, with commas")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peers", action="store_true", help="Gymnasium's vectors of the minigrid package too")
    args = parser.parse_args()
    actions = ponder_env.Env(args.env).action_space.n
    print(f"{args.env}, {args.threads} thread(s)")
    for n in map(int, args.envs.split(",")):
        envs = ponder_env.VectorEnv(args.env, n, threads=args.threads)
        print(f"ponder_env.VectorEnv  n={n:<5} {rate(envs, n, actions, args.seconds):>12,.0f} steps/s")
    if args.peers:
        import minigrid  # noqa: F401

        for mode in ("sync", "async"):
            kwargs = {"shared_memory": False} if mode == "async" else {}  # its mission space cannot be shared
            envs = gymnasium.make_vec(args.env, 8, vectorization_mode=mode, vector_kwargs=kwargs)
            print(f"minigrid, {mode:5}       n=8     {rate(envs, 8, actions, args.seconds):>12,.0f} steps/s")


if __name__ == "__main__":
    main()
