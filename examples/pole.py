"""Policy gradient: a network learns to balance a pole on a cart, knowing only how long it stood.

python -m rushlight examples/pole.py
"""

import math

import torch
from common import options, pyplot, save, steps
from torch import nn


def push(state, right):
    """The cart's and the pole's places and speeds, a fiftieth of a second after a push to the left or right (Barto and others, 1983)."""
    place, speed, angle, turning = state
    sine, cosine = math.sin(angle), math.cos(angle)
    pull = ((10.0 if right else -10.0) + 0.05 * turning**2 * sine) / 1.1
    faster = (9.8 * sine - cosine * pull) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
    return (
        place + 0.02 * speed,
        speed + 0.02 * (pull - 0.05 * faster * cosine / 1.1),
        angle + 0.02 * turning,
        turning + 0.02 * faster,
    )


def main():
    chosen = options(__file__, __doc__)
    torch.manual_seed(0)
    policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
    stood = []
    for _ in steps(chosen.steps or 150):
        state = tuple((0.1 * torch.rand(4) - 0.05).tolist())
        logs = []
        while len(logs) < 200 and abs(state[0]) < 2.4 and abs(state[2]) < 0.21:
            choice = torch.distributions.Categorical(logits=policy(torch.tensor(state)))
            action = choice.sample()
            logs.append(choice.log_prob(action))
            state = push(state, action.item())
        stood.append(len(logs))

        # A push is praised for how long the pole stood after it.
        praise, total = [], 0.0
        for _ in logs:
            total = 1 + 0.99 * total
            praise.append(total)
        praise = torch.tensor(praise[::-1])
        praise = (praise - praise.mean()) / (praise.std() + 1e-6)
        loss = -(torch.stack(logs) * praise).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    last = sum(stood[-20:]) / len(stood[-20:])
    print(f"the pole stood {stood[0]} pushes at first, {last:.1f} in the last games (200 are a full game)")

    figure, axes = pyplot.subplots(figsize=(9, 3.5))
    axes.plot(stood)
    axes.set(title="how long the pole stood", xlabel="game", ylabel="pushes")
    save(figure, chosen.picture)


if __name__ == "__main__":
    main()
