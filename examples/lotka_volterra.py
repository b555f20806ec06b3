"""Fits an ordinary differential equation: four rates of hares and lynxes, from noisy counts, through every step of Runge and Kutta.

python -m rushlight examples/lotka_volterra.py
"""

import torch
from common import options, pyplot, save, steps

TRUE = [0.8, 0.5, 0.4, 0.6]


def slope(state, rates):
    """How fast both kinds grow: hares are born and eaten, lynxes are fed and die."""
    hares, lynxes = state
    born, eaten, fed, die = rates
    return torch.stack([born * hares - eaten * hares * lynxes, fed * hares * lynxes - die * lynxes])


def solve(rates, count=60, step=0.2):
    """The states at `count` times, by the classical method of fourth order."""
    state = torch.tensor([2.0, 1.0])
    states = [state]
    for _ in range(count - 1):
        a = slope(state, rates)
        b = slope(state + step / 2 * a, rates)
        c = slope(state + step / 2 * b, rates)
        d = slope(state + step * c, rates)
        state = state + step / 6 * (a + 2 * b + 2 * c + d)
        states.append(state)
    return torch.stack(states)


def main():
    chosen = options(__file__, __doc__)
    torch.manual_seed(0)
    truth = solve(torch.tensor(TRUE))
    counted = truth + 0.1 * torch.randn(truth.shape)

    logs = torch.full((4,), 0.5).log().requires_grad_()  # rates are positive
    optimizer = torch.optim.Adam([logs], lr=0.05)
    losses = []
    for _ in steps(chosen.steps or 100):
        optimizer.zero_grad()
        loss = (solve(logs.exp()) - counted).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    found = logs.exp().tolist()
    print(f"loss {losses[-1]:.4f}, rates {', '.join(f'{rate:.3f}' for rate in found)} (true: {', '.join(map(str, TRUE))})")

    with torch.no_grad():
        fitted = solve(logs.exp())
    figure, (left, beside) = pyplot.subplots(1, 2, figsize=(9, 4))
    times = [0.2 * i for i in range(len(truth))]
    for i, (name, color) in enumerate([("hares", "tab:green"), ("lynxes", "tab:orange")]):
        left.plot(times, counted[:, i].tolist(), ".", color=color, label=f"{name}, counted")
        left.plot(times, fitted[:, i].tolist(), color=color, label=f"{name}, fitted")
    left.set(title="hares and lynxes", xlabel="time")
    left.legend(fontsize=8)
    beside.semilogy(losses)
    beside.set(title="loss", xlabel="step")
    save(figure, chosen.picture)


if __name__ == "__main__":
    main()
