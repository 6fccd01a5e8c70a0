"""Gymnasium's own checker, without a warning, on every id, and what else holds for all of them."""

import copy
import inspect
import pickle
import warnings

import gymnasium
import numpy as np
import ponder_env
import pytest
from gymnasium.utils.env_checker import check_env

pytestmark = pytest.mark.filterwarnings("ignore:.*is out of date")  # MiniGrid has ids of two versions
IDS = [id for id in gymnasium.registry if id.startswith("ponder/")]


def test_ids():
    listed = {"ponder/" + e["id"].replace("/", "-") for e in ponder_env.entries()}
    assert listed - set(IDS) == {"ponder/minigrid-level-v0"}  # wants a file
    assert set(IDS) <= listed
    # What make, make_vec and the two classes take by name cannot be an option.
    taken = {n for f in (gymnasium.make, gymnasium.make_vec, ponder_env.Env, ponder_env.VectorEnv) for n in inspect.signature(f).parameters}
    taken -= {"kwargs", "options"}
    assert {"id", "env_id", "wrappers", "threads"} <= taken
    assert not taken & {o["name"] for e in ponder_env.entries() for o in e["options"]}
    assert not taken & set(gymnasium.spec("ponder/maze-15x15-v0").kwargs) - {"env_id"}


@pytest.mark.parametrize("id", IDS)
def test_check_env(id):
    """Every render mode is drawn, too."""
    env = gymnasium.make(id, render_mode="rgb_array", tile_size=8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


@pytest.mark.parametrize("id", IDS)
def test_copies(id):
    """Pickled and copied environments, as make wraps them, go on from the same state."""
    env = gymnasium.make(id, render_mode="ansi")
    assert pickle.loads(pickle.dumps(env)).reset(seed=1)[0] in env.observation_space
    env.action_space.seed(1)
    env.reset(seed=11)
    for _ in range(5):
        if any(env.step(env.action_space.sample())[2:4]):
            env.reset()
    state = env.unwrapped.snapshot()
    actions = [env.action_space.sample() for _ in range(20)]
    others = [pickle.loads(pickle.dumps(env)), copy.deepcopy(env), copy.deepcopy(env.unwrapped)]
    first = play(env, actions)
    env.unwrapped.restore(state)
    for other in [env, *others]:
        same(play(other, actions), first)
        assert other.spec == env.unwrapped.spec or other.spec == env.spec
        assert other.np_random_seed == 11


def play(env, actions):
    """What an environment shows over the actions and in the episode after."""
    seen = [env.render()]
    for a in actions:
        seen.append(env.step(a))
        if seen[-1][2] or seen[-1][3]:
            break
    return [*seen, env.render(), env.reset()[0]]


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
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            same(x, y)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    else:
        assert a == b


def test_level_file(tmp_path):
    drawn = ponder_env.Env("MiniGrid-DoorKey-5x5-v0", render_mode="ansi")
    obs, _ = drawn.reset(seed=4)
    path = tmp_path / "level.txt"
    path.write_text(drawn.render())
    loaded = gymnasium.make("ponder/minigrid-level-v0", file=str(path)).unwrapped
    check_env(loaded)
    same(loaded.reset(seed=0)[0], obs)


@pytest.mark.parametrize("id", ["MiniGrid-KeyCorridorS3R3-v0", "maze/15x15-v0", "sudoku/9x9-v0", "arc"])
def test_bad_snapshot(id):
    env = ponder_env.Env(id)
    env.reset(seed=11)
    state = env.snapshot()
    for bad in (b"", state[:-1], state + b"x", b"\xff" * len(state)):
        with pytest.raises(ponder_env.PonderError):
            env.restore(bad)
    foreign = ponder_env.Env("MiniGrid-Empty-5x5-v0")
    foreign.reset(seed=0)
    with pytest.raises(ponder_env.PonderError):
        foreign.restore(state)
    assert env.snapshot() == state


def test_closed_is_copied_closed():
    env = ponder_env.Env("maze")
    env.close()
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        other.close()
        with pytest.raises(ponder_env.PonderError, match="closed"):
            other.reset()


def test_pickle_keeps_options():
    env = gymnasium.make("ponder/maze-9x21-v0", view="fog", radius=2, limit=7, render_mode="rgb_array", tile_size=4)
    env.reset(seed=3)
    env.unwrapped.noted = [1, 2]
    other = pickle.loads(pickle.dumps(env))
    assert other.render_mode == "rgb_array" and other.unwrapped.noted == [1, 2]
    np.testing.assert_array_equal(other.render(), env.render())
    assert other.observation_space == env.observation_space
    for _ in range(6):
        same(env.step(0), other.step(0))


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


@pytest.mark.parametrize("id", ["maze-15x15", "maze-21x9"])
def test_spec_travels(id):
    spec = gymnasium.spec(f"ponder/{id}-v0")
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert gymnasium.make(spec.from_json(spec.to_json())).reset(seed=1)


def test_unlisted():
    """Sizes that nobody registered, and names that nothing has."""
    before = dict(gymnasium.registry)
    for id in ("ponder/maze-21x9-v0", "maze/21x9-v0", "ponder_env:ponder/maze-21x9-v0", "ponder_env:maze/21x9-v0"):
        env = gymnasium.make(id)
        assert env.reset(seed=0)[0].shape == (9, 21)
        assert gymnasium.make_vec(id, 2).reset(seed=0)[0].shape == (2, 9, 21)
        check_env(env.unwrapped, skip_render_check=True)
    for id in ("ponder/maze-21x-v0", "ponder/nothing-v0", "ponder/maze-21x9-v1", "maze/one-v0", "Nothing-v0"):
        with pytest.raises(gymnasium.error.UnregisteredEnv):
            gymnasium.make(id)
    with pytest.raises(ponder_env.PonderError, match="4 columns: want 5 to 255"):
        gymnasium.make("ponder/maze-4x9-v0")
    assert gymnasium.registry == before
