"""Trained agents act, without torch."""

import sys

import numpy as np
import ponder_env
import pytest


def play(agent, env, seed):
    obs, _ = env.reset(seed=seed)
    state, actions, total = None, [], 0.0
    while True:
        action, state = agent.predict(obs, state)
        actions.append(int(action))
        obs, reward, terminated, truncated, _ = env.step(action)
        total += reward
        if terminated or truncated:
            return actions, total


@pytest.mark.parametrize("model, least", [("doorkey-5x5", 0.9), ("maze", 0.9)])
def test_acts(model, least):
    agent = ponder_env.load_agent(model)
    env = ponder_env.Env(agent.env_id)
    first = [play(agent, env, seed) for seed in range(3)]
    assert all(total > least for _, total in first), first
    assert [play(agent, env, seed) for seed in range(3)] == first
    assert "torch" not in sys.modules


def test_state():
    """Two episodes at once do not disturb each other, and episode_start forgets."""
    agent = ponder_env.load_agent("doorkey-5x5")
    env, other = ponder_env.Env(agent.env_id), ponder_env.Env(agent.env_id)
    alone = [play(agent, env, seed)[0] for seed in (1, 2)]
    obs = [e.reset(seed=s)[0] for e, s in ((env, 1), (other, 2))]
    states, got = [None, None], [[], []]
    for _ in range(min(map(len, alone))):
        for i, e in enumerate((env, other)):
            action, states[i] = agent.predict(obs[i], states[i])
            got[i].append(int(action))
            obs[i] = e.step(action)[0]
    assert got == [a[: len(got[0])] for a in alone]
    first = env.reset(seed=1)[0]
    assert int(agent.predict(first, states[1], episode_start=np.array([True]))[0]) == alone[0][0]


def test_errors():
    with pytest.raises(ponder_env.PonderError, match="neither a folder nor one of the shipped models"):
        ponder_env.load_agent("none", "maze")
    with pytest.raises(ponder_env.PonderError, match="cannot act in"):
        ponder_env.load_agent("sudoku", "MiniGrid-Empty-5x5-v0")
    agent = ponder_env.load_agent("doorkey-5x5")
    for obs in (np.zeros(168, np.uint8), {"image": np.zeros((7, 7, 3), np.uint8)}):
        with pytest.raises(ValueError, match="is a dict of image, direction, mission"):
            agent.predict(obs)
    obs, _ = ponder_env.Env(agent.env_id).reset(seed=1)
    with pytest.raises(ValueError, match="image: 3 of type"):
        agent.predict({**obs, "image": np.zeros(3, np.uint8)})
    with pytest.raises(TypeError, match="want None"):
        agent.predict(obs, 5)
    with pytest.raises(ponder_env.PonderError, match="word"):
        agent.predict({**obs, "mission": "sing a song"})
    _, state = agent.predict(obs)
    state.close()
    with pytest.raises(ponder_env.PonderError, match="closed"):
        agent.predict(obs, state)
    agent.close()
    with pytest.raises(ponder_env.PonderError, match="closed"):
        agent.predict(obs)
