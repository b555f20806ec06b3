"""Logistic regression, where learners begin: a line between two clouds of points, drawn while it is found.

python -m rushlight examples/logistic_regression.py
"""

import torch
from common import options, pyplot, save, steps


def main():
    chosen = options(__file__, __doc__)
    torch.manual_seed(0)
    points = torch.cat([torch.randn(100, 2) - 1.2, torch.randn(100, 2) + 1.2])
    labels = torch.cat([torch.zeros(100), torch.ones(100)])

    w = torch.tensor([-1.0, 1.0], requires_grad=True)
    b = torch.tensor(0.5, requires_grad=True)
    losses, lines = [], {}
    count = chosen.steps or 2000
    for step in steps(count):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(points @ w + b, labels)
        loss.backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
            b -= 0.1 * b.grad
        w.grad = b.grad = None
        losses.append(loss.item())
        if step in (0, count // 100, count // 20, count - 1):
            lines[step] = (*w.tolist(), b.item())

    right = ((points @ w + b > 0) == (labels > 0)).float().mean().item()
    print(f"loss {losses[-1]:.4f}, {right:.1%} on the right side")

    figure, (left, beside) = pyplot.subplots(1, 2, figsize=(9, 4))
    left.scatter(*points.T.tolist(), c=labels.tolist(), cmap="coolwarm", s=12)
    for i, (step, (w0, w1, offset)) in enumerate(lines.items()):
        ends = [-4.0, 4.0]
        left.plot(ends, [-(w0 * x + offset) / w1 for x in ends], color="black", alpha=0.25 + 0.25 * i, label=f"step {step + 1}")
    left.set(xlim=(-4, 4), ylim=(-4, 4), title="the boundary while it trains")
    left.legend(fontsize=8)
    beside.plot(losses)
    beside.set(title="loss", xscale="log", xlabel="step")
    save(figure, chosen.picture)


if __name__ == "__main__":
    main()
