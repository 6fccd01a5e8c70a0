"""Environments in other processes, by every start method, and in those that come from fork."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading

import gymnasium
import numpy as np
import ponder_env
import pytest

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
nowarn = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")  # Python 3.12 on; threads are the point here


def _play(id, queue):
    env = ponder_env.Env(id)
    queue.put((env.reset(seed=1)[0]["mission"], env.step(2)[0]["image"].tobytes()))


@nowarn
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_start_method(method):
    id = "BabyAI-GoToLocal-v0"
    here = ponder_env.Env(id)
    mission = here.reset(seed=1)[0]["mission"]
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=_play, args=(id, queue))
    child.start()
    assert queue.get(timeout=60) == (mission, here.step(2)[0]["image"].tobytes())
    child.join()


def _in_child(f):
    """Runs f in a forked child, which has 60 s; what it raises is printed there."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(60)
            f()
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0


@forks
@nowarn
def test_made_before_the_fork():
    """Whatever is asked of it, it says so at once, and new ones work beside it, in grandchildren too."""
    env = ponder_env.Env("MiniGrid-DoorKey-5x5-v0", render_mode="ansi")
    envs = ponder_env.VectorEnv("maze", 300, threads=3)
    env.reset(seed=1), envs.reset(seed=1)
    actions, state = np.zeros(300, np.int64), env.snapshot()

    def play(depth):
        for call in (
            lambda: env.step(0),
            lambda: env.reset(),
            lambda: env.render(),
            lambda: env.snapshot(),
            lambda: env.restore(state),
            lambda: env.action_masks(),
            lambda: env.agent_pos,
            lambda: pickle.dumps(env),
            lambda: envs.step(actions),
            lambda: envs.reset(seed=1),
            lambda: envs.snapshot(0),
        ):
            with pytest.raises(ponder_env.PonderError, match="before this process was forked"):
                call()
        own = ponder_env.Env("MiniGrid-DoorKey-5x5-v0", render_mode="ansi")
        own.restore(state)
        many = ponder_env.VectorEnv("maze", 300, threads=3)
        many.reset(seed=1)
        for _ in range(10):
            many.step(actions)
        assert own.render().startswith("minigrid level")
        if depth:
            _in_child(lambda: play(depth - 1))
            own.step(0), many.step(actions)
        env.close(), envs.close()

    _in_child(lambda: play(2))
    env.step(0), envs.step(actions)


@forks
@nowarn
def test_forks_of_a_busy_process():
    """Children of a process whose threads are in the library at any moment."""
    busy = [ponder_env.VectorEnv("MiniGrid-DoorKey-5x5-v0", 64, threads=2) for _ in range(2)]
    stop = threading.Event()

    def step(envs):
        envs.reset(seed=0)
        while not stop.is_set():
            envs.step(np.zeros(64, np.int64))

    def child():
        env = ponder_env.Env("maze")
        env.reset(seed=0)
        for a in (0, 1, 2, 3) * 5:
            env.step(a)

    threads = [threading.Thread(target=step, args=(envs,)) for envs in busy]
    for t in threads:
        t.start()
    try:
        for _ in range(8):
            _in_child(child)
    finally:
        stop.set()
        for t in threads:
            t.join()


def test_import_does_not_load():
    """A process that only imports, as one that will fork, has no Go runtime; a missing library is an error at use."""
    code = """
import gymnasium, ponder_env
from ponder_env import _native
assert "ponder/maze-15x15-v0" in gymnasium.registry and gymnasium.spec("ponder/maze-15x15-v0")
assert _native._lib is None
_native._NAME = "nothing.so"
try:
    ponder_env.Env("maze")
except ImportError as e:
    assert "make wheel" in str(e)
else:
    raise SystemExit("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# One id a family, and a size that is not listed.
VECTORS = ["MiniGrid-Fetch-5x5-N2-v0", "BabyAI-GoToLocal-v0", "maze-9x7-v0", "sudoku-4x4-v0", "arc-crop-v0"]


@nowarn
@pytest.mark.parametrize("id", VECTORS)
def test_make_vec(id):
    """The three modes, with Gymnasium's own start method and shared memory, show the same."""
    n, make = 3, {"num_envs": 3, "max_episode_steps": 12}
    ours = gymnasium.make_vec("ponder/" + id, **make)
    sync = gymnasium.make_vec("ponder/" + id, vectorization_mode="sync", **make)
    asyn = gymnasium.make_vec("ponder/" + id, vectorization_mode="async", **make)
    kept = gymnasium.make_vec("ponder/" + id, vectorization_mode="async", vector_kwargs={"copy": False}, **make)
    point = gymnasium.make_vec("ponder/" + id, vectorization_mode="vector_entry_point", **make)
    every = [ours, sync, asyn, kept, point]
    assert isinstance(ours, ponder_env.VectorEnv) and isinstance(point, ponder_env.VectorEnv)
    try:
        ours.action_space.seed(0)
        first = ours.reset(seed=5)[0]
        for e in every[1:]:
            same(e.reset(seed=5)[0], first)
        ended = 0
        for _ in range(30):
            actions = ours.action_space.sample()
            steps = [e.step(actions) for e in every]
            for s in steps[1:]:
                same(s[0], steps[0][0])
                for a, b in zip(s[1:4], steps[0][1:4]):
                    np.testing.assert_array_equal(a, b)
            assert steps[2][0] in asyn.observation_space and asyn.observation_space == ours.observation_space
            ended += (steps[0][2] | steps[0][3]).sum()
        assert ended >= n
        if "mission" in first:
            assert type(steps[2][0]["mission"]) is tuple and type(steps[2][0]["mission"][0]) is str
    finally:
        for e in every:
            e.close()


def same(a, b):
    if isinstance(b, dict):
        assert a.keys() == b.keys()
        for k in a:
            same(a[k], b[k])
    elif isinstance(b, tuple):
        assert tuple(a) == b
    else:
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
