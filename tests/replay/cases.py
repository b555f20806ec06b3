"""What the tests of compiled functions share: comparing calls, and nets to call."""

import itertools

import rushlight as torch
from rushlight import nn


def calls(function, times, arguments):
    """Calls a compiled function and the function itself, with the same state of the generator; returns both lists of results."""
    compiled = torch.compile(function)
    for _ in range(times):
        args = arguments()
        state = torch.get_rng_state()
        expected = function(*args)
        after = torch.get_rng_state()
        torch.set_rng_state(state)
        found = compiled(*args)
        assert torch.equal(torch.get_rng_state(), after)
        same(found, expected)
    return compiled


def same(a, b):
    if isinstance(b, torch.Tensor):
        assert a.dtype == b.dtype and a.shape == b.shape and a.stride() == b.stride() and a.requires_grad == b.requires_grad
        assert torch.equal(a, b) or (a.isnan().any() and torch.allclose(a, b, rtol=0, atol=0, equal_nan=True))
    elif isinstance(b, (tuple, list)):
        assert type(a) is type(b) and len(a) == len(b)
        for x, y in zip(a, b):
            same(x, y)
    elif isinstance(b, dict):
        assert list(a) == list(b)
        for key in b:
            same(a[key], b[key])
    else:
        assert a == b


def replayed(compiled):
    assert compiled.replays, compiled.attempts.reasons
    return compiled


def network(*sizes):
    torch.manual_seed(3)
    layers = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(3))
        self.register_buffer("b", torch.ones(3))
        self.calls = 0
        self.factor = 1.0
        self.on = True
        self.options = {"a": [1, 2]}
        self.kept = None

    def forward(self, x):
        return self.w * x * self.factor + self.b * self.options["a"][1] if self.on else x - self.w
