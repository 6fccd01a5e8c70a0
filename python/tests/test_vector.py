"""VectorEnv against as many Envs, and what Gymnasium says of vectors."""

import copy
import pickle

import gymnasium
import numpy as np
import ponder_env
import pytest
from gymnasium.vector import AutoresetMode


@pytest.mark.parametrize("id", ["maze/9x9-v0", "sudoku/4x4-v0"])
@pytest.mark.parametrize("threads", [1, 3])
def test_as_envs(id, threads):
    n = 5
    envs = ponder_env.VectorEnv(id, n, autoreset_mode="SameStep", threads=threads, limit=17)
    ones = [ponder_env.Env(id, limit=17) for _ in range(n)]
    obs, _ = envs.reset(seed=3)
    for i, e in enumerate(ones):
        check(obs, i, e.reset(seed=3 + i)[0])
    envs.action_space.seed(0)
    for _ in range(100):
        actions = envs.action_space.sample()
        obs, rewards, terminated, truncated, infos = envs.step(actions)
        for i, e in enumerate(ones):
            one = e.step(actions[i])
            assert one[1:4] == (rewards[i], terminated[i], truncated[i])
            if one[2] or one[3]:
                check({k: [v] for k, v in infos["final_obs"][i].items()} if isinstance(obs, dict) else [infos["final_obs"][i]], 0, one[0])
                one = e.reset()
            check(obs, i, one[0])


def check(batch, i, one):
    if isinstance(one, dict):
        for k in one:
            np.testing.assert_array_equal(batch[k][i], one[k])
    else:
        np.testing.assert_array_equal(batch[i], one)


def test_next_step_ignores_the_action():
    envs = gymnasium.make_vec("ponder/maze-15x15-v0", 2, limit=2)
    assert envs.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    envs.reset(seed=0)
    envs.step([0, 0])
    _, _, _, truncated, infos = envs.step([1, 1])
    assert truncated.all() and infos == {}
    obs, rewards, terminated, truncated, _ = envs.step([99, -5])
    assert not rewards.any() and not terminated.any() and not truncated.any()
    assert not np.array_equal(obs[0], obs[1])


def test_seeds():
    envs = ponder_env.VectorEnv("maze", 3)
    by_int = envs.reset(seed=10)[0]
    np.testing.assert_array_equal(by_int, envs.reset(seed=[10, 11, 12])[0])
    np.testing.assert_array_equal(by_int[1], ponder_env.Env("maze").reset(seed=11)[0])
    on = envs.reset()[0]
    assert not np.array_equal(by_int, on)
    envs.reset(seed=[10, None, 12])
    np.testing.assert_array_equal(envs.reset(seed=np.int64(10))[0], by_int)


def test_copy():
    kept = ponder_env.VectorEnv("maze", 2)
    first = kept.reset(seed=0)[0]
    before = first.copy()
    for _ in range(5):
        kept.step([0, 1])
    np.testing.assert_array_equal(first, before)


def test_snapshot_of_a_row():
    envs = ponder_env.VectorEnv("MiniGrid-Fetch-5x5-N2-v0", 3)
    envs.reset(seed=5)
    state = envs.snapshot(1)
    first = envs.step([2, 3, 2])[0]
    rng = np.random.default_rng(0)
    for _ in range(50):
        envs.step(rng.integers(0, 7, 3))
    obs = envs.restore(1, state)
    assert obs in envs.observation_space
    again = envs.step([6, 3, 6])[0]
    np.testing.assert_array_equal(first["image"][1], again["image"][1])
    assert first["mission"][1] == again["mission"][1]


@pytest.mark.parametrize("id", ["MiniGrid-Fetch-5x5-N2-v0", "BabyAI-GoToLocal-v0", "maze", "sudoku/4x4-v0", "arc"])
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_copies(id, mode):
    envs = ponder_env.VectorEnv(id, 4, autoreset_mode=mode, limit=9)
    envs.reset(seed=2, options={"reset_mask": np.array([True, True, False, True])})
    fresh = pickle.loads(pickle.dumps(envs))
    fresh.reset()
    envs.reset(seed=3)
    envs.action_space.seed(0)
    for _ in range(9):
        envs.step(envs.action_space.sample())
    others = pickle.loads(pickle.dumps(envs)), copy.deepcopy(envs)
    for _ in range(20):
        actions = envs.action_space.sample()
        first = envs.step(actions)
        for other in others:
            step = other.step(actions)
            if isinstance(first[0], dict):
                for k in first[0]:
                    np.testing.assert_array_equal(step[0][k], first[0][k])
            else:
                np.testing.assert_array_equal(step[0], first[0])
            for a, b in zip(step[1:4], first[1:4]):
                np.testing.assert_array_equal(a, b)


def test_max_episode_steps():
    for options, steps in (({}, 3), ({"limit": 2}, 2), ({"limit": 5}, 3)):
        envs = gymnasium.make_vec("ponder/maze-9x9-v0", 2, max_episode_steps=3, **options)
        envs.reset(seed=0)
        truncated = [bool(envs.step([0, 0])[3].all()) for _ in range(steps)]
        assert truncated == [False] * (steps - 1) + [True]
    with pytest.raises(ValueError, match="max_episode_steps 0"):
        ponder_env.VectorEnv("maze", 2, max_episode_steps=0)


def test_render():
    envs = ponder_env.VectorEnv("maze/9x9-v0", 2, render_mode="rgb_array", tile_size=4)
    envs.reset(seed=0)
    frames = envs.render()
    assert [f.shape for f in frames] == [(36, 36, 3)] * 2 and frames[0].any()


def test_masks():
    envs = ponder_env.VectorEnv("sudoku/4x4-v0", 2, mask=True)
    obs, _ = envs.reset(seed=0)
    np.testing.assert_array_equal(envs.action_masks(), obs["mask"].astype(bool))


def test_statistics_wrapper():
    envs = gymnasium.wrappers.vector.RecordEpisodeStatistics(ponder_env.VectorEnv("maze/9x9-v0", 4, limit=5))
    envs.reset(seed=0)
    for _ in range(5):
        infos = envs.step([0, 1, 2, 3])[4]
    assert infos["episode"]["l"].tolist() == [5] * 4
