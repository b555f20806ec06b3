"""Functions of numbers end, and soon, wherever their arguments lie: large, tiny, infinite or no number."""

import math
import subprocess
import sys

import pytest

import rushlight as torch

PROGRAM = """
import rushlight as torch

sizes = [0.0, 1e-300, 1e-30, 1e-8, 0.3, 1.0, 2.5, 30.0, 1e3, 1e6, 1e9, 1e17, 9.2e18, 1e30, 1e300, float("inf")]
x = torch.tensor([float("nan"), *sizes, *(-size for size in sizes)], dtype=torch.float64)
for name in dir(torch.special):
    function = getattr(torch.special, name)
    if name[0] != "_" and callable(function) and "polynomial" not in name:  # (whose cost is their degree)
        for arguments in ((x,), (x.unsqueeze(1), x), (x.float(),)):
            try:
                function(*arguments)
            except (TypeError, RuntimeError):
                pass  # of another number of arguments
"""


def test_special_functions_end():
    # In a process of its own: a kernel that does not end cannot be stopped.
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)


@pytest.mark.parametrize("dtype, largest", [(torch.float64, 1e-8), (torch.float32, 2e-4)])
def test_cosines_of_small_angles_are_one(dtype, largest):
    x = torch.linspace(-largest, largest, 1001, dtype=dtype)
    assert (x.cos() == 1).all() and (torch.polar(torch.ones_like(x), x).real == 1).all()
    wider = torch.linspace(-0.05, 0.05, 10001, dtype=dtype)  # (both ways of computing it)
    assert (wider.cos() - (1 - 2 * (wider / 2).sin().square())).abs().max() <= 2 * torch.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rests_are_exact(dtype):
    """Of quotients small and large, just below and above whole numbers, and of numbers that are none: as Python's own."""
    torch.manual_seed(0)
    b = torch.randn(300, dtype=dtype) * torch.logspace(-30, 30, 300, dtype=dtype)
    whole = b * torch.randint(-(2**20), 2**20, (300,))
    below, above = (torch.nextafter(whole, torch.full_like(b, end)) for end in (-math.inf, math.inf))
    special = torch.tensor([0.0, -0.0, 1.5, -3.0, math.inf, -math.inf, math.nan, 1e-310, 1e38], dtype=dtype)
    pairs = [(torch.randn_like(b) * 100, b), (whole, b), (below, b), (above, b), (torch.nextafter(b, b * 0), b)]
    pairs.append((special.repeat_interleave(len(special)), special.repeat(len(special))))
    for a, b in pairs:
        for x, y, found in zip(a.tolist(), b.tolist(), torch.fmod(a, b).tolist()):
            expected = math.nan if math.isinf(x) or y == 0 or x != x or y != y else math.fmod(x, y)
            if expected != expected:
                assert found != found
            else:
                assert found == expected and math.copysign(1, found) == math.copysign(1, expected)
