"""Frames per second of PPO on MiniGrid: ponder's beside Stable-Baselines3's, in one session.

    python3 -m venv venv && venv/bin/pip install stable-baselines3==2.9.2 minigrid==3.2.0
    make build && venv/bin/python bench/sb3.py --ponder bin/ponder

Both act in 16 environments, learn from 64 steps of each in 8 epochs of minibatches of 256, on one thread. The network of
Stable-Baselines3 is that of rl-starter-files, as ponder's policy conv is. A second is one of the processor, all processes
counted, of the later of two runs less the shorter one, so that starting counts for neither; others may compute beside.
"""
import argparse, json, resource, subprocess, tempfile
from importlib.metadata import version


def spent():
    """Seconds of the processor, of this process and of those that it waited for."""
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def per_second(run, frames):
    took = []
    for n in (frames, 3 * frames):
        before = spent()
        run(n)
        took.append(spent() - before)
    return 2 * frames / (took[1] - took[0])


def ponder(program, id, policy):
    def run(frames):
        with tempfile.TemporaryDirectory() as dir:
            subprocess.run(
                [program, "train", "ppo", "--env", id, "--policy", policy, "--frames", str(frames), "--threads", "1", "--out", dir + "/run"]
                + "--envs 16 --horizon 64 --epochs 8 --batch 256 --bonus 0 --eval-count 1 --save-every 1000000000".split(),
                check=True, capture_output=True,
            )  # fmt: skip

    return run


def stable_baselines(id):
    import gymnasium as gym
    import minigrid  # noqa: F401
    import torch
    from minigrid.wrappers import ImgObsWrapper
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

    torch.set_num_threads(1)

    class Starter(BaseFeaturesExtractor):
        """The convolutions of rl-starter-files' ACModel over a view of 7x7."""

        def __init__(self, space: gym.Space):
            super().__init__(space, 64)
            conv, relu = torch.nn.Conv2d, torch.nn.ReLU
            self.layers = torch.nn.Sequential(
                conv(3, 16, 2), relu(), torch.nn.MaxPool2d(2), conv(16, 32, 2), relu(), conv(32, 64, 2), relu(), torch.nn.Flatten()
            )

        def forward(self, x):
            return self.layers(x.permute(0, 3, 1, 2) if x.shape[-1] == 3 else x)

    kwargs = dict(features_extractor_class=Starter, net_arch=[64], normalize_images=False)

    def run(frames):
        envs = make_vec_env(id, n_envs=16, wrapper_class=ImgObsWrapper, seed=0)
        PPO("CnnPolicy", envs, n_steps=64, n_epochs=8, batch_size=256, learning_rate=1e-3, device="cpu", policy_kwargs=kwargs).learn(frames)

    return run


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--ponder", default="bin/ponder")
    p.add_argument("--env", default="MiniGrid-DoorKey-5x5-v0")
    p.add_argument("--frames", type=int, default=8192, help="of the shorter run")
    a = p.parse_args()
    rows = {"stable-baselines3 " + version("stable-baselines3"): stable_baselines(a.env)}
    for policy in "conv", "hrm":
        rows["ponder " + policy] = ponder(a.ponder, a.env, policy)
    first = None
    for name, run in rows.items():
        speed = per_second(run, a.frames)
        first = first or speed
        print(json.dumps({"name": name, "env": a.env, "frames_per_cpu_second": round(speed, 1), "ratio": round(speed / first, 2)}), flush=True)


if __name__ == "__main__":
    main()
