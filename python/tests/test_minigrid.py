"""Step by step the same as the Python package, from the same seeds."""

import zlib

import gymnasium
import numpy as np
import ponder_env
import pytest

minigrid = pytest.importorskip("minigrid")
from gymnasium.vector import AutoresetMode, SyncVectorEnv  # noqa: E402

IDS = [
    e["id"]
    for e in ponder_env.entries("MiniGrid-*") + ponder_env.entries("BabyAI-*")
    if e["id"] in gymnasium.registry
]


def same(a, b):
    assert type(a) is type(b) and a.keys() == b.keys()
    np.testing.assert_array_equal(a["image"], b["image"])
    assert a["image"].dtype == b["image"].dtype
    assert np.array_equal(a["direction"], b["direction"])
    assert a["mission"] == b["mission"]


@pytest.mark.parametrize("id", IDS)
def test_steps(id):
    theirs, ours = gymnasium.make(id).unwrapped, ponder_env.Env(id)
    assert theirs.action_space.n >= ours.action_space.n
    rng = np.random.default_rng(zlib.crc32(id.encode()))
    for seed in (1000, 1001):
        a, b = theirs.reset(seed=seed), ours.reset(seed=seed)
        for step in range(60):
            same(a[0], b[0])
            assert a[1:] == b[1:], (id, seed, step)
            if len(a) == 5 and (a[2] or a[3]):
                a, b = theirs.reset(), ours.reset()
                continue
            action = int(rng.integers(ours.action_space.n))
            a, b = theirs.step(action), ours.step(action)


@pytest.mark.parametrize("id", ["MiniGrid-DoorKey-8x8-v0", "MiniGrid-Fetch-8x8-N3-v0", "MiniGrid-ObstructedMaze-2Dlhb-v1"])
def test_frames(id):
    theirs, ours = gymnasium.make(id, render_mode="rgb_array").unwrapped, ponder_env.Env(id, render_mode="rgb_array")
    theirs.reset(seed=7), ours.reset(seed=7)
    for action in (2, 1, 2, 3, 5):
        np.testing.assert_array_equal(theirs.render(), ours.render())
        theirs.step(action), ours.step(action)


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
@pytest.mark.parametrize("id", ["MiniGrid-Fetch-5x5-N2-v0", "MiniGrid-Dynamic-Obstacles-5x5-v0"])
def test_vector(id, mode):
    n = 6
    theirs = SyncVectorEnv([lambda: gymnasium.make(id, disable_env_checker=True)] * n, autoreset_mode=mode)
    ours = gymnasium.make_vec("ponder/" + id, n, autoreset_mode=mode)
    assert ours.metadata["autoreset_mode"] == mode
    ours.action_space.seed(4)
    a, b = theirs.reset(seed=50), ours.reset(seed=50)
    same(a[0], b[0])
    assert b[0] in ours.observation_space
    ended = 0
    for step in range(300):
        actions = ours.action_space.sample()
        a, b = theirs.step(actions), ours.step(actions)
        same(a[0], b[0])
        for x, y in zip(a[1:4], b[1:4]):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y, err_msg=f"step {step}")
        assert a[4].keys() == b[4].keys()
        ended += (b[2] | b[3]).sum()
        if "final_obs" in a[4]:
            np.testing.assert_array_equal(a[4]["_final_obs"], b[4]["_final_obs"])
            np.testing.assert_array_equal(a[4]["_final_info"], b[4]["_final_info"])
            assert a[4]["final_info"] == b[4]["final_info"]
            for x, y in zip(a[4]["final_obs"], b[4]["final_obs"]):
                assert (x is None) == (y is None)
                if x is not None:
                    same(x, y)
    assert ended > 20


def test_mask_as_theirs():
    n, id = 4, "MiniGrid-Fetch-5x5-N2-v0"
    theirs = SyncVectorEnv([lambda: gymnasium.make(id)] * n, autoreset_mode=AutoresetMode.DISABLED)
    ours = ponder_env.VectorEnv(id, n, autoreset_mode="Disabled")
    theirs.reset(seed=9), ours.reset(seed=9)
    rng = np.random.default_rng(0)
    for step in range(200):
        actions = rng.integers(0, 7, n)
        a, b = theirs.step(actions), ours.step(actions)
        same(a[0], b[0])
        done = b[2] | b[3]
        if done.any():
            seed = [int(s) for s in rng.integers(0, 1000, n)] if step % 2 else None
            a = theirs.reset(seed=seed, options={"reset_mask": done.copy()})
            b = ours.reset(seed=seed, options={"reset_mask": done.copy()})
            same(a[0], b[0])
