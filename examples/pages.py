"""Two pages that need no server and no network, of what `explain` draws:

- `backward.html`: a backward, step by step, forward and back; gradients appear in the drawing of the graph as the engine makes them.
- `graph.html`: the graph of six transformer blocks. A click opens a box in its place, and closes it again.

    python examples/pages.py [FOLDER]

writes them, into the current folder by default. The site has them under pages/.
"""

import math
import sys
from pathlib import Path

import rushlight as torch
from rushlight import explain, nn


def loss_of_xor():
    """The loss of a small net before any training, of all four cases of XOR; and the net."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
    return nn.functional.binary_cross_entropy_with_logits(net(x), y), net


class Block(nn.Module):
    """A transformer's block with one head, written out."""

    def __init__(self, size):
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.q, self.k, self.v, self.out = (nn.Linear(size, size) for _ in range(4))
        self.up, self.down = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)

    def forward(self, x):
        h = self.norm(x)
        weights = (self.q(h) @ self.k(h).mT / math.sqrt(h.shape[-1])).softmax(-1)
        x = x + self.out(weights @ self.v(h))
        return x + self.down(self.up(x).relu())


def loss_of_blocks(count=6, size=8):
    """The loss of some blocks and a linear layer, and the net."""
    torch.manual_seed(0)
    net = nn.Sequential(*[Block(size) for _ in range(count)], nn.Linear(size, 1))
    return net(torch.randn(2, 5, size)).pow(2).mean(), net


def write(folder):
    """Writes both pages into a folder; gives a line about each."""
    loss, net = loss_of_xor()
    steps = explain.steps(loss, module=net)
    steps.save(folder / "backward.html")
    yield f"{len(steps)} steps of backward: {folder / 'backward.html'}"
    loss, net = loss_of_blocks()
    picture = explain.picture(loss, net)
    picture.save(folder / "graph.html")
    yield f"{len(picture.nodes)} nodes in {len(picture.drawing.boxes)} boxes: {folder / 'graph.html'}"


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    target.mkdir(parents=True, exist_ok=True)
    print(*write(target), sep="\n")
