"""Learning to learn (MAML) with torch.func: initial weights from which one step of gradient fits a new sine wave.

python -m rushlight examples/maml.py
"""

import math

import torch
from common import options, pyplot, save, steps
from torch import nn
from torch.func import functional_call, grad, vmap


def main():
    chosen = options(__file__, __doc__)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    def loss(parameters, x, y):
        return nn.functional.mse_loss(functional_call(model, parameters, (x,)), y)

    def adapted(parameters, x, y):
        """The parameters after one step on a task."""
        gradients = grad(loss)(parameters, x, y)
        return {name: parameter - 0.05 * gradients[name] for name, parameter in parameters.items()}

    def after(parameters, x, y, x_test, y_test):
        """The loss on other points of a task, after the step: what the initial weights are trained for."""
        return loss(adapted(parameters, x, y), x_test, y_test)

    losses = []
    for _ in steps(chosen.steps or 600):
        height, phase = torch.rand(2, 16, 1, 1)
        x = 10 * torch.rand(16, 20, 1) - 5
        y = (1 + 3 * height) * torch.sin(x + math.pi * phase)
        tasks = x[:, :10], y[:, :10], x[:, 10:], y[:, 10:]
        total = vmap(after, in_dims=(None, 0, 0, 0, 0))(dict(model.named_parameters()), *tasks).mean()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(total.item())

    last = sum(losses[-50:]) / len(losses[-50:])
    print(f"loss after one step on a new task: {losses[0]:.3f} at first, {last:.3f} now")

    places = torch.linspace(-5, 5, 100)[:, None]
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}
    one = adapted(parameters, x[0, :10], y[0, :10])
    truth = (1 + 3 * height[0]) * torch.sin(places + math.pi * phase[0])
    figure, (left, beside) = pyplot.subplots(1, 2, figsize=(9, 4))
    for name, values in [
        ("the wave", truth),
        ("before", functional_call(model, parameters, (places,))),
        ("after one step", functional_call(model, one, (places,))),
    ]:
        left.plot(places.flatten().tolist(), values.detach().flatten().tolist(), label=name)
    left.plot(x[0, :10].flatten().tolist(), y[0, :10].flatten().tolist(), "k.", label="ten points of it")
    left.set(title="a new task")
    left.legend(fontsize=8)
    beside.plot(losses, linewidth=0.7)
    beside.set(title="loss after the step", xlabel="step")
    save(figure, chosen.picture)


if __name__ == "__main__":
    main()
