"""What is wrong is an error that says so, and nothing has changed."""

import ctypes
import sys
import threading

import gymnasium
import numpy as np
import ponder_env
import pytest
from ponder_env import _native

LIB = _native.library()


def last():
    return _native._text(LIB, LIB.ponder_error).decode()


def test_make():
    for id, options, text in [
        ("MiniGrid-DorKey-8x8-v0", {}, "did you mean MiniGrid-DoorKey-8x8-v0"),
        ("maze", {"veiw": "fog"}, "did you mean view"),
        ("maze", {"radius": 0, "view": "fog"}, "radius=0"),
        ("maze/0x5-v0", {}, "0"),
        ("", {}, "unknown environment"),
    ]:
        with pytest.raises(ponder_env.PonderError, match=text):
            ponder_env.Env(id, **options)
    for n in (0, -1, 1 << 40):
        with pytest.raises(ponder_env.PonderError, match="environments: want 1"):
            ponder_env.VectorEnv("maze", n)
    with pytest.raises(ValueError):
        ponder_env.Env("maze", render_mode="human")
    with pytest.raises(ValueError):
        ponder_env.VectorEnv("maze", 2, autoreset_mode="later")


def test_env():
    env = ponder_env.Env("maze")
    with pytest.raises(ponder_env.PonderError, match="never reset"):
        env.step(0)
    env.reset(seed=1)
    for action in (-1, 4, 1 << 40, -(1 << 70)):
        with pytest.raises(ValueError, match="not in"):
            env.step(action)
    for action in (1.0, "up", None, np.float32(1), True and np.array([0.5])):
        with pytest.raises(TypeError):
            env.step(action)
    for seed in (-1, 1 << 64, 1.5, "a"):
        with pytest.raises(gymnasium.error.Error):
            env.reset(seed=seed)
    env.close()
    env.close()
    with pytest.raises(ponder_env.PonderError, match="closed"):
        env.step(0)
    with pytest.raises(ponder_env.PonderError, match="closed"):
        env.reset()


def test_after_the_end():
    env = ponder_env.Env("maze", limit=1)
    env.reset(seed=1)
    assert env.step(0)[3] is True
    with pytest.raises(ponder_env.PonderError, match="has ended"):
        env.step(0)


def test_without_minigrid(monkeypatch):
    """Attributes of its classes name what to do; those that are numbers are there."""
    from ponder_env import _minigrid

    for name in ("minigrid", "minigrid.core.actions"):
        monkeypatch.setitem(sys.modules, name, None)
    _minigrid._classes.cache_clear()
    env = ponder_env.Env("MiniGrid-DoorKey-5x5-v0")
    env.reset(seed=0)
    for name in ("grid", "carrying", "actions", "front_pos", "gen_obs_grid"):
        with pytest.raises(AttributeError, match=f"'{name}' needs the package minigrid; .*obs="):
            getattr(env, name)
        assert not hasattr(env, name)
    assert not hasattr(env, "nothing") and not hasattr(env, "place_agent")
    assert (env.width, env.height, env.agent_view_size) == (5, 5, 7)
    assert env.get_frame(tile_size=4, agent_pov=True).shape == (28, 28, 3)


def test_vector():
    envs = ponder_env.VectorEnv("maze", 3)
    envs.reset(seed=1)
    before = [envs.snapshot(i) for i in range(3)]
    for actions in ([0, 1, 4], [0, -1, 2], [0, 1 << 32, 0], np.array([0, 0, 1 << 63], np.uint64)):
        with pytest.raises(ponder_env.PonderError, match="is not in"):
            envs.step(np.array(actions))
    for actions in ([0, 1], [0.0, 1.0, 2.0], [[0, 1, 2]], 1, [True, False, True]):
        with pytest.raises(ValueError, match="want 3 whole numbers"):
            envs.step(actions)
    assert before == [envs.snapshot(i) for i in range(3)]
    for mask in (np.ones(2, np.bool_), np.zeros(3, np.bool_)):
        with pytest.raises(ValueError):
            envs.reset(options={"reset_mask": mask})
    for mask in ([True] * 3, np.ones(3)):
        with pytest.raises(TypeError):
            envs.reset(options={"reset_mask": mask})
    with pytest.raises(ValueError, match="2 seeds for 3"):
        envs.reset(seed=[1, 2])
    for row in (-1, 3):
        with pytest.raises(ponder_env.PonderError, match=r"not in \[0, 3\)"):
            envs.snapshot(row)


def test_abi():
    """Wrong handles, lengths and pointers, given to C directly."""
    world = _native.World("maze", 2, {}, _native.SAME_STEP)
    world.reset([1, 2])
    actions = np.zeros(2, np.int64)
    for handle in (0, -1, 1 << 40):
        assert LIB.ponder_step(handle, actions.ctypes.data, 2, world._pointer) == -1
        assert "is not open" in last()
        assert LIB.ponder_close(handle) == -1
    h = world._handle
    for n, text in ((1, "1 actions for 2"), (3, "3 actions for 2"), (-5, "0 actions for 2")):
        assert LIB.ponder_step(h, actions.ctypes.data, n, world._pointer) == -1
        assert text in last()
    assert LIB.ponder_step(h, None, 2, world._pointer) == -1
    for name in ("obs", "final", "rewards", "terminated", "truncated", "fresh"):
        for length in (0, -1, getattr(world._buffers, name + "_len") - 1):
            bad = _native._Buffers.from_buffer_copy(world._buffers)
            setattr(bad, name + "_len", length)
            assert LIB.ponder_step(h, actions.ctypes.data, 2, ctypes.byref(bad)) == -1
            assert f"buffer {name} has" in last()
            assert LIB.ponder_reset(h, None, None, None, 2, ctypes.byref(bad)) == -1
    assert LIB.ponder_step(h, actions.ctypes.data, 2, None) >= 0  # nothing is wanted
    for bad in (b"{", b'"view=fog"', b"[1]"):
        assert LIB.ponder_make(b"maze", 4, 1, bad, len(bad), 0, 0) == -1
        assert "options" in last()
    assert LIB.ponder_make(None, 0, 1, None, 0, 0, 0) == -1
    assert LIB.ponder_make(b"maze", 4, 1, None, 0, 3, 0) == -1
    assert LIB.ponder_make(b"maze", 4, 1, None, 0, 0, -1) == -1
    assert LIB.ponder_size(h, 0, 8, 0, None) == -1
    for what, text in ((-1, "picture -1"), (3, "picture 3"), (1, "not of MiniGrid's family"), (2, "not of MiniGrid's family")):
        with pytest.raises(ponder_env.PonderError, match=text):
            world.render(0, 8, what)
    with pytest.raises(ponder_env.PonderError, match="not of MiniGrid's family"):
        world.minigrid(0)
    for tile in (0, -1, 1 << 40):
        with pytest.raises(ponder_env.PonderError, match="tiles of"):
            world.render(0, tile)
    pix = np.zeros(10, np.uint8)
    assert LIB.ponder_render(h, 0, 8, 0, pix.ctypes.data, 10) == -1
    assert "buffer of the picture has 10 bytes" in last()
    assert LIB.ponder_mask(h, 0, pix.ctypes.data, 10) == -1
    world.close()
    assert LIB.ponder_step(h, actions.ctypes.data, 2, world._pointer) == -1
    assert "is not open" in last()


def test_errors_are_of_their_thread():
    assert LIB.ponder_close(-7) == -1
    other = []

    def fail():
        LIB.ponder_close(-8)
        other.append(last())

    t = threading.Thread(target=fail)
    t.start()
    t.join()
    assert "-8" in other[0] and "-7" in last()


def test_threads():
    """A handle in many threads, closed in the middle: every call answers or is refused."""
    envs = ponder_env.VectorEnv("MiniGrid-DoorKey-5x5-v0", 8)
    envs.reset(seed=0)
    actions, faults, steps = np.zeros(8, np.int64), [], []

    def run():
        for _ in range(300):
            try:
                envs.step(actions)
                steps.append(1)
            except ponder_env.PonderError as e:
                if "open" not in str(e) and "closed" not in str(e):
                    faults.append(e)
                return

    threads = [threading.Thread(target=run) for _ in range(4)]
    for t in threads:
        t.start()
    while len(steps) < 100:
        pass
    envs.close()
    for t in threads:
        t.join()
    assert not faults
