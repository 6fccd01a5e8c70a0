"""Gymnasium's own checker, without a warning, on ids of every family."""

import copy
import pickle
import warnings

import gymnasium
import numpy as np
import ponder_env
import pytest
from gymnasium.utils.env_checker import check_env

IDS = [
    "MiniGrid-Empty-Random-6x6-v0",
    "MiniGrid-DoorKey-8x8-v0",
    "MiniGrid-Dynamic-Obstacles-8x8-v0",
    "MiniGrid-ObstructedMaze-Full-v1",
    "MiniGrid-LockedRoom-v0",
    "MiniGrid-Fetch-8x8-N3-v0",
    "maze-15x15-v0",
    "sudoku-4x4-v0",
    "sudoku-9x9-v0",
]
ARC = [e["id"].replace("/", "-") for e in ponder_env.entries("arc/*")][:3]


@pytest.mark.parametrize("id", IDS + ARC)
def test_check_env(id):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make("ponder/" + id, render_mode="rgb_array")
        check_env(env.unwrapped)
        env.close()


OPTIONS = [
    ("MiniGrid-DoorKey-6x6-v0", dict(view=5, mask=True)),
    ("MiniGrid-DoorKey-6x6-v0", dict(obs="full", stack=3)),
    ("MiniGrid-DoorKey-6x6-v0", dict(obs="rgb_partial", levels="10:20")),
    ("maze/9x21-v0", dict(view="fog", radius=2, move_cost=0.01, limit=50)),
    ("sudoku/6x6-v0", dict(difficulty="easy", reward="progress", mask=True)),
]


@pytest.mark.parametrize("id,options", OPTIONS)
def test_options(id, options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(ponder_env.register(id), **options).unwrapped)
    envs = ponder_env.VectorEnv(id, 3, **options)
    obs, _ = envs.reset(seed=5)
    for i in range(3):
        one, _ = ponder_env.Env(id, **options).reset(seed=5 + i)
        batch = {k: v[i] for k, v in obs.items()} if isinstance(obs, dict) else obs[i]
        same(batch, one)
    assert obs in envs.observation_space


def same(a, b):
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for k in a:
            same(a[k], b[k])
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    else:
        assert a == b


def test_every_id_opens():
    for e in ponder_env.entries():
        if e["id"] == "minigrid/level-v0":  # wants a file: the next test
            continue
        env = gymnasium.make("ponder/" + e["id"].replace("/", "-"))
        obs, _ = env.reset(seed=3)
        assert obs in env.observation_space, e["id"]
        env.close()


def test_level_file(tmp_path):
    drawn = ponder_env.Env("MiniGrid-DoorKey-5x5-v0", render_mode="ansi")
    obs, _ = drawn.reset(seed=4)
    path = tmp_path / "level.txt"
    path.write_text(drawn.render())
    loaded = gymnasium.make("ponder/minigrid-level-v0", file=str(path)).unwrapped
    check_env(loaded)
    same(loaded.reset(seed=0)[0], obs)


@pytest.mark.parametrize("id", ["MiniGrid-KeyCorridorS3R3-v0", "maze/15x15-v0", "sudoku/9x9-v0", "arc"])
def test_snapshot(id):
    env = ponder_env.Env(id)
    env.action_space.seed(1)
    env.reset(seed=11)
    for _ in range(5):
        env.step(env.action_space.sample())
    state, obs = env.snapshot(), None
    copied = copy.deepcopy(env)
    actions = [env.action_space.sample() for _ in range(20)]

    def play(e):
        steps = []
        for a in actions:
            steps.append(e.step(a))
            if steps[-1][2] or steps[-1][3]:
                break
        return steps + [e.reset()[0]]

    first = play(env)
    env.restore(state)
    for other in (play(env), play(copied)):
        assert len(other) == len(first)
        for a, b in zip(other[:-1], first[:-1]):
            same(a[0], b[0])
            assert a[1:] == b[1:]
        same(other[-1], first[-1])
    for bad in (b"", state[:-1], state + b"x", b"\xff" * len(state)):
        with pytest.raises(ponder_env.PonderError):
            env.restore(bad)
    foreign = ponder_env.Env("MiniGrid-Empty-5x5-v0")
    foreign.reset(seed=0)
    with pytest.raises(ponder_env.PonderError):
        foreign.restore(state)


def test_ansi_and_mask():
    env = ponder_env.Env("MiniGrid-DoorKey-5x5-v0", render_mode="ansi")
    env.reset(seed=0)
    text = env.render()
    assert text.startswith("minigrid level") and "map:" in text
    mask = env.action_masks()
    assert mask.dtype == np.bool_ and mask.shape == (7,) and mask[0] and mask[1]


def test_unseeded_differ():
    boards = {ponder_env.Env("maze").reset()[0].tobytes() for _ in range(8)}
    assert len(boards) > 1


def test_spec_travels():
    spec = gymnasium.spec("ponder/maze-15x15-v0")
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert gymnasium.make(spec.from_json(spec.to_json())).reset(seed=1)
