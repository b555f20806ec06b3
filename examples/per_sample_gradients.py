"""The gradient of every single example, by torch.func: which examples pull hardest? Some labels are wrong, and show.

python -m rushlight examples/per_sample_gradients.py
"""

import torch
from common import options, pyplot, save, steps
from torch import nn
from torch.func import functional_call, grad, vmap


def main():
    chosen = options(__file__, __doc__)
    torch.manual_seed(0)
    inputs = torch.randn(128, 4)
    labels = (inputs.sum(1) > 0).long()
    wrong = torch.zeros(128, dtype=torch.bool)
    wrong[:8] = True
    labels = torch.where(wrong, 1 - labels, labels)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2))
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}

    def loss(parameters, x, label):
        return nn.functional.cross_entropy(functional_call(model, parameters, (x,)), label)

    each = vmap(grad(loss), in_dims=(None, 0, 0))
    for _ in steps(chosen.steps or 400):
        gradients = each(parameters, inputs, labels)
        norms = sum(g.flatten(1).square().sum(1) for g in gradients.values()).sqrt()
        # As in differentially private training: no example may pull harder than 1.
        scale = (1 / norms).clamp(max=1)
        for name, g in gradients.items():
            parameters[name] = parameters[name] - 0.5 * torch.einsum("n,n...->...", scale, g) / len(inputs)

    order = norms.argsort(descending=True)
    print(f"largest gradient {norms.max().item():.4f}; of the 8 largest, {wrong[order[:8]].sum().item()} have a wrong label")

    figure, axes = pyplot.subplots(figsize=(9, 3.5))
    colors = ["tab:red" if bad else "tab:blue" for bad in wrong[order].tolist()]
    axes.bar(range(128), norms[order].tolist(), color=colors)
    axes.set(title="length of each example's gradient; red: its label is wrong", xlabel="example, sorted")
    save(figure, chosen.picture)


if __name__ == "__main__":
    main()
