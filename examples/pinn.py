"""A network that solves a differential equation, u'' = -π² sin(πx) with u(0) = u(1) = 0: its loss holds a second derivative.

python -m rushlight examples/pinn.py
"""

import math

import torch
from common import options, pyplot, save, steps
from torch import nn


def main():
    chosen = options(__file__, __doc__)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    x = torch.linspace(0, 1, 32)[:, None].requires_grad_()
    force = -(math.pi**2) * torch.sin(math.pi * x.detach())

    losses = []
    for _ in steps(chosen.steps or 1500):
        u = x * (1 - x) * model(x)  # zero at both ends
        (first,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
        loss = (second - force).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    with torch.no_grad():
        solution, exact = x * (1 - x) * model(x), torch.sin(math.pi * x)
    print(f"loss {losses[-1]:.6f}, furthest from the solution {(solution - exact).abs().max().item():.5f}")

    figure, (left, beside) = pyplot.subplots(1, 2, figsize=(9, 4))
    places = x.flatten().tolist()
    left.plot(places, exact.flatten().tolist(), linewidth=5, alpha=0.3, label="sin πx")
    left.plot(places, solution.flatten().tolist(), label="the network")
    left.set(title="u'' = -π² sin πx", xlabel="x")
    left.legend()
    beside.semilogy(losses)
    beside.set(title="loss", xlabel="step")
    save(figure, chosen.picture)


if __name__ == "__main__":
    main()
