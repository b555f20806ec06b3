"""Hamiltonian Monte Carlo: samples of the weights of a logistic regression, as likely as the data and a prior make them.

python -m rushlight examples/hmc.py
"""

import torch
from common import options, pyplot, save, steps


def main():
    chosen = options(__file__, __doc__)
    torch.manual_seed(0)
    inputs = torch.randn(100, 2)
    labels = torch.bernoulli(torch.sigmoid(inputs @ torch.tensor([1.5, -1.0])))

    def energy(w):
        """The negative logarithm of the posterior density, up to a constant; and its gradient."""
        w = w.detach().requires_grad_()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(inputs @ w, labels, reduction="sum") + w.square().sum() / 8
        return loss.item(), torch.autograd.grad(loss, w)[0]

    w = torch.zeros(2)
    potential, gradient = energy(w)
    samples, accepted, size = [], 0, 0.05
    count = chosen.steps or 500
    for _ in steps(count):
        place, slope, momentum = w, gradient, torch.randn(2)
        before = potential + momentum.square().sum().item() / 2
        for _ in range(10):  # leapfrog
            momentum = momentum - size / 2 * slope
            place = place + size * momentum
            height, slope = energy(place)
            momentum = momentum - size / 2 * slope
        after = height + momentum.square().sum().item() / 2
        if torch.rand(()).log().item() < before - after:
            w, potential, gradient = place, height, slope
            accepted += 1
        samples.append(w)

    kept = torch.stack(samples[count // 5 :])
    mean, spread = kept.mean(0).tolist(), kept.std(0).tolist()
    print(f"weights {mean[0]:.3f} ± {spread[0]:.3f}, {mean[1]:.3f} ± {spread[1]:.3f}; {accepted / count:.0%} accepted")

    figure, (left, beside) = pyplot.subplots(1, 2, figsize=(9, 4))
    left.plot(*kept.T.tolist(), ".", alpha=0.4)
    left.plot(1.5, -1.0, "k+", markersize=14, label="the weights that made the data")
    left.set(title="samples of the posterior", xlabel="first weight", ylabel="second weight")
    left.legend(fontsize=8)
    beside.plot(torch.stack(samples).tolist())
    beside.set(title="the chain", xlabel="step")
    save(figure, chosen.picture)


if __name__ == "__main__":
    main()
